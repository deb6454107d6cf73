# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signals that ask us to end: KeyboardInterrupt in the main thread, but never in the middle of a fork or a cleaning up.

An exception in a fork would leave locks of the interpreter taken, and the next thread that forks would wait for ever.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import Iterator

_deferring = False
_waiting = False


def install() -> None:
    """Take SIGTERM and SIGINT, but not a SIGINT that is ignored, as in the background of a shell."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """An interrupt that comes within the block is raised when the outermost ends.

    Handlers run in the main thread only.
    """
    global _deferring, _waiting
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, _deferring = _deferring, True
    try:
        yield
    finally:
        _deferring = before
        if _waiting and not before:
            _waiting = False
            raise KeyboardInterrupt


def _interrupt(*_signal: object) -> None:
    global _waiting
    if not _deferring:
        raise KeyboardInterrupt
    _waiting = True
