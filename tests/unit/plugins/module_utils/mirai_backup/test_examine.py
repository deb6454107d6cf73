"""examine: a line for every row, with the digest of its bytes, and the torn ones by number."""

import hashlib
import io

import pytest
from mirai_backup import examine

LARGE = b'{"rows": [' + b'"0123456789abcdef",' * 1000 + b"0]}"


def row(content, block, is_json=True, more=False):
    """A row about ``content``, which is put at the end of ``block``."""
    start = len(block)
    block += content
    return (b"<", b">", start, len(block), is_json, more)


def digest(content):
    return b"<" + hashlib.sha256(content).hexdigest().encode() + b">\n"


@pytest.fixture
def examiner():
    return examine.Examiner(io.BytesIO())


def written(examiner):
    return examiner._out.getvalue()


def test_a_line_for_every_row(examiner):
    block = bytearray(b"header")
    rows = [examine.whole_line(b"directory"), row(b"{}", block), row(b"\xff", block, is_json=False), row(b"[]", block)]
    examiner.take(rows, bytes(block))
    assert written(examiner) == b"directory\n" + digest(b"{}") + digest(b"\xff") + digest(b"[]")
    assert examiner.torn == {}


def test_torn_files_are_known_by_the_number_of_their_line(examiner):
    for content in (b"[]", b'{"a": ', b"[1]", b"\xff\xfe\xfd"):
        block = bytearray()
        examiner.take([row(content, block)], bytes(block))
    assert sorted(examiner.torn) == [1, 3]
    assert "Expecting value" in examiner.torn[1]


@pytest.mark.parametrize("cuts", [(0,), (1,), (7, 5000), (100, 200, 300)])
@pytest.mark.parametrize("torn", [False, True])
def test_a_file_in_several_blocks_has_one_line(examiner, cuts, torn):
    content = LARGE[:-1] if torn else LARGE
    ends = [*cuts, len(content)]
    first = bytearray()
    examiner.take([row(b"[]", first)], bytes(first))
    for start, end in zip((0, *cuts), ends):
        block = bytearray()
        examiner.take([row(content[start:end], block, more=end != ends[-1])], bytes(block))
    last = bytearray()
    examiner.take([row(b"[", last)], bytes(last))
    assert written(examiner) == digest(b"[]") + digest(content) + digest(b"[")
    assert sorted(examiner.torn) == ([1, 2] if torn else [2])


def test_nothing_gives_nothing(examiner):
    examiner.take([], b"")
    assert written(examiner) == b""
