"""What the product promises, as figures with goals, worked out of what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from peaks import Peak
from series import Series

GZIP_MIB, ZSTD_MIB = 48, 96


@dataclass(frozen=True)
class Figure:
    """One promise: what is measured, and the most it may be."""

    name: str
    goal: float
    of: Callable[[dict], Series]


def _ratio(mine: str, theirs: str, goal: float, name: str) -> Figure:
    return Figure(name, goal, lambda times: times[mine].over(times[theirs]))


RATIOS = (
    _ratio("database without fingerprint", "floor", 1.30, "database backup without fingerprint / floor"),
    _ratio("database", "floor", 1.90, "database backup with full fingerprint / floor"),
    _ratio("database without fingerprint", "guide database", 0.125, "database backup without fingerprint / guide"),
    _ratio("database", "guide database", 0.20, "database backup with full fingerprint / guide"),
    _ratio("json", "guide json", 0.15, "JSON backup with a SHA-256 per file / guide"),
    _ratio("full", "guide full", 0.15, "full backup with proof / guide"),
    _ratio("verify", "full", 0.50, "verify / full backup"),
    _ratio("restore", "guide restore", 1.00, "restore of the database with proof / guide, without"),
    _ratio("drill", "restore", 1.60, "drill of a database backup / its restore"),
)
OVERHEAD = Figure("seconds over bare pg_dump, with full fingerprint", 1.0, lambda t: t["database"].minus(t["floor"]))
MANY_FILES = _ratio("json", "guide json", 0.15, "JSON backup with a SHA-256 per file / guide")


def met(value: float, goal: float) -> str:
    """The verdict for a table: a figure that rounds to its goal has met it."""
    return "yes" if round(value, 2) <= goal else "**no**"


def memory_goal(verb: str) -> int:
    """The most that our own process may take for ``verb``, in MiB."""
    return ZSTD_MIB if verb.endswith("zstd") else GZIP_MIB


def flat(peaks: list[Peak]) -> Optional[float]:
    """By how many MiB the peaks of one verb lie apart across sizes; None with a single size."""
    return max(one.own for one in peaks) - min(one.own for one in peaks) if len(peaks) > 1 else None
