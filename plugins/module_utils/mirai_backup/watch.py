# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Those who watch a run: the log file always, a person at a terminal when there is one."""

from __future__ import annotations

import os
import sys
import time
from typing import Callable, Optional, TextIO

from . import text


class Log:
    """Appends timed lines to the log file at ``path``; where that fails, says so once on ``fallback``."""

    def __init__(self, path: str, fallback: Optional[TextIO] = None) -> None:
        self._path = path
        self._fallback = fallback or sys.stderr
        self._failed = False

    def __call__(self, level: str, message: str) -> None:
        """Write one message; a line break inside it is indented."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        body = message.replace("\n", "\n    ")
        line = f"{stamp} [{os.getpid()}] {level} {body}\n".encode("utf-8", "backslashreplace")
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o640)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            if not self._failed and self._fallback is not None:
                self._fallback.write(f"log {self._path} cannot be written: {error.strerror}\n")
            self._failed = True


class Progress:
    """One line on a terminal: how far, how fast, how long still. ``expected`` maps streams to likely bytes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._expected = 0
        self._done = 0
        self._begun = self._shown = time.monotonic()

    def expect(self, total: int) -> None:
        """Begin anew towards about ``total`` bytes (0: unknown)."""
        self._expected, self._done = total, 0
        self._begun = self._shown = time.monotonic()

    def advance(self, count: int) -> None:
        """``count`` more bytes are done."""
        self._done += count
        now = time.monotonic()
        if now - self._shown >= 0.2:
            self._shown = now
            self._stream.write(f"\r\033[K{self.line(now)}")
            self._stream.flush()

    def line(self, now: float) -> str:
        """The line as of the monotonic time ``now``."""
        rate = self._done / max(now - self._begun, 0.001)
        line = f"{text.size(self._done)}  {text.size(rate)}/s"
        if self._expected > self._done and rate:
            line += f"  ETA {text.duration((self._expected - self._done) / rate)}"
        return line

    def clear(self) -> None:
        """Take the line away."""
        self._stream.write("\r\033[K")
        self._stream.flush()


class Observer:
    """What a run talks to: ``say`` keeps a message, ``expect`` and ``advance`` move the progress line."""

    def __init__(self, log: Optional[Callable[[str, str], None]] = None, progress: Optional[Progress] = None) -> None:
        self._log = log
        self._progress = progress

    def say(self, message: str, level: str = "INFO") -> None:
        """Keep ``message``."""
        if self._log is not None:
            self._log(level, message)

    def expect(self, total: int) -> None:
        """About ``total`` bytes are to come."""
        if self._progress is not None:
            self._progress.expect(total)

    def advance(self, count: int) -> None:
        """``count`` more bytes are written."""
        if self._progress is not None:
            self._progress.advance(count)

    def done(self) -> None:
        """Nothing more is to come."""
        if self._progress is not None:
            self._progress.clear()
