# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remembers what an earlier backup found whole: a JSON file that is the same to the last byte is not parsed again."""

from __future__ import annotations

import contextlib
import re
from functools import cached_property

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
    def _hashes(self) -> set[int]:
        found: set[int] = set()
        with contextlib.suppress(OSError):
            if self._path:
                with open(self._path, "rb") as file:
                    for line in file:
                        match = _LINE.match(line)
                        if match is not None:
                            found.add(hash(match[0]))
                            if int(match[2]) > self._limit:
                                found.add(hash(match[1]))
        return found
