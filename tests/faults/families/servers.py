"""PostgreSQL servers that are killed, restarted, block, answer slowly, cut the line, or give up on a standby."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from random import Random
from typing import Iterator

import aftermath
from family import family
from findings import Finding, Recovery, SilentLoss, Unreached, need
from proxy import Proxy
from server import Server
from world import Result, World

from families.kills import learnt, table_locked

_KIND = ((), (), ("--db-only",))


def _running(world: World, random: Random, kind: tuple) -> tuple:
    """A backup that has run for a random time, or that waits for its first table."""
    seconds = learnt(world, f"backup{kind}", ("backup", *kind)).seconds
    world.fresh()
    before = aftermath.Before(world, world.advance())
    begun = time.monotonic()
    process = world.start("backup", *kind)
    delay = random.uniform(seconds * 0.1, seconds * 0.7)  # the first run, from which it was learnt, may have been slow
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    if process.poll() is not None:
        world.finish(process, begun)
        raise Unreached("the run had ended before")
    return before, process, begun, delay


def _ended(before: aftermath.Before, result: Result) -> str:
    """A run whose server went away: good if it came to its end before, else a failure that names the server."""
    if result.code == 0:
        aftermath.disturbed(before, result)
        raise Unreached("the run came to its end")
    need(result.code in (1, 3), Finding, f"exit {result.code}: {result.err[-400:]}")
    if result.code == 1:
        said = result.err
        named = any(word in said for word in ("database ", "pg_dump", "psql", "server"))
        need(named, Finding, f"neither server nor program is named: {said[-300:]}")
    return f"exit {result.code}"


def _restart(world: World) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            world.server.start()
            return
        except AssertionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


@family("server.killed", 40, 1, "the server dies during a backup")
def killed(world: World, random: Random, number: int) -> tuple[str, str]:
    kind = random.choice(_KIND)
    before, process, begun, delay = _running(world, random, kind)
    world.server.stop()
    try:
        result = world.finish(process, begun)
    finally:
        _restart(world)
    outcome = _ended(before, result)
    outcome = f"{outcome}, {aftermath.disturbed(before, result)}"
    aftermath.recovers(before)
    return f"the server dies after {delay:.2f} s: named, nothing sealed, next run works", outcome


@family("server.down", 10, 1, "the server is not there at all")
def down(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    before = aftermath.Before(world, world.advance())
    if number % 2:
        world.configure(url=world.url(port=1))
        result = world.run("backup")
    else:
        world.server.stop()
        try:
            result = world.run("backup")
        finally:
            _restart(world)
    need(result.code == 1, SilentLoss, f"exit {result.code} without a server")
    need("start the server" in result.err, Finding, f"no next step: {result.err[-300:]}")
    outcome = aftermath.disturbed(before, result)
    world.configure()
    aftermath.recovers(before)
    return "no server: exit 1, never a skip", outcome


@family("server.terminated", 50, 1, "an administrator ends the backup's sessions")
def terminated(world: World, random: Random, number: int) -> tuple[str, str]:
    kind = random.choice(_KIND)
    ending = (
        "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity"
        " WHERE application_name IN ('mirai-backup', 'pg_dump') ORDER BY random() LIMIT"
        f" {random.choice((1, 1, 9))}) s"
    )
    if number % 2:
        world.fresh()
        before = aftermath.Before(world, world.advance())
        begun = time.monotonic()
        with table_locked(world) as blocked:
            process = world.start("backup", *kind)
            blocked(process)
            ended = world.server.psql(ending)
        delay = 0.0
    else:
        world.fresh()
        before = aftermath.Before(world, world.advance())
        begun = time.monotonic()
        process = world.start("backup", *kind)
        while process.poll() is None and not world.sessions():
            time.sleep(0.005)
        delay = random.uniform(0, 0.15)
        time.sleep(delay)
        ended = world.server.psql(ending)
    result = world.finish(process, begun)
    if ended == "0":
        raise Unreached("there was no session to end")
    outcome = _ended(before, result)
    outcome = f"{outcome}, {aftermath.disturbed(before, result)}"
    aftermath.recovers(before)
    return f"{ended} sessions ended after {delay:.2f} s: named, nothing sealed, next run works", outcome


@family("server.blocked", 10, 1, "a table that stays locked")
def blocked_table(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh(lock_timeout=1)
    before = aftermath.Before(world, world.advance())
    with table_locked(world):
        result = world.run("backup")
    need(result.code == 1, SilentLoss, f"exit {result.code}")
    need(
        "public.marker" in result.err and "locked" in result.err,
        Finding,
        f"the table is not named: {result.err[-300:]}",
    )
    outcome = aftermath.disturbed(before, result)
    world.configure()
    aftermath.recovers(before)
    return "a table stays locked: named after the timeout", outcome


@family("server.slow", 20, 1, "a slow line to the server")
def slow(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    delay = random.choice((0.01, 0.03, 0.06))
    before = aftermath.Before(world, world.advance())
    with Proxy(world.server.port, delay=delay) as proxy:
        world.configure(url=world.url(port=proxy.port))
        result = world.run("backup")
    need(result.code == 0, Recovery, f"exit {result.code}: {result.err[-400:]}")
    outcome = aftermath.disturbed(before, result)
    need(proxy.passed > 10_000, Finding, "the proxy was not in the path")
    return f"{delay} s a block: slower, and good", outcome


@family("server.cut", 50, 1, "a line to the server that is cut after so many bytes")
def cut(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    before = aftermath.Before(world, world.advance())
    with Proxy(world.server.port, cut_after=int(10 ** random.uniform(2.0, 4.7))) as proxy:
        world.configure(url=world.url(port=proxy.port))
        result = world.run("backup", *random.choice(_KIND))
        passed, was_cut = proxy.passed, proxy.cut
    if not was_cut:
        raise Unreached(f"only {passed} bytes were passed on")
    outcome = _ended(before, result)
    outcome = f"{outcome}, {aftermath.disturbed(before, result)}"
    world.configure()
    aftermath.recovers(before)
    return f"the line is cut after {passed} bytes: named, nothing sealed, next run works", outcome


_CONFLICTS = ("ALTER TABLE marker SET (fillfactor = 90)", "VACUUM (FULL) marker", "TRUNCATE audit.log")


@contextlib.contextmanager
def _standby(world: World) -> Iterator[Server]:
    """A standby of the world's server; it gives its queries no time when they conflict."""
    directory = world.directory / "standby"
    shutil.rmtree(directory, ignore_errors=True)
    server = Server(directory)
    directory.mkdir()
    if server.account:
        shutil.chown(directory, server.account)
    server._run("pg_basebackup", "-D", server.data, "-R", *world.connection, "--checkpoint=fast", "--no-sync")
    with open(server.data / "postgresql.conf", "a") as file:
        file.write("max_standby_streaming_delay = 0\nmax_standby_archive_delay = 0\nhot_standby_feedback = off\n")
    server.start()
    try:
        yield server
    finally:
        server.remove()


def _caught_up(world: World, standby: Server) -> None:
    lsn = world.server.psql("SELECT pg_current_wal_lsn()")
    deadline = time.monotonic() + 20
    while standby.psql(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") != "t":
        need(time.monotonic() < deadline, Finding, "the standby does not catch up")
        time.sleep(0.05)


@family("server.standby", 20, 1, "a backup from a standby that cancels queries in conflict with recovery")
def standby_conflict(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    with _standby(world) as standby:
        return _from_standby(world, random, standby, peaceful=number % 4 == 0)


def _from_standby(world: World, random: Random, standby: Server, peaceful: bool) -> tuple[str, str]:
    before = aftermath.Before(world, world.advance())
    _caught_up(world, standby)
    world.configure(url=world.url(port=standby.port), fingerprint=random.choice(("full", "full", "counts")))
    begun = time.monotonic()
    process = world.start("backup", "--db-only")
    conflicts = 0
    while process.poll() is None:
        if not peaceful:
            world.server.psql(random.choice(_CONFLICTS), world.name)
            conflicts += 1
        time.sleep(0.02)
    result = world.finish(process, begun)
    world.dirty()
    if not peaceful and result.code == 0:
        raise Unreached("the run came through between the conflicts")
    if peaceful:
        need(result.code == 0, Recovery, f"exit {result.code} from a standby at peace: {result.err[-400:]}")
    outcome = aftermath.disturbed(before, result)
    if result.code:
        need("conflict" in result.err or "database " in result.err, Finding, f"no cause: {result.err[-300:]}")
    world.configure()
    world.reset_databases()
    aftermath.recovers(before)
    return f"standby, {conflicts} conflicts: cancelled and named, or good", outcome


@family("snapshot.held", 20, 1, "rows that change while a backup runs: it holds one instant, in dump and fingerprint")
def snapshot_held(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh(database=True)
    world.dirty()
    before = aftermath.Before(world, world.advance())
    changes = random.sample(_WRITES, random.randint(1, len(_WRITES)))
    begun = time.monotonic()
    with table_locked(world) as blocked:
        process = world.start("backup", "--db-only")
        blocked(process)
        for sql in changes:
            world.server.psql(sql, world.name)
    result = world.finish(process, begun)
    need(result.code == 0, Recovery, f"exit {result.code}: {result.err[-300:]}")
    # Sequences move outside of snapshots: the manifest holds the span, and a restored one must lie within it.
    outcome = aftermath.disturbed(before, result)
    name = "proven"
    restored = world.run("restore", "latest", "--db-only", "--to-database", name)
    need(restored.code == 0, SilentLoss, f"it cannot be proven by its own fingerprint: {restored.err[-400:]}")
    world.reset_databases()
    return f"{len(changes)} writers meanwhile: the backup holds the instant before", outcome


_WRITES = (
    "UPDATE knowledge SET cost = cost + 1",
    "DELETE FROM audit.log WHERE what = 'e1'",
    "UPDATE auth.users SET name = 'x' WHERE id = 3",
    "SELECT lo_put(oid, 0, '\\x00') FROM pg_largeobject_metadata",
    "INSERT INTO audit.log SELECT at, 'later' FROM audit.log",
)
