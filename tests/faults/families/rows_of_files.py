"""Cases of single rows of the table in ``rows``: what goes wrong with files, their modes, and secrets."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import subprocess
import threading
import time
from pathlib import Path
from random import Random

import aftermath
import canaries
from findings import Finding, Leak, Leftover, SilentLoss, Unreached, need
from world import World


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
        while not over.wait(0.05):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.append(entry.read_bytes().decode(errors="replace"))

    watcher = threading.Thread(target=poll)
    watcher.start()
    try:
        for verb in verbs:
            result = world.run(
                *verb,
                prefix=("strace", "-f", "--seccomp-bpf", "-s", "65535", "-o", log, "-e", "trace=execve"),
                timeout=180,
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
    world.unwatch()  # the file that names the channels is root's
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
