"""SIGKILL and SIGTERM at any instant of a backup: at system calls, and at random times."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from random import Random

import aftermath
import traces
from family import family
from findings import Finding, Unreached, need
from world import Result, World

# What changes something, and what the engine waits for.
CALLS = (
    "openat", "write", "pwrite64", "fsync", "rename", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "close",
    "ftruncate", "flock", "fchown", "lchown", "fchownat", "chmod", "fchmod", "clone", "clone3", "vfork", "execve",
    "wait4", "pipe2", "memfd_create",
    "fcntl", "newfstatat", "getdents64", "lseek", "pread64", "read", "readv", "futex", "munmap", "sendto", "recvfrom",
    "poll",
)  # fmt: skip
HEAVY = ("write", "fsync", "rename", "unlink", "unlinkat", "rmdir", "mkdir", "close", "openat", "fchownat", "ftruncate")
_learnt: dict = {}


def learnt(
    world: World, key: str, arguments: tuple[str, ...], prepare=lambda _world: None, children: bool = True
) -> traces.Calls:
    """What an undisturbed run does, with its ``children`` or alone, found out once a worker."""
    if key not in _learnt:
        world.fresh()
        prepare(world)
        known = traces.learn(world, arguments, CALLS, children)
        world.fresh()
        prepare(world)
        begun = time.monotonic()
        world.succeed(*arguments)
        _learnt[key] = traces.Calls(known.early, known.most, time.monotonic() - begun)
    return _learnt[key]


@contextlib.contextmanager
def table_locked(world: World):
    """Make a backup wait where it locks its tables, just before its streams begin."""
    argv = [f"{world.server.bindir}/psql", "-Xq", *world.connection, "-d", world.name]
    blocker = subprocess.Popen(argv, stdin=subprocess.PIPE, text=True)
    blocker.stdin.write("BEGIN; LOCK TABLE marker IN ACCESS EXCLUSIVE MODE;\n")
    blocker.stdin.flush()
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mirai-backup' AND wait_event_type = 'Lock'"
    )

    def blocked(process: subprocess.Popen) -> None:
        deadline = time.monotonic() + 20
        while world.server.psql(waiting) == "0":
            need(process.poll() is None, Finding, "the run ended before it waited")
            need(time.monotonic() < deadline, Finding, "the run never came to wait for a lock")
            time.sleep(0.02)

    held = (
        "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'marker'::regclass"
    )
    while world.server.psql(held, world.name) == "0":
        time.sleep(0.01)
    try:
        yield blocked
    finally:
        blocker.communicate("ROLLBACK;\n", timeout=20)


def _kind(random: Random) -> tuple[str, ...]:
    return random.choice(((), (), (), ("--db-only",), ("--json-only",)))


@family("kill.backup.calls", 150, 3, "SIGKILL at a system call of a backup")
def kill_at_call(world: World, random: Random, number: int) -> tuple[str, str]:
    names = HEAVY if random.random() < 0.7 else CALLS
    kind = _kind(random)
    before, result, line, fault = struck(world, random, kind, names, "signal=KILL")
    outcome = aftermath.disturbed(before, result, died=result.code < 0)
    aftermath.recovers(before)
    return f"killed at {fault}: whole or nothing, next run heals", f"{outcome}: {line[:90]}"


def struck(
    world: World, random: Random, kind: tuple, names: tuple, fault: str, children: bool = True
) -> tuple[aftermath.Before, Result, str, str]:
    """A backup of ``kind`` with ``fault`` at one of the calls ``names``: how it was before, what the run left, the
    line of the trace, and the fault in words."""

    def prepare() -> aftermath.Before:
        world.fresh()
        return aftermath.Before(world, world.advance())

    arguments = ("backup", *kind)
    known = learnt(world, f"backup{kind}", arguments)
    hold = table_locked if kind != ("--json-only",) and random.random() < 0.5 else None
    return strike(world, random, arguments, known, prepare, hold, names, fault, children)


def strike(world, random, arguments, known, prepare, hold, names, fault, children=True) -> tuple:
    """Run ``arguments`` with ``fault`` at a call; ``prepare`` makes the world ready for each try. With ``hold`` the
    counting begins where it makes the run wait. What is not reached is tried again earlier."""
    call, nth = known.draw(random, names)
    if hold is not None:
        nth = random.choice((1, 1, 1, 2, 2, 3, 4, 6, 9))
    while True:
        before = prepare()
        try:
            if hold is not None:
                found = traces.inject_from(world, arguments, hold, call, nth, fault, children)
            else:
                found = traces.inject(world, arguments, call, nth, fault, children)
            return (before, *found, f"{call} #{nth}" + (" after its lock" if hold is not None else ""))
        except Unreached:
            if nth == 1:
                raise
            nth = nth // 2


@family("kill.backup.random", 150, 2, "SIGKILL at a random time of a backup")
def kill_at_random(world: World, random: Random, number: int) -> tuple[str, str]:
    kind = _kind(random)
    seconds = learnt(world, f"backup{kind}", ("backup", *kind)).seconds
    return _at_random(world, random, kind, seconds, signal.SIGKILL)


@family("kill.backup.term", 100, 2, "SIGTERM at a random time of a backup")
def term_at_random(world: World, random: Random, number: int) -> tuple[str, str]:
    kind = _kind(random)
    seconds = learnt(world, f"backup{kind}", ("backup", *kind)).seconds
    return _at_random(world, random, kind, seconds, random.choice((signal.SIGTERM, signal.SIGTERM, signal.SIGINT)))


def _at_random(world: World, random: Random, kind: tuple, seconds: float, which: int) -> tuple[str, str]:
    world.fresh()
    before = aftermath.Before(world, world.advance())
    begun = time.monotonic()
    process = world.start("backup", *kind)
    delay = random.uniform(0.0, seconds * 1.2)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    if process.poll() is not None:
        world.finish(process, begun)
        raise Unreached("the run had ended before the signal")
    process.send_signal(which)
    result = world.finish(process, begun)
    died = result.code < 0  # SIGTERM ends an interpreter that has not come to its handler yet
    outcome = aftermath.disturbed(before, result, died=died)
    if which != signal.SIGKILL:
        allowed = (130, 0, -which)
        need(
            result.code in allowed, Finding, f"{signal.Signals(which).name} ends in {result.code}: {result.err[-300:]}"
        )
        need(not (result.code < 0 and (world.repository / ".staging").glob("*") and _staged(world)), Finding,
             f"{signal.Signals(which).name} ended the run without its cleaning up")  # fmt: skip
    aftermath.recovers(before)
    return f"{signal.Signals(which).name} after {delay:.3f} s: whole or nothing, next run heals", outcome


def _staged(world: World) -> bool:
    return any((world.repository / ".staging").iterdir())
