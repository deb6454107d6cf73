# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Notes in a dump of pg_dump's custom format where the rows of each table begin.

pg_dump notes it only where it can seek. In a dump that came through a pipe each of pg_restore's jobs looks for its
table from the start of the file, and does not know which table is the largest, to begin with it.

Source: pg_backup_archiver.c and pg_backup_custom.c of PostgreSQL 13 to 18, archive versions 1.14 to 1.16. What is not
as described there is left as it is; pg_restore holds what it finds at an offset to the table's number.
"""

from __future__ import annotations

import os
from typing import BinaryIO, Iterator, Optional

MAGIC = b"PGDMP"
# The last piece of a table's rows, and the length 0 that ends them. Rows hold neither NUL nor two line feeds in a row.
_END = b"\\.\n\n\n" + bytes(5)
_VERSIONS = ((1, 14), (1, 15), (1, 16))
_INT_SIZE, _OFFSET_SIZE, _CUSTOM = 4, 8, 1
_NOT_SET, _SET = 1, 2
_ROWS, _LARGE_OBJECTS = 1, 3
_LONGEST = 1 << 28  # of the definition of anything
_MOST = 100_000  # ends; a large object may hold as many as it likes, after all tables


class Ends:
    """Where tables' rows end in a dump that goes by in blocks; ``places`` are offsets of what comes after them."""

    def __init__(self) -> None:
        self.places: list = []
        self._begins = 0  # of the next block
        self._tail = b""

    def look(self, block: bytes) -> None:
        """Look through the next ``block``."""
        across = self._tail + block[: len(_END) - 1]
        self._note(across, self._begins - len(self._tail))
        self._note(block, self._begins)
        self._begins += len(block)
        self._tail = (across if len(block) < len(_END) else block)[1 - len(_END) :]

    def _note(self, content: bytes, begins: int) -> None:
        found = content.find(_END)
        while found >= 0 and len(self.places) < _MOST:
            after = begins + found + len(_END)
            if not self.places or after > self.places[-1]:
                self.places.append(after)
            found = content.find(_END, found + 1)


def note(path: str, ends: list) -> int:
    """Note in the dump ``path``, whose tables' rows end at ``ends``, where they begin; returns of how many tables."""
    with open(path, "r+b") as dump:
        try:
            missing = dict(_missing(dump))
            begins = dict(_begins(dump, ends))
        except _Unfamiliar:
            return 0
        known = missing.keys() & begins.keys()
        for number in known:
            dump.seek(missing[number])
            dump.write(bytes((_SET,)) + begins[number].to_bytes(_OFFSET_SIZE, "little"))
    return len(known)


class _Unfamiliar(Exception):
    """The dump is not as described."""


def _missing(dump: BinaryIO) -> Iterator[tuple[int, int]]:
    """The numbers of tables whose offset is not set, and where it would be; leaves ``dump`` after its contents."""
    head = _exactly(dump, 11)
    version = (head[5], head[6])
    if head[:5] != MAGIC or version not in _VERSIONS or tuple(head[8:]) != (_INT_SIZE, _OFFSET_SIZE, _CUSTOM):
        raise _Unfamiliar
    if any(_exactly(dump, 1 if version >= (1, 15) else 1 + _INT_SIZE)):  # how it is compressed
        raise _Unfamiliar
    for _part in range(7):  # of the time at which it was made
        _integer(dump)
    for _text in range(3):  # the database, the server's version, pg_dump's
        _text_of(dump)
    for _entry in range(_integer(dump)):
        number = _integer(dump)
        _integer(dump)  # whether it has data
        for _text in range(4):  # two object identifiers, the name, the kind
            _text_of(dump)
        _integer(dump)  # the section
        for _text in range(6):  # how to make, drop and copy it, schema, tablespace, access method
            _text_of(dump)
        if version >= (1, 16):
            _integer(dump)  # the kind of relation
        for _text in range(2):  # owner, whether it has OIDs
            _text_of(dump)
        while _text_of(dump) is not None:  # what it depends on
            pass
        place = dump.tell()
        if _exactly(dump, 1 + _OFFSET_SIZE)[0] == _NOT_SET:
            yield number, place


def _begins(dump: BinaryIO, ends: list) -> Iterator[tuple[int, int]]:
    """The numbers of tables, and of what else has data, and where it begins."""
    begins, size, left = dump.tell(), os.fstat(dump.fileno()).st_size, iter(ends)
    while begins < size:
        dump.seek(begins)
        kind, number = _exactly(dump, 1)[0], _integer(dump)
        yield number, begins
        if kind == _ROWS:  # an end before it was within a function, say, or a large object
            begins = next((end for end in left if end > begins), size)
        elif kind == _LARGE_OBJECTS:
            _pass_large_objects(dump)
            begins = dump.tell()
        else:
            raise _Unfamiliar


def _pass_large_objects(dump: BinaryIO) -> None:
    while _integer(dump):  # its number
        while length := _integer(dump):
            if length < 0:  # it would lead back
                raise _Unfamiliar
            dump.seek(length, os.SEEK_CUR)


def _exactly(dump: BinaryIO, count: int) -> bytes:
    content = dump.read(count)
    if len(content) != count:
        raise _Unfamiliar
    return content


def _integer(dump: BinaryIO) -> int:
    """A sign, which is 0 or 1, then the amount."""
    content = _exactly(dump, 1 + _INT_SIZE)
    if content[0] > 1:
        raise _Unfamiliar
    value = int.from_bytes(content[1:], "little")
    return -value if content[0] else value


def _text_of(dump: BinaryIO) -> Optional[bytes]:
    length = _integer(dump)
    if length > _LONGEST:
        raise _Unfamiliar
    return None if length < 0 else _exactly(dump, length)
