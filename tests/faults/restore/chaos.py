"""Runs the command in this process and strikes at the n-th thing it does to the world outside.

Environment: CHAOS_AT (0 only counts), CHAOS_MODE, CHAOS_PLACE (what the mode strikes), CHAOS_COUNT (a file that gets
the number of things done). Things are: names changed or forced to disk, processes about to start, just started, ended.
Modes: ``engine`` dies; ``server`` stops at once, as in a crash; ``machine`` both; ``full`` the file system of PLACE
gets full; ``term`` the engine is asked to end.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

from mirai_backup import cli, safefile

_AT = int(os.environ["CHAOS_AT"])
_MODE = os.environ["CHAOS_MODE"]
_PLACE = os.environ.get("CHAOS_PLACE", "")
_done = 0
_guard = threading.RLock()


def _strike() -> None:
    if _MODE in ("server", "machine"):
        _crash_server(_PLACE)
    if _MODE in ("engine", "machine"):
        os.kill(os.getpid(), signal.SIGKILL)
    if _MODE == "term":
        os.kill(os.getpid(), signal.SIGTERM)
    if _MODE == "full":
        _fill(_PLACE)


def _crash_server(data: str) -> None:
    with open(os.path.join(data, "postmaster.pid")) as file:
        pid = int(file.readline())
    os.kill(pid, signal.SIGQUIT)
    while os.path.exists(os.path.join(data, "postmaster.pid")):
        time.sleep(0.01)


def _fill(place: str) -> None:
    with open(os.path.join(place, "filler"), "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)


def _thing() -> None:
    global _done
    with _guard:
        _done += 1
        if _done == _AT:
            _strike()


def _watched(function, before: bool = True):
    def call(*arguments, **options):
        if before:
            _thing()
        result = function(*arguments, **options)
        if not before:
            _thing()
        return result

    return call


def _write_count() -> None:
    with open(os.environ["CHAOS_COUNT"], "w") as file:
        file.write(str(_done))


for name in ("rename", "unlink", "mkdir", "rmdir", "fsync"):
    setattr(os, name, _watched(getattr(os, name)))
safefile.exchange = _watched(safefile.exchange)
subprocess.Popen.__init__ = _watched(_watched(subprocess.Popen.__init__), before=False)
subprocess.Popen.wait = _watched(subprocess.Popen.wait, before=False)
atexit.register(_write_count)
sys.exit(cli.main(sys.argv[1:]))
