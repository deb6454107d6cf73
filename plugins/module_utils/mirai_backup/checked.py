# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remembers what an earlier backup found whole: a JSON file that is the same to the last byte is not parsed again."""

from __future__ import annotations

import contextlib
import re
from array import array
from functools import cached_property
from typing import BinaryIO

# An entry's line up to its digest, and the rest. No path holds a quote: within one they are escaped.
_LINE = re.compile(rb'(\{"path":"[^"]*\.json","type":"file","size":(\d+),.*"sha256":")[0-9a-f]{64}".*\}')


class Checked:
    """The entries of JSON files in the manifest at ``path``, all of them whole; none where it is empty.

    A line of a manifest is in it, and of a file larger than ``limit`` bytes also the line's start up to the digest,
    which is not known before all of the file was read. They are known by 64-bit hashes: two are the same by accident
    once in 2^64. The manifest is read when somebody asks first; what cannot be read is not in it.
    """

    def __init__(self, path: str, limit: int) -> None:
        self._path = path
        self._limit = limit

    def __contains__(self, line: bytes) -> bool:
        return hash(line) in self._hashes

    @cached_property
    def _hashes(self) -> "_Hashes":
        if self._path:
            with contextlib.suppress(OSError), open(self._path, "rb") as file:
                return self._read(file)
        return _Hashes(0)

    def _read(self, file: BinaryIO) -> "_Hashes":
        found = _Hashes(2 * sum(1 for _line in file))
        file.seek(0)
        for match in filter(None, map(_LINE.match, file)):
            found.add(hash(match[0]))
            if int(match[2]) > self._limit:
                found.add(hash(match[1]))
        return found


class _Hashes:
    """At most ``count`` 64-bit numbers, in 16 to 32 bytes each, where a set would take a hundred."""

    def __init__(self, count: int) -> None:
        self._last = (1 << count.bit_length()) - 1
        self._places = array("q", [0]) * (self._last + 1)  # more than there are numbers

    def add(self, number: int) -> None:
        """Take it in."""
        self._places[self._place(number)] = number

    def __contains__(self, number: int) -> bool:
        return self._places[self._place(number)] == number != 0

    def _place(self, number: int) -> int:
        """Where it is, or would be."""
        place = number & self._last
        while self._places[place] not in (0, number):
            place = place + 1 & self._last
        return place
