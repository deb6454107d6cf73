"""Retention against a shadow model that was written from docs/architecture.md alone.

"Retention lets a backup go when it is older than its kind's days, not pinned, not among the newest keep_min good ones
of its kind, and not the newest good one of its kind that a drill has passed. When any backup lies more than an hour in
the future, the clock has stepped back, and nothing goes."
"""

from __future__ import annotations

import datetime
import importlib
import sys
import time
from random import Random

from family import family
from findings import Harm, Leftover, need
from installed import Engine
from sealed import Sealed
from world import KINDS, World

_DAY = 86400.0


def shadow(backups: list[dict], policy: dict, now: float) -> set:
    """The ids that may go. A backup: id, kind, number, ended (seconds), good, pinned, drilled."""
    if [one for one in backups if one["ended"] - now > 3600]:
        return set()
    going = set()
    for one in backups:
        days, keep_min = policy[one["kind"]]
        newer = [other for other in backups if other["kind"] == one["kind"] and other["number"] > one["number"]]
        newer_good = [other for other in newer if other["good"]]
        on_the_floor = one["good"] and len(newer_good) < keep_min
        last_drilled = one["good"] and one["drilled"] and not [other for other in newer_good if other["drilled"]]
        too_old = now - one["ended"] > days * _DAY
        if too_old and not one["pinned"] and not on_the_floor and not last_drilled:
            going.add(one["id"])
    return going


@family(
    "retention.days",
    10,
    2,
    "a thousand simulated days of success, failure, damage, pins, drills, clock steps",
    needs_world=False,
)
def thousand_days(engine: Engine, random: Random, number: int) -> tuple[str, str]:
    config, retention = _modules(engine)
    policy = {kind: (random.randint(1, 60), random.randint(1, 5)) for kind in KINDS}
    policies = {kind: config.Retention(days=days, keep_min=least) for kind, (days, least) in policy.items()}
    success = random.choice((0.99, 0.9, 0.5, 0.1))
    now, sequence, pruned, backups = 1_700_000_000.0, 0, 0, []
    for day in range(1000):
        now += _DAY + random.uniform(-600, 600)
        if random.random() < 0.01:
            now += random.choice((-3650, -30, -1, 1, 30, 400)) * _DAY
        failing = random.random() < 0.02
        for kind in KINDS:
            if failing or random.random() > success:
                continue
            sequence += 1
            backups.append({"id": f"{kind}-{sequence}", "kind": kind, "number": sequence, "ended": now, "good": True,
                            "pinned": False, "drilled": False})  # fmt: skip
        for one in random.sample(backups, min(len(backups), 2)):
            what = random.random()
            if what < 0.05:
                one["good"] = not one["good"]
            elif what < 0.1:
                one["pinned"] = not one["pinned"]
            elif what < 0.2:
                one["drilled"] = not one["drilled"]
        wanted = shadow(backups, policy, now)
        moment = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
        shuffled = random.sample(backups, len(backups))
        decision = retention.decide(tuple(_candidate(retention, one) for one in shuffled), policies, moment)
        need(set(decision.prune) == wanted, Harm, f"day {day}: {set(decision.prune) ^ wanted} are judged otherwise")
        need(set(decision.reasons) == {one["id"] for one in backups}, Harm, f"day {day}: a backup has no reason")
        backups = [one for one in backups if one["id"] not in wanted]
        pruned += len(wanted)
        for kind in KINDS:
            good = [one for one in backups if one["kind"] == kind and one["good"]]
            ever = [one for one in wanted if one.startswith(kind)]
            need(not ever or len(good) >= min(policy[kind][1], len(good) + 1) - 1, Harm, f"day {day}: below the floor")
    return (
        f"{policy}, {success:.0%} success: as the documentation says, every day",
        f"{pruned} pruned, {len(backups)} left",
    )


def _modules(engine: Engine) -> tuple:
    """The installed engine's own modules, whatever engine was looked at before."""
    for name in [one for one in sys.modules if one.split(".")[0] == "mirai_backup"]:
        del sys.modules[name]
    sys.path.insert(0, engine.library)
    try:
        return importlib.import_module("mirai_backup.config"), importlib.import_module("mirai_backup.retention")
    finally:
        sys.path.remove(engine.library)


def _candidate(retention: object, one: dict) -> object:
    ended = datetime.datetime.fromtimestamp(one["ended"], datetime.timezone.utc)
    return retention.Candidate(one["id"], one["kind"], one["number"], ended, one["good"], one["pinned"], one["drilled"])


@family("retention.prune", 40, 1, "real prunes of repositories of any age, against the same model")
def real_prune(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    backups = []
    manifests = sorted((Sealed(path) for path in world.manifests()), key=lambda one: one.head()["sequence"])
    policy = {kind: (random.randint(1, 60), random.randint(1, 2)) for kind in KINDS}
    world.configure(retention={kind: {"days": days, "keep_min": least} for kind, (days, least) in policy.items()})
    future = random.random() < 0.15
    for sealed in manifests:
        head = sealed.head()
        ended = time.time() - random.uniform(0, 70) * _DAY + (80 * _DAY if future else 0)
        head["ended"] = (
            datetime.datetime.fromtimestamp(ended, datetime.timezone.utc)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z")
        )
        sealed.write(head)
        good = random.random() > 0.15
        if not good:
            sealed.archive.write_bytes(sealed.archive.read_bytes()[:-1])
        pinned = good and random.random() < 0.15
        if pinned:
            world.succeed("keep", sealed.id)
        backups.append({"id": sealed.id, "kind": head["kind"], "number": head["sequence"], "ended": ended, "good": good,
                        "pinned": pinned, "drilled": False})  # fmt: skip
    foreign = (
        world.repository / "full" / random.choice(("mirai_full_20200101_000000.tar.gz", "notes", "mirai_full_x.tar.gz"))
    )
    foreign.write_text("foreign")
    held = world.held()
    going = shadow(backups, policy, time.time())
    said = world.succeed("--json", "prune", *(("--dry-run",) if number % 4 == 0 else ())).document
    need(set(said["pruned"]) == going, Harm, f"{set(said['pruned']) ^ going} are judged otherwise: {said['reasons']}")
    now = world.held()
    if number % 4 == 0:
        need(now == held, Harm, "a dry run has changed something")
        return "a dry run: says what would go, touches nothing", f"{len(going)} would go"
    expected = {path: was for path, was in held.items() if not any(belongs(path, one) for one in going)}
    need(now == expected, Harm, f"{set(now) ^ set(expected)} are gone or left against the model")
    need(foreign.exists(), Harm, "a foreign file is gone")
    need(not any((world.repository / ".staging").iterdir()), Leftover, "something is left in .staging")
    return f"prune by {policy}: exactly what the model lets go", f"{len(going)} of {len(backups)} went"


def belongs(path: str, backup_id: str) -> bool:
    """Whether the file is an artifact or the manifest of the backup, or its pin."""
    stamp, kind = backup_id[-15:], {"full": "full", "db": "database", "json": "json"}[backup_id.split("_")[1]]
    return stamp in path and f"/{kind}/" in path and "/.pins/" not in path or path.endswith(f"/.pins/{backup_id}")
