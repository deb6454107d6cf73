"""Faults at system calls, by strace: learns how often a run makes each call, then breaks the Nth.

strace counts the calls of every thread and every child on its own; the fault takes place in whichever comes first.
"""

from __future__ import annotations

import collections
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from findings import Unreached
from world import Result, World

_CALL = re.compile(r"^(\d+) +([a-z0-9_]+)\(")
_MARK = ".lock"
_OWN = ((), ("--detach-on=execve",))


@dataclass(frozen=True)
class Calls:
    """How often a run makes each call: ``early`` before its work begins, ``most`` in the busiest thread or child."""

    early: dict
    most: dict
    seconds: float

    def draw(self, random: object, names: tuple[str, ...]) -> tuple[str, int]:
        """One of the calls ``names`` that the run makes while it works, and which of them."""
        usable = [name for name in names if self.most.get(name, 0) > self.early.get(name, 0)]
        if not usable:
            raise Unreached(f"the run makes none of {names}")
        name = random.choice(usable)
        first, last = self.early.get(name, 0) + 1, self.most[name]
        # Half of the draws among the first few: there the calls that matter lie, later the copying of blocks.
        return name, random.randint(first, last if random.random() < 0.5 else min(last, first + 12))


def learn(world: World, arguments: tuple[str, ...], names: tuple[str, ...], children: bool = True) -> Calls:
    """Run the command undisturbed and count; without ``children`` its own calls alone."""
    log = world.scratch / "trace"
    begun = time.monotonic()
    world.succeed(*arguments, prefix=(*_strace(log, names), *_OWN[not children]))
    seconds = time.monotonic() - begun
    counts: dict = collections.defaultdict(collections.Counter)
    early: Optional[dict] = None
    main = ""
    for line in log.read_text(errors="replace").splitlines():
        found = _CALL.match(line)
        if not found:
            continue
        main = main or found.group(1)
        if early is None and found.group(1) == main and _MARK in line:
            early = dict(counts[main])
        counts[found.group(1)][found.group(2)] += 1
    most: collections.Counter = collections.Counter()
    for counter in counts.values():
        most |= counter
    return Calls(early or {}, dict(most), seconds)


def inject(
    world: World, arguments: tuple[str, ...], call: str, number: int, fault: str, children: bool = True
) -> tuple[Result, str]:
    """Run the command with ``fault`` (as strace writes it) in the ``number``th ``call``; returns also the trace.

    Without ``children`` the programs that the command starts are left alone.
    """
    world.unwatch()
    log = world.scratch / "trace"
    prefix = (*_strace(log, (call,)), *_OWN[not children], "-e", f"inject={call}:{fault}:when={number}")
    result = world.run(*arguments, prefix=prefix)
    return result, _reached(log, result)


def inject_from(
    world: World, arguments: tuple[str, ...], hold: Callable, call: str, number: int, fault: str, children: bool = True
) -> tuple[Result, str]:
    """As ``inject``, but counting begins where the run waits for ``hold``, a context that makes it wait."""
    world.unwatch()
    log = world.scratch / "trace"
    log.unlink(missing_ok=True)
    with hold(world) as blocked:
        begun = time.monotonic()
        process = world.start(*arguments)
        blocked(process)
        argv = [
            "strace",
            "-f",
            *_OWN[not children],
            "-o",
            log,
            "-e",
            f"trace={call}",
            "-e",
            f"inject={call}:{fault}:when={number}",
        ]
        tracer = subprocess.Popen([*argv, "-p", str(process.pid)], stderr=subprocess.PIPE)
        first = tracer.stderr.readline()
        if b"attached" not in first:
            raise RuntimeError(f"strace cannot attach: {first!r}")
    try:
        result = world.finish(process, begun)
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=30)
    return result, _reached(log, result)


def _reached(log: Path, result: Result) -> str:
    """The line of the trace in which the fault took place."""
    text = log.read_text(errors="replace") if log.exists() else ""
    for line in text.splitlines():
        if "INJECTED" in line or "killed by SIGKILL" in line or "--- SIGTERM" in line:
            return line[:200]
    if result.code < 0:
        return f"ended by signal {-result.code}"
    raise Unreached("the call was never made that often")


def _strace(log: Path, names: tuple[str, ...]) -> tuple:
    # Not --seccomp-bpf: with it strace 6.1 injects errors but no signals.
    return ("strace", "-f", "-o", log, "-e", f"trace={','.join(names)}")
