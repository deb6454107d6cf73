"""jsoncheck: a file too large to hold is judged as json.loads would judge it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import jsoncheck

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(blacklist_categories=("Cs",))),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(blacklist_categories=("Cs",))), inner),
    max_leaves=12,
)
TEXTS = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8"),
    JSON_VALUES,
    st.booleans(),
    st.sampled_from([None, 1]),
)
PIECES = st.lists(
    st.sampled_from(
        ['"', "\\", "\\u00", "{", "}", "[", "]", ",", ":", "1", "-", "0", ".5", "e", "true", "nul", " ", "\n"]
    )
).map(lambda pieces: "".join(pieces).encode())


@pytest.fixture(autouse=True, scope="module", params=[0, jsoncheck.WHOLE_LIMIT], ids=["at once", "waits for a block"])
def patience(request):
    """How much may wait for the rest of its value before it is read token by token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsoncheck, "WHOLE_LIMIT", request.param)
        yield


def accepts(content, cuts=()):
    """Whether the scanner takes ``content``, fed in blocks that end at ``cuts``."""
    scanner = jsoncheck.Scanner()
    edges = [0, *sorted(cuts), len(content)]
    for start, end in zip(edges, edges[1:]):
        scanner.feed(content[start:end])
    return scanner.finish() == ""


def is_json(content):
    return jsoncheck.complaint(content) == ""


@given(TEXTS, st.data())
def test_whole_texts_in_any_blocks(content, data):
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=8))
    assert accepts(content, cuts)
    assert accepts(content, range(len(content)))


@given(TEXTS)
def test_torn_texts_at_every_byte(content):
    for end in range(len(content)):
        assert accepts(content[:end]) == is_json(content[:end])


@given(TEXTS, st.data())
def test_one_byte_changed(content, data):
    place = data.draw(st.integers(0, len(content) - 1))
    changed = (
        content[:place]
        + data.draw(st.sampled_from(b'"\\{}[],:0-eE. \n\x01ax')).to_bytes(1, "big")
        + content[place + 1 :]
    )
    assert accepts(changed, range(0, len(changed), 3)) == is_json(changed)


@given(PIECES, st.integers(1, 5))
def test_what_looks_like_json(content, step):
    assert accepts(content, range(0, len(content), step)) == is_json(content)


@pytest.mark.parametrize("step", [1, 5, 4095, 4096, 4097])
def test_longer_than_any_token(step):
    content = json.dumps({"a" * 5000: ["\\\n\u3042" * 3000, 12345.678e-9] * 3, "n": list(range(4000))}).encode()
    assert accepts(content, range(0, len(content), step))
    assert not accepts(content[:-1], range(0, len(content) - 1, step))


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf{}", b" 1 ", b"NaN", b"[-Infinity]", b'"\\ud800"'])
def test_what_the_standard_library_takes_is_taken(content):
    assert is_json(content)
    assert accepts(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the text ends too early"),
        (b'{"a": 1', "the text ends too early"),
        (b"[1,]", "unexpected ']'"),
        (b"{} {}", "unexpected '{}'"),
        (b'{"a" 1}', "unexpected '1}'"),
        (b"{1: 2}", "unexpected '1: 2}'"),
        (b"[\xff]", "not UTF-8"),
        (b"\0\0\0\0", "unexpected '\\x00"),
    ],
)
def test_the_complaint_says_where_it_breaks(content, why):
    scanner = jsoncheck.Scanner()
    scanner.feed(content)
    scanner.feed(b"")
    assert scanner.finish().startswith(why)


def test_nesting_too_deep_to_check_is_said():
    assert jsoncheck.complaint(b"[" * 200_000) == "nested too deeply to check"


def test_deep_nesting_costs_no_more_than_its_length():
    scanner = jsoncheck.Scanner()
    scanner.feed(b"[" * 300_000)
    assert scanner.finish() == "the text ends too early"
    scanner = jsoncheck.Scanner()
    scanner.feed(b"[" * 300_000)
    scanner.feed(b"]" * 300_000)
    assert scanner.finish() == ""


def test_records_that_lie_whole_in_a_block_are_not_kept():
    scanner = jsoncheck.Scanner()
    record = json.dumps({"id": 1, "text": "\u3042" * 100, "tags": ["a", {"b": [1.5, None]}]}).encode()
    scanner.feed(b"[" + b",".join([record] * 2000))
    assert len(scanner._text) < len(record)
    scanner.feed(b"]")
    assert scanner.finish() == ""
