"""Runs a command and watches the resident memory of its processes, and of the programs it starts apart.

Memory is the kernel's own high-water mark (VmHWM), read again and again while the process lives, so that only a
peak of the very last moment could be missed. Of a second process of our own it is what that has for itself (RssAnon):
the interpreter's code and the blocks that both see count once.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_INTERVAL = 0.02
_MIB = 1024


@dataclass(frozen=True)
class Peak:
    """What one run took: its own processes together, and each program that it started (the largest of a name).

    Peaks in MiB; those of several processes are added, whether they were at one time or not.
    """

    seconds: float
    own: float
    children: dict


class CommandFailed(RuntimeError):
    """A measured command ended with a bad status; its figures would mean nothing."""


def watch(argv: list, environment: dict) -> Peak:
    """Run ``argv``, which must succeed, and return its Peak."""
    begun = time.monotonic()
    process = subprocess.Popen(
        argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    )
    own, children = {}, {}
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, own, children, ended))
    watcher.start()
    _nothing, said = process.communicate()
    ended.set()
    watcher.join()
    if process.returncode:
        raise CommandFailed(f"{argv} ended with status {process.returncode}: {said.strip()}")
    return Peak(time.monotonic() - begun, sum(own.values()), children)


def merged(peaks: list[Peak]) -> Peak:
    """Several runs as one: the median of the seconds, the largest of each memory figure."""
    names = {name for one in peaks for name in one.children}
    children = {name: max(one.children.get(name, 0.0) for one in peaks) for name in sorted(names)}
    return Peak(statistics.median(one.seconds for one in peaks), max(one.own for one in peaks), children)


def _watch(pid: int, own: dict, children: dict, ended: threading.Event) -> None:
    while not ended.wait(_INTERVAL):
        own[pid] = max(own.get(pid, 0.0), _high_water(pid))
        program, command = _program(pid), _command(pid)
        for child in _descendants(pid):
            # Between fork and exec a child is still a copy of its parent.
            if not program or _command(child) in ("", command):
                continue
            if _program(child) == program:
                own[child] = max(own.get(child, 0.0), _figure(child, "RssAnon"))
            else:
                name = _name(child)
                children[name] = max(children.get(name, 0.0), _high_water(child))


def _high_water(pid: int) -> float:
    return _figure(pid, "VmHWM")


def _figure(pid: int, name: str) -> float:
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / _MIB
    return 0.0


def _descendants(pid: int) -> list[int]:
    found: list = []
    for task in _listing(f"/proc/{pid}/task"):
        for child in _read(f"/proc/{pid}/task/{task}/children").split():
            found += [int(child), *_descendants(int(child))]
    return found


def _name(pid: int) -> str:
    return _read(f"/proc/{pid}/comm").strip()


def _program(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def _command(pid: int) -> str:
    return _read(f"/proc/{pid}/cmdline")


def _listing(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _read(path: str) -> str:
    """The file of a process that may be gone by now."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
