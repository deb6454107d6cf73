# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decides what may be deleted. Pure: it is given the backups and the time, and touches nothing."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from .config import Retention

_CLOCK_TOLERANCE = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Candidate:
    """A backup as retention sees it; ``good`` means that every artifact is there in full size, ``drilled`` that a
    drill has passed it."""

    id: str
    kind: str
    sequence: int
    ended: datetime.datetime
    good: bool = True
    pinned: bool = False
    drilled: bool = False


@dataclass(frozen=True)
class Decision:
    """``prune`` holds the ids to delete, oldest first; ``reasons`` says of every id why it stays or goes."""

    prune: tuple[str, ...]
    reasons: dict


def decide(candidates: tuple[Candidate, ...], policies: dict[str, Retention], now: datetime.datetime) -> Decision:
    """Apply ``policies`` (by kind) at the time ``now``.

    A backup goes when it is older than its kind's days, not pinned, not among the newest ``keep_min`` good ones
    of its kind, and not the newest good one that a drill has passed. When any backup lies in the future, the
    clock has stepped back and nothing goes.
    """
    ordered = sorted(candidates, key=lambda one: one.sequence)
    if any(one.ended > now + _CLOCK_TOLERANCE for one in ordered):
        return Decision((), {one.id: "kept: the clock stands before the newest backup" for one in ordered})
    floor = set()
    for kind, policy in policies.items():
        good = [one.id for one in ordered if one.kind == kind and one.good]
        floor.update(good[-policy.keep_min :])
    drilled = {one.kind: one.id for one in ordered if one.good and one.drilled}
    reasons = {
        one.id: _reason(one, policies[one.kind], one.id in floor, one.id in drilled.values(), now) for one in ordered
    }
    prune = tuple(one.id for one in ordered if reasons[one.id].startswith("pruned"))
    return Decision(prune, reasons)


def _reason(candidate: Candidate, policy: Retention, in_floor: bool, last_drilled: bool, now: datetime.datetime) -> str:
    age = now - candidate.ended
    limit = f"{policy.days} d"
    if candidate.pinned:
        return "kept: pinned"
    if age <= datetime.timedelta(days=policy.days):
        return f"kept: younger than {limit}"
    if in_floor:
        return f"kept: among the newest {policy.keep_min} good ones of its kind"
    if last_drilled:
        return "kept: the newest of its kind that a drill has passed"
    return f"pruned: older than {limit}"
