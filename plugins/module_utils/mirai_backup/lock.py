# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One writer at a time: an flock on the repository's ``.lock``, which is never removed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from typing import Iterator

from . import safefile
from .errors import LockedError


@contextlib.contextmanager
def hold(repository: str, verb: str, wait: float = 0) -> Iterator[None]:
    """Hold the lock of ``repository`` while the block runs, waiting at most ``wait`` seconds for it.

    The kernel frees it when the process ends, however it ends. Raises LockedError naming the holder.
    """
    path = os.path.join(repository, ".lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        safefile.adopt(path)
        with safefile.named(path):
            _take(descriptor, path, time.monotonic() + wait)
            os.ftruncate(descriptor, 0)
            holder = {"pid": os.getpid(), "verb": verb, "since": time.strftime("%Y-%m-%d %H:%M:%S %z")}
            os.pwrite(descriptor, json.dumps(holder).encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: str, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise LockedError(f"{path} is held by {_holder(descriptor)}", "wait until it ends") from error
        time.sleep(0.1)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"another run: {holder['verb']}, process {holder['pid']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "another run"
