"""Offsets in dumps that are not as described; tests/integration holds them to pg_dump's own."""

from __future__ import annotations

import pytest
from mirai_backup import dump_offsets

END = b"\\.\n\n\n" + bytes(5)


def integer(value):
    return bytes((value < 0,)) + abs(value).to_bytes(4, "little")


def text(value=None):
    return integer(-1) if value is None else integer(len(value)) + value


def dump(version=14, compression=0, entries=(1, 2), data=(1, 2)):
    """A dump of tables with these numbers, and of their data."""
    content = b"PGDMP\x01" + bytes((version, 0, 4, 8, 1))
    content += bytes((compression,)) if version >= 15 else integer(compression)
    content += integer(1) * 7 + text(b"app") + text(b"15") * 2 + integer(len(entries))
    for number in entries:
        content += integer(number) + integer(1) + text(b"1") * 4 + integer(3) + text() * 6
        content += (integer(ord("r")) if version >= 16 else b"") + text(b"me") + text(b"false") + text(b"9") + text()
        content += b"\x01" + bytes(8)
    return content + b"".join(b"\x01" + integer(number) + integer(2) + b"1\n" + integer(5) + END for number in data)


def noted(tmp_path, content):
    path = tmp_path / "dump"
    path.write_bytes(content)
    ends = dump_offsets.Ends()
    ends.look(content)
    count = dump_offsets.note(str(path), ends.places)
    return count, path.read_bytes()


@pytest.mark.parametrize("version", (14, 15, 16))
def test_each_table_is_noted_where_its_block_begins(tmp_path, version):
    content = dump(version)
    count, after = noted(tmp_path, content)
    first, second = (content.index(b"\x01" + integer(number) + integer(2) + b"1\n") for number in (1, 2))
    assert count == 2
    assert b"\x02" + first.to_bytes(8, "little") in after
    assert b"\x02" + second.to_bytes(8, "little") in after
    assert after[first:] == content[first:]


@pytest.mark.parametrize(
    "content",
    (
        b"PGDMP",
        dump(version=13),
        dump(version=17),
        dump(compression=6),
        dump().replace(b"PGDMP\x01\x0e\0\x04\x08\x01", b"PGDMP\x01\x0e\0\x04\x04\x01"),
        dump().replace(b"PGDMP\x01\x0e\0\x04\x08\x01", b"PGDMP\x01\x0e\0\x04\x08\x03"),
        dump().replace(integer(3) + b"app", integer((1 << 28) + 1) + b"app"),
        dump().replace(integer(3) + b"app", b"\x02" + integer(3)[1:] + b"app"),
        dump(data=(1,)) + b"\x07" + integer(2),
        dump(data=(1,)) + b"\x03" + integer(2) + integer(16400) + integer(-5),
        dump()[:90],
    ),
)
def test_what_is_not_as_described_is_left_as_it_is(tmp_path, content):
    assert noted(tmp_path, content) == (0, content)


def test_a_table_whose_number_is_not_in_the_contents_is_passed_over(tmp_path):
    count, _after = noted(tmp_path, dump(data=(1, 7)))
    assert count == 1


def test_large_objects_that_hold_an_end_are_passed(tmp_path):
    objects = b"\x03" + integer(2) + integer(16400) + integer(len(END)) + END + integer(0) + integer(0)
    content = dump(entries=(1, 2, 3), data=(1,)) + objects + b"\x01" + integer(3) + integer(5) + END
    count, after = noted(tmp_path, content)
    assert count == 3
    assert b"\x02" + (len(content) - 6 - 5 - len(END)).to_bytes(8, "little") in after


def test_an_end_is_found_however_it_is_cut_and_not_without_number(monkeypatch):
    content = b"x" * 20 + END + b"y" * 3 + END
    for size in range(1, len(content)):
        ends = dump_offsets.Ends()
        for begin in range(0, len(content), size):
            ends.look(content[begin : begin + size])
        assert ends.places == [30, 43]
    monkeypatch.setattr(dump_offsets, "_MOST", 1)
    ends = dump_offsets.Ends()
    ends.look(content)
    assert ends.places == [30]
