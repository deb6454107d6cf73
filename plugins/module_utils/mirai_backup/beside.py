# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An examiner in a process of its own: this engine's code, run by the interpreter that runs us.

Blocks lie in memory that both share, in a few slots that are filled in turn; a pipe says what is where, another which
slots are free again. The process ends when the first pipe does, or with us.
"""

from __future__ import annotations

import marshal
import mmap
import os
import sys

from . import process
from .command import Command
from .examine import COUNT, SLOT, SLOTS

_START = "import sys; sys.path.insert(0, sys.argv[1]); from mirai_backup import examine; examine.main()"


class Beside:
    """An ``Examiner`` in a process of its own; it writes to the open file ``out``, whose place moves with it."""

    def __init__(self, out: int, checked: str = "") -> None:
        package = os.path.dirname(os.path.abspath(__file__))
        self._torn = os.memfd_create("torn")
        shared = os.memfd_create("blocks")
        os.ftruncate(shared, SLOTS * SLOT)
        self._shared = mmap.mmap(shared, SLOTS * SLOT)
        self._freed, freed = os.pipe()
        self._free, self._next = SLOTS, 0
        passed = (shared, freed, self._torn)
        argv = (sys.executable, "-I", "-S", "-c", _START, os.path.dirname(package), checked, *map(str, passed))
        try:
            self._fed = process.Fed(Command(argv, descriptors=passed), out)
        except BaseException:
            self._release()
            raise
        finally:
            os.close(shared)
            os.close(freed)

    def place(self) -> memoryview:
        """Where the next block goes, SLOT bytes, once one is free. Raises ProcessError when the process is gone."""
        if not self._free:
            self._free = len(os.read(self._freed, SLOTS))
            if not self._free:
                self._fed.finish()
        start = self._next * SLOT
        return memoryview(self._shared)[start : start + SLOT]

    def take(self, rows: list, block: memoryview) -> None:
        """Have it examine what ``rows`` say of ``block``, the beginning of the ``place`` given last."""
        start = self._next * SLOT
        word = marshal.dumps((start, start + len(block), rows))
        self._fed.write(len(word).to_bytes(COUNT, "big") + word)
        self._free -= 1
        self._next = (self._next + 1) % SLOTS

    def finish(self) -> dict:
        """Wait until all is written; returns what ``Examiner.torn`` is then. Raises ProcessError."""
        self._fed.finish()
        return marshal.loads(os.pread(self._torn, os.fstat(self._torn).st_size, 0))

    def end(self) -> None:
        """End it if it still runs, and give back what it held."""
        self._fed.end()
        self._release()

    def _release(self) -> None:
        os.close(self._freed)
        os.close(self._torn)
