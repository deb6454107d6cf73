"""SIGKILL at any instant of a restore, a rollback and a prune."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from dataclasses import dataclass
from random import Random

import aftermath
import canaries
from family import family
from findings import Finding, Harm, Leftover, Recovery, SilentLoss, Unreached, need
from oracle import Truth, files
from world import World

from families.kills import CALLS, HEAVY, learnt, strike


@dataclass(frozen=True)
class States:
    """What is in service before a restore, and what the backup holds."""

    old: Truth
    new: Truth
    held: dict


def in_service(world: World) -> tuple:
    """The database and the files under their own names, None for one that is not there."""
    database = world.oracle.truth(world.name, None) if world.name in world.databases() else None
    return (database and (database.database, database.schema), files(world.data) if world.data.exists() else None)


def halves(truth: Truth) -> tuple:
    """The two halves of a truth, as ``in_service`` gives them."""
    return ((truth.database, truth.schema), truth.files)


def whole_somewhere(world: World, truth: Truth) -> None:
    """Both halves of ``truth`` are there, under whatever name."""
    wanted = halves(truth)
    databases = [world.oracle.truth(name, None) for name in world.databases()]
    need(wanted[0] in [(one.database, one.schema) for one in databases], SilentLoss, "the old database is nowhere")
    directories = [files(path) for path in world.backend.glob("data*") if path.is_dir()]
    need(wanted[1] in directories, SilentLoss, "the old files are nowhere")


def nothing_beside(world: World) -> None:
    """Nothing but the state in service and one previous one."""
    databases = [name for name in world.databases() if name != world.name]
    directories = [path.name for path in world.backend.glob("data*") if path.name != "data"]
    unfinished = [one for one in (*databases, *directories) if "_before_" not in one]
    need(not unfinished, Leftover, f"left beside: {unfinished}")
    need(
        len(databases) <= 1 and len(directories) <= 1,
        Leftover,
        f"more than one previous state: {databases} {directories}",
    )


def _prepare(world: World, rolled: bool) -> States:
    world.fresh(database=True)
    if rolled:
        after = world.advance()
        world.succeed("restore", "latest")
        return States(world.truth(), after, world.held())
    return States(world.advance(), world.base_truth, world.held())


def _settles(world: World, states: States, random: Random, verb: str) -> str:
    """After the death: the old state is whole, and the next call brings one state whole into service."""
    world.settled()
    whole_somewhere(world, states.old)
    old, new = halves(states.old), halves(states.new)
    for half, value in enumerate(in_service(world)):
        need(value in (old[half], new[half]), SilentLoss, f"half {half} in service is neither old nor new")
    following = random.choice(("backup", "restore")) if verb == "restore" else "backup"
    result = world.run(following, *(("latest",) if following == "restore" else ()))
    need(result.code == 0, Recovery, f"the next {following} exits with {result.code}: {result.err[-700:]}")
    found = in_service(world)
    allowed = (new,) if following == "restore" else (old, new)
    need(found in allowed, SilentLoss, f"after the next {following} neither state is whole in service")
    nothing_beside(world)
    aftermath.tidy(world)
    now = world.held()
    changed = [path for path, was in states.held.items() if now.get(path) != was and path not in world.expired]
    need(not changed, Harm, f"changed or gone: {changed}")
    said = world.run("--json", "check").document
    need(not any("restore" in one for one in said["problems"]), Leftover, f"check says {said['problems']}")
    canaries.absent(world)
    world.settled()
    return f"then {following}: {'new' if found == new else 'old'} state whole"


def _killed(world: World, random: Random, verb: str, arguments: tuple, prepare, by_call: bool) -> tuple:
    known = learnt(world, verb, arguments, lambda one: prepare() and None)
    if by_call:
        names = HEAVY if random.random() < 0.7 else CALLS
        before, result, _line, where = strike(world, random, arguments, known, prepare, None, names, "signal=KILL")
        return before, result, where
    before = prepare()
    begun = time.monotonic()
    process = world.start(*arguments)
    delay = random.uniform(0, known.seconds * 1.1)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    result = world.finish(process, begun)
    if ended:
        raise Unreached("the run had ended before the signal")
    return before, result, f"{delay:.3f} s"


@family("kill.restore", 80, 2, "SIGKILL in a restore or a rollback")
def kill_restore(world: World, random: Random, number: int) -> tuple[str, str]:
    rolled = number % 4 == 3
    verb, arguments = ("rollback", ("rollback",)) if rolled else ("restore", ("restore", "latest"))
    before, result, where = _killed(
        world, random, verb, arguments, lambda: _prepare(world, rolled), by_call=number % 2 == 0
    )
    outcome = _settles(world, before, random, verb)
    return f"{verb} killed at {where}: old or new whole, next call settles", f"exit {result.code}, {outcome}"


@family("kill.prune", 60, 1, "SIGKILL in a prune")
def kill_prune(world: World, random: Random, number: int) -> tuple[str, str]:
    def prepare() -> dict:
        world.fresh()
        return world.held()

    before, result, where = _killed(world, random, "prune", ("prune",), prepare, by_call=number % 2 == 0)
    world.settled()
    _pruned(world, before, finished=False)
    again = world.run("prune")
    need(again.code == 0, Recovery, f"the next prune exits with {again.code}: {again.err[-500:]}")
    _pruned(world, before, finished=True)
    aftermath.tidy(world)
    return f"prune killed at {where}: only expired ones go, next prune finishes", f"exit {result.code}, finished"


def _pruned(world: World, before: dict, finished: bool) -> None:
    """Only expired backups may be gone; a backup whose manifest is there is whole."""
    held = world.held()
    for path, was in before.items():
        if path in world.expired:
            need(not finished or path not in held, Finding, f"{path} was to be pruned")
        else:
            need(held.get(path) == was, Harm, f"{path} is changed or gone")
    for manifest in world.manifests():
        missing = [str(one) for one in aftermath.artifacts(manifest) if held.get(str(one)) != before.get(str(one))]
        need(not missing, SilentLoss, f"{manifest.name} is there without {missing}")
