"""Cases of single rows of the table in ``rows``: runs that die, meet, fail for weeks, or never take place."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time
from pathlib import Path
from random import Random

import aftermath
import traces
from findings import Finding, Harm, SilentLoss, need
from installed import ROOT
from sealed import Sealed
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
