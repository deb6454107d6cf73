"""Clocks that fold, step, and stand still, and starts that meet."""

from __future__ import annotations

import time
from random import Random

import aftermath
from family import family
from findings import Finding, Harm, SilentLoss, need
from world import World

# A zone, and the moment (UTC, seconds since 1970) at which its clocks go back.
_FOLDS = (
    ("Europe/Berlin", 1793019600),
    ("America/New_York", 1793512800),
    ("Australia/Lord_Howe", 1775314800),
    ("America/St_Johns", 1793507400),
    ("Atlantic/Azores", 1793062800 - 43200),
    ("Pacific/Chatham", 1775314800 - 900),
)


def _at(moment: float) -> tuple:
    """Start the command at ``moment``; its clock runs on from there, so that its waiting ends."""
    return ("faketime", "-f", f"{moment - time.time():+.3f}s")


def _ordered(world: World, new: list, count: int) -> None:
    """So many new backups, each with a name and a sequence number of its own, listed in the order they were made."""
    need(len(new) == count and len(set(new)) == count, SilentLoss, f"{len(new)} new backups instead of {count}")
    listed = world.succeed("--json", "list").document["backups"]
    numbers = [one["sequence"] for one in listed]
    need(numbers == sorted(set(numbers), reverse=True), Finding, f"the order is {numbers}")


@family("clock.fold", 36, 1, "backups before and after the clocks go back, under one local time")
def fold(world: World, random: Random, number: int) -> tuple[str, str]:
    zone, moment = _FOLDS[number % len(_FOLDS)]
    world.fresh(retention={kind: {"days": 3650} for kind in ("full", "database", "json")})
    span = 1800 if "Howe" in zone else 3600
    offset = random.uniform(1, span - 5)
    first = None
    for instant in (moment - span + offset, moment + offset):
        before = aftermath.Before(world, world.advance())
        result = world.run("backup", prefix=_at(instant), TZ=zone)
        need(result.code == 0, Finding, f"exit {result.code} in {zone}: {result.err[-300:]}")
        aftermath.disturbed(before, result)
        first = first or before
    _ordered(world, first.new(), 2)
    newest = world.succeed("--json", "info", "latest", TZ=zone).document
    wanted = world.succeed("--json", "list").document["backups"][0]["id"]
    need(newest["backup"]["id"] == wanted, SilentLoss, f"latest is {newest['backup']['id']}, not {wanted}")
    return f"{zone}, the same local time twice: two backups in their order", "two backups in order"


@family("clock.step", 40, 1, "a clock that steps by up to ten years, forth or back")
def step(world: World, random: Random, number: int) -> tuple[str, str]:
    days = random.choice((3650, 3650, 365, 30, 2, 1)) * (1 if number % 2 else -1)
    world.fresh()
    before = aftermath.Before(world, world.advance())
    result = world.run("backup", prefix=_at(time.time() + days * 86400))
    need(result.code == 0, Finding, f"exit {result.code}: {result.err[-300:]}")
    aftermath.judge(before, before.new())
    held = world.held()
    gone = {path for path in before.held if path not in held}
    if days < 0:
        need(not gone, Harm, f"the clock stood {-days} days back, and {gone} went")
    else:
        # As if the days had passed: retention may let go what is too old, but keeps the floor of each kind.
        for kind in ("full", "database", "json"):
            need(any(f"/{kind}/" in path for path in held), Harm, f"no backup of kind {kind} is left")
    after = aftermath.Before(world, world.advance())
    result = world.run("backup")
    need(result.code == 0, Finding, f"after the clock is right again: exit {result.code}: {result.err[-300:]}")
    aftermath.judge(after, after.new())
    if days > 0:
        need(set(after.held) <= set(world.held()), Harm, "a backup lies in the future, and something was pruned")
        said = world.run("--json", "check").document
        need(any("future" in one for one in said["problems"]), SilentLoss, f"check does not say it: {said}")
    _ordered(world, after.new(), 1)
    newest = world.succeed("--json", "info", "latest").document["backup"]["id"]
    need(newest in after.new()[0].name, SilentLoss, f"latest is {newest}, not the one made last")
    return f"a step of {days} days and back: nothing lost, order kept, check names it", f"{len(gone)} pruned by policy"


@family("clock.still", 20, 1, "several backups within one second")
def one_second(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh(retention={kind: {"days": 3650} for kind in ("full", "database", "json")})
    moment = float(int(time.time() + random.uniform(-1e6, 1e6)))
    count = random.randint(2, 4)
    first = None
    for _number in range(count):
        before = aftermath.Before(world, world.advance())
        first = first or before
        kind = random.choice(((), ("--db-only",), ("--json-only",)))
        result = world.run("backup", *kind, prefix=_at(moment), TZ="UTC")
        need(result.code == 0, Finding, f"exit {result.code}: {result.err[-300:]}")
        need(len(before.new()) == 1, SilentLoss, f"{len(before.new())} new backups of one run")
        aftermath.disturbed(before, result)
    _ordered(world, first.new(), count)
    return f"{count} backups in one second: each has its own name and number", f"{count} backups in order"


@family("clock.simultaneous", 4, 1, "twenty starts at once")
def twenty_at_once(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    world.unwatch()  # nineteen would tell at once, for minutes
    before = aftermath.Before(world, world.advance())
    wait = ("--wait", "3m") if number % 2 else ()
    kind = ("--json-only",) if number % 2 else ()
    begun = time.monotonic()
    started = [world.start("backup", *kind, *wait) for _number in range(20)]
    results = [world.finish(one, begun, timeout=200) for one in started]
    codes = [one.code for one in results]
    need(
        set(codes) <= ({0} if wait else {0, 11}),
        Finding,
        f"exit codes {codes}: {[one.err[-200:] for one in results][:3]}",
    )
    need(0 in codes, Finding, "none of them made a backup")
    need(len(before.new()) == codes.count(0), SilentLoss, f"{codes.count(0)} successes, {len(before.new())} backups")
    aftermath.judge(before, before.new())
    _ordered(world, before.new(), codes.count(0))
    aftermath.recovers(before)
    return (
        f"20 starts{' that wait' if wait else ''}: one at a time, the others say 11",
        f"{codes.count(0)} made, {codes.count(11)} locked",
    )
