# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Digests the files of an archive and tells torn JSON from whole, beside the one that reads and packs them.

Both are given the same blocks, so that each file is read once. ``beside`` runs ``main`` in a process of its own.
"""

from __future__ import annotations

import hashlib
import marshal
import mmap
import os
import sys
from typing import BinaryIO, Optional, Union

from . import jsoncheck, memory
from .checked import Checked

SLOT, SLOTS = 4 << 20, 6  # bytes of a block at most, and how many may wait; only what is filled takes memory

COUNT = 4  # bytes of the number that says how long the word that follows is: of which block, and its rows

_UNSEEN = "its content changed, its size and time did not"

# A row says what there is to a block's bytes from ``start`` to ``end``: (before, after, start, end, is_json, more).
# ``before`` and ``after`` are the entry's line, between them goes its digest; ``after`` is None where it is whole.
# ``more``: the file goes on in the next row, and the line comes with its last.


def whole_line(line: bytes) -> tuple:
    """The row of an entry without content."""
    return (line, None, 0, 0, False, False)


class Examiner:
    """Writes a line to ``out`` for every row; ``torn`` maps the number of a line to what is wrong with its JSON.

    ``checked`` is the path of a manifest as of ``Checked``. A large file is taken for the one in it by all but its
    digest; where that differs in the end, it is named as torn, to be read again.
    """

    def __init__(self, out: BinaryIO, checked: str = "") -> None:
        self._out = out
        self._checked = Checked(checked, jsoncheck.WHOLE_LIMIT)
        self._number = 0
        self._digest = hashlib.sha256()
        self._scanner: Optional[jsoncheck.Scanner] = None
        self._within = False
        self.torn: dict[int, str] = {}

    def take(self, rows: list, block: Union[bytes, memoryview]) -> None:
        """Examine what ``rows`` say of ``block``."""
        lines = []
        for before, after, start, end, is_json, more in rows:
            if after is None:
                lines.append(before)
            elif more or self._within:
                self._part(before, block[start:end], is_json)
                self._within = more
                if more:
                    continue
                lines.append(self._finished(before, after, is_json))
            else:
                content = block[start:end]
                line = before + hashlib.sha256(content).hexdigest().encode("ascii") + after
                if is_json and line not in self._checked:
                    self._note(jsoncheck.complaint(content))
                lines.append(line)
            self._number += 1
        lines.append(b"")
        self._out.write(b"\n".join(lines))

    def _part(self, before: bytes, content: Union[bytes, memoryview], is_json: bool) -> None:
        if not self._within:
            self._digest = hashlib.sha256()
            self._scanner = jsoncheck.Scanner() if is_json and before not in self._checked else None
        self._digest.update(content)
        if self._scanner is not None:
            self._scanner.feed(bytes(content))

    def _finished(self, before: bytes, after: bytes, is_json: bool) -> bytes:
        line = before + self._digest.hexdigest().encode("ascii") + after
        if self._scanner is not None:
            self._note(self._scanner.finish())
        elif is_json and line not in self._checked:
            self._note(_UNSEEN)
        return line

    def _note(self, complaint: str) -> None:
        if complaint:
            self.torn[self._number] = complaint


def main() -> None:
    """Be that process: examine what comes until the pipe ends."""
    memory.keep()
    shared, freed, torn = map(int, sys.argv[3:])
    commands, out = sys.stdin.buffer, sys.stdout.buffer
    blocks = memoryview(mmap.mmap(shared, SLOTS * SLOT, prot=mmap.PROT_READ))
    examiner = Examiner(out, sys.argv[2])
    while True:
        word = commands.read(int.from_bytes(commands.read(COUNT), "big"))
        if not word:
            break
        start, end, rows = marshal.loads(word)  # from a file it would be read number by number
        try:
            examiner.take(rows, blocks[start:end])
            out.flush()
        except OSError as error:
            raise SystemExit(f"the list of files cannot be written: {error.strerror}") from error
        os.write(freed, b".")
    with open(torn, "wb") as file:
        file.write(marshal.dumps(examiner.torn))
