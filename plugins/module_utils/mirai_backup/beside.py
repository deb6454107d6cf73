# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An examiner in a process of its own: this engine's code, run by the interpreter that runs us.

It is fed through a pipe and ends when that does, or with us.
"""

from __future__ import annotations

import marshal
import os
import sys

from . import process

_START = "import sys; sys.path.insert(0, sys.argv[1]); from mirai_backup import examine; examine.main()"


class Beside:
    """An ``Examiner`` in a process of its own; it writes to the open file ``out``, whose place moves with it."""

    def __init__(self, out: int) -> None:
        package = os.path.dirname(os.path.abspath(__file__))
        self._torn = os.memfd_create("torn")
        argv = (sys.executable, "-I", "-S", "-c", _START, os.path.dirname(package), str(self._torn))
        self._fed = process.Fed(process.Command(argv, descriptors=(self._torn,)), out)

    def take(self, rows: list, block: bytes) -> None:
        """Have it examine what ``rows`` say of ``block``. Raises ProcessError when it is gone."""
        self._fed.write(marshal.dumps((len(block), rows)))
        self._fed.write(block)

    def finish(self) -> dict:
        """Wait until all is written; returns what ``Examiner.torn`` is then. Raises ProcessError."""
        self._fed.finish()
        return marshal.loads(os.pread(self._torn, os.fstat(self._torn).st_size, 0))

    def end(self) -> None:
        """End it if it still runs, and give back what it held."""
        self._fed.end()
        os.close(self._torn)
