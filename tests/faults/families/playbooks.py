"""The playbooks, run from outside against this machine: a play passes exactly when the oracle agrees."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from random import Random

import aftermath
import away
from family import family
from findings import FalseAlarm, Finding, Harm, Recovery, SilentLoss, Unreached, need
from installed import ROOT, python
from sealed import Sealed
from world import World

from families.drills import sabotage
from families.kills import table_locked
from families.kills_of_restores import halves, in_service, whole_somewhere
from families.rows_of_database import programs

_SECONDS = 180


@dataclass(frozen=True)
class Play:
    """How a play ended: its exit status, and all that it printed."""

    code: int
    said: str


def start(world: World, name: str, *arguments: str, **variables: str) -> subprocess.Popen:
    """Start a playbook by its path, as an operator would from a checkout."""
    prefix = world.directory / "prefix"
    (prefix / "etc").mkdir(parents=True, exist_ok=True)
    if not (prefix / "etc" / "mirai-backup").exists():
        (prefix / "etc" / "mirai-backup").symlink_to(world.directory)
    values = {
        "target": "localhost", "ansible_connection": "local", "ansible_python_interpreter": python(),
        "mirai_backup_become": False, "mirai_backup_prefix": str(prefix), "ansible_remote_tmp": str(prefix / "tmp"),
        "drill_reports": str(prefix / "reports"), **variables,
    }  # fmt: skip
    shutil.rmtree(prefix / "reports", ignore_errors=True)
    venv = ROOT / ".venv" / "bin"
    environment = {
        **world.environment(), "PATH": f"{venv}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(prefix / "ansible"), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
    }  # fmt: skip
    argv = [str(venv / "ansible-playbook"), str(ROOT / "playbooks" / f"{name}.yml"), "-i", "localhost,"]
    return subprocess.Popen(
        [*argv, "-e", json.dumps(values), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=world.directory,
    )


def finish(world: World, process: subprocess.Popen) -> Play:
    """Wait for the end of the play."""
    try:
        said = process.communicate(timeout=_SECONDS)[0].decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise Finding(f"the play did not end within {_SECONDS} s") from error
    world.transcripts.append(said)
    need(process.returncode in (0, 2), Finding, f"ansible-playbook exits with {process.returncode}: {said[-600:]}")
    return Play(process.returncode, said)


def play(world: World, name: str, *arguments: str, **variables: str) -> Play:
    """Run a playbook to its end."""
    return finish(world, start(world, name, *arguments, **variables))


def _module(world: World, name: str) -> list[int]:
    """The processes of the module ``name`` of a play of this world."""
    return [int(line.split()[0]) for line in world.processes() if f"AnsiballZ_{name}.py" in line]


_BACKUPS = ("nothing", "server down", "no source", "pg_dump dies", "killed", "check mode", "locked", "store down")


@family("playbook.backup", 24, 1, "backup.yml under faults: it passes exactly when a good backup was made")
def backup_play(world: World, random: Random, number: int) -> tuple[str, str]:
    what = _BACKUPS[number % len(_BACKUPS)]
    world.fresh()
    before = aftermath.Before(world, world.advance())
    kind = random.choice(("full", "database")) if what != "no source" else random.choice(("full", "json"))
    with contextlib.ExitStack() as cleanup:
        done, named = _backed_up(world, random, what, kind, cleanup)
    world.settled()
    new = before.new()
    aftermath.judge(before, new)
    if what == "check mode":
        need(done.code == 0 and not new, Finding, f"check mode: status {done.code}, {len(new)} backups")
        need(world.held() == before.held, Finding, "check mode has changed something")
    else:
        need((done.code == 0) == (len(new) == 1), SilentLoss, f"{what}: status {done.code}, {len(new)} new backups")
    good = ("nothing", "check mode", "store down")
    need(done.code == (0 if what in good else 2), Finding, f"{what}: status {done.code}: {done.said[-600:]}")
    need(named in done.said, Finding, f"{what}: {named!r} is not said: {done.said[-900:]}")
    need(all(world.held().get(path) == was for path, was in before.held.items() if path not in world.expired),
         Harm, "an earlier backup has changed")  # fmt: skip
    world.configure()
    aftermath.recovers(before)
    return f"backup.yml, {what}: the play says what is so", f"status {done.code}, {len(new)} sealed"


def _backed_up(world: World, random: Random, what: str, kind: str, cleanup: contextlib.ExitStack) -> tuple[Play, str]:
    """The play under the fault ``what``, and a word that it must say."""
    arguments, named = (), ""
    if what == "server down":
        world.configure(url=world.url(port=1))
        named = "start the server"
    elif what == "no source":
        os.rename(world.data, f"{world.data}.away")
        cleanup.callback(os.rename, f"{world.data}.away", world.data)
        named = str(world.data)
    elif what == "pg_dump dies":
        real = f"{world.server.bindir}/pg_dump"
        script = f'[ "$1" = --version ] && exec {real} --version\necho PGDMP; echo "the disk died" >&2; exit 1\n'
        cleanup.enter_context(programs(world, pg_dump=script))
        named = "the disk died"
    elif what == "check mode":
        arguments = ("--check", "--diff")
    elif what == "store down":
        away.describe_dead(world)
        named = "offsite store away"
    elif what == "locked":
        blocked = cleanup.enter_context(table_locked(world))
        holder = world.start("backup")
        cleanup.callback(holder.communicate)
        cleanup.callback(holder.terminate)
        blocked(holder)
        named = "another run"
    elif what == "killed":
        with table_locked(world) as blocked:
            process = start(world, "backup", kind=kind)
            blocked(process)
            time.sleep(random.uniform(0, 0.3))
            _kill(_module(world, "backup"))
            done = finish(world, process)
        return done, ""
    return play(world, "backup", *arguments, kind=kind), named


def _kill(processes: list[int]) -> None:
    if not processes:
        raise Unreached("the module was not seen")
    for one in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


_RESTORES = ("nothing", "damaged", "sabotaged", "no such backup", "check mode", "killed")


@family("playbook.restore", 24, 1, "restore.yml under faults: it passes exactly when the backup is in service")
def restore_play(world: World, random: Random, number: int) -> tuple[str, str]:
    what = _RESTORES[number % len(_RESTORES)]
    world.fresh(database=True)
    world.dirty()
    held = world.advance()
    target = Sealed([path for path in world.manifests() if path.parent.name == "full"][-1])
    arguments, chosen = (), "latest"
    if what == "damaged":
        content = bytearray(target.archive.read_bytes())
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        target.archive.write_bytes(content)
        chosen = target.id
    elif what == "sabotaged":
        kind = ""
        while kind != "full":
            _what, target = sabotage(world, random, random.randrange(10))
            kind = target.manifest.parent.name
        chosen = target.id
    elif what == "no such backup":
        chosen = "mirai_full_20200101_000000"
    elif what == "check mode":
        arguments = ("--check", "--diff")
    process = start(world, "restore", *arguments, backup=chosen)
    if what == "killed":
        deadline = time.monotonic() + 60
        while not _module(world, "restore"):
            need(process.poll() is None and time.monotonic() < deadline, Finding, "the module was never started")
            time.sleep(0.01)
        time.sleep(random.uniform(0, 2.0))
        processes = _module(world, "restore")
        if processes:
            _kill(processes)
    done = finish(world, process)
    world.settled()
    wanted, old = halves(world.base_truth), halves(held)
    if what == "killed":
        return _restored_after_death(world, held, done)
    now = in_service(world)
    if done.code == 0 and what != "check mode":
        need(now == wanted, SilentLoss, f"{what}: the play passes, and what is in service is not the backup")
    else:
        need(now == old, SilentLoss, f"{what}: status {done.code}, and what was in service has changed")
    need((done.code == 0) == (what in ("nothing", "check mode")), SilentLoss if done.code == 0 else FalseAlarm,
         f"{what}: status {done.code}: {done.said[-900:]}")  # fmt: skip
    return f"restore.yml, {what}: the play says what is so", f"status {done.code}"


def _restored_after_death(world: World, held: object, done: Play) -> tuple[str, str]:
    whole_somewhere(world, held)
    if done.code == 0:
        need(in_service(world) == halves(world.base_truth), SilentLoss, "the play passes, another state is in service")
    again = play(world, "restore", backup="latest")
    need(again.code == 0, Recovery, f"the next play fails: {again.said[-900:]}")
    need(in_service(world) == halves(world.base_truth), SilentLoss, "the next play passes, another state is in service")
    return "restore.yml, killed: the old state is whole, the next play restores", f"status {done.code}, then 0"


_DRILLS = ("nothing", "sabotaged", "damaged", "no such backup")


@family("playbook.drill", 16, 1, "restore_test.yml: it passes exactly when the drill does, and leaves the report")
def drill_play(world: World, random: Random, number: int) -> tuple[str, str]:
    what = _DRILLS[number % len(_DRILLS)]
    world.fresh(database=True)
    chosen, expected = "latest", "pass" if what == "nothing" else "fail"
    if what == "sabotaged":
        _what, target = sabotage(world, random, random.randrange(23))
        chosen = target.id
    elif what == "damaged":
        target = Sealed(random.choice(world.manifests()))
        path = random.choice(aftermath.artifacts(target.manifest))
        path.write_bytes(path.read_bytes()[: -random.randint(1, 200)])
        chosen = target.id
    elif what == "no such backup":
        chosen, expected = "mirai_full_20200101_000000", ""
    done = play(world, "restore_test", backup=chosen)
    world.settled()
    reports = list((world.directory / "prefix" / "reports").rglob("drill.json"))
    verdicts = [json.loads(path.read_text())["verdict"] for path in reports]
    need((done.code == 0) == (what == "nothing"), SilentLoss if done.code == 0 else FalseAlarm,
         f"{what}: status {done.code}: {done.said[-900:]}")  # fmt: skip
    if expected and what != "damaged":
        need(verdicts == [expected], Finding, f"{what}: the reports fetched say {verdicts}")
    need("pass" not in verdicts or what == "nothing", SilentLoss, f"{what}: a report says pass")
    return f"restore_test.yml, {what}: the play says what is so", f"status {done.code}, reports {verdicts}"
