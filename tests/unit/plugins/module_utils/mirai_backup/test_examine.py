"""examine: a line for every row, with the digest of its bytes, and the torn ones by number."""

import hashlib
import io

import pytest
from mirai_backup import examine, jsoncheck
from mirai_backup.entries import Entry

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


def line_of(name, content):
    return Entry(name, "file", len(content), 0o600, 1, 0, 0, sha256=hashlib.sha256(content).hexdigest()).line()


@pytest.fixture
def taken(tmp_path, monkeypatch):
    """Examines files beside a manifest of ``before``: how many were read as JSON, and which of them are torn."""

    def make(files, before):
        (tmp_path / "manifest").write_bytes(b",\n".join(line_of(*one) for one in before.items()) + b"\n]\n}\n")
        read = []
        complaint, scanner = jsoncheck.complaint, jsoncheck.Scanner
        monkeypatch.setattr(jsoncheck, "complaint", lambda content: read.append(1) or complaint(content))
        monkeypatch.setattr(jsoncheck, "Scanner", lambda: read.append(1) or scanner())
        one = examine.Examiner(io.BytesIO(), str(tmp_path / "manifest"))
        for name, content in files.items():
            line = line_of(name, content)
            parts = [content] if len(content) <= jsoncheck.WHOLE_LIMIT else [content[:1000], content[1000:]]
            for number, part in enumerate(parts):
                one.take([(line[:-66], line[-2:], 0, len(part), True, number + 1 < len(parts))], part)
        return len(read), one.torn

    return make


HUGE = b"[" + b" " * jsoncheck.WHOLE_LIMIT + b"]"


def test_what_was_found_whole_is_not_read_as_json_again(taken):
    same = {"a.json": b"[1]", "huge.json": HUGE}
    assert taken({**same, "new.json": b"[2]"}, same) == (1, {})


def test_what_changed_is_read_as_json(taken):
    before = {"a.json": b"[1]", "b.json": b"[1]", "huge.json": HUGE}
    count, torn = taken({"a.json": b"[2]", "b.json": b"[1", "huge.json": HUGE + b" "}, before)
    assert (count, list(torn)) == (3, [1])


def test_a_large_file_that_changed_unseen_is_named(taken):
    for content in (HUGE.replace(b"]", b"}"), HUGE.replace(b"  ", b"\t ", 1)):
        assert taken({"huge.json": content, "a.json": b"[]"}, {"huge.json": HUGE}) == (1, {0: examine._UNSEEN})
