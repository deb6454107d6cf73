"""What the product promises, as figures with goals, worked out of what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from peaks import Peak
from series import Series

GZIP_MIB, ZSTD_MIB, MANY_MIB = 48, 96, 256
SIZES = {"gzip": 1.18, "zstd": 0.90}
RETAINED = 1.05


@dataclass(frozen=True)
class Figure:
    """One promise: what is measured, the most it may be, and what the bare programs come to in the same way."""

    name: str
    goal: Optional[float]
    of: Callable[[dict], Series]
    least: Optional[Callable[[dict], Series]] = None


# What stands in our place where only the bare programs run.
_BARE = {
    "database without fingerprint": "bare database",
    "database": "bare database",
    "json": "bare json",
    "full": "bare full",
    "restore": "bare restore",
    "restore, lz4": "bare restore, lz4",
}


def _ratio(mine: str, theirs: str, goal: Optional[float], name: str) -> Figure:
    bare = _BARE.get(mine) if goal is not None else None
    least = (lambda times: times[bare].over(times[theirs])) if bare is not None else None
    return Figure(name, goal, lambda times: times[mine].over(times[theirs]), least)


RATIOS = (
    _ratio("database without fingerprint", "floor", 1.30, "database backup without fingerprint / floor"),
    _ratio("database, standard library", "floor", 2.10, "the same, the standard library's compressor alone / floor"),
    _ratio("database", "floor", 1.90, "database backup with full fingerprint / floor"),
    _ratio("database without fingerprint", "guide database", 0.125, "database backup without fingerprint / guide"),
    _ratio("database", "guide database", 0.20, "database backup with full fingerprint / guide"),
    _ratio("database", "guide database, piped", None, "database backup with full fingerprint / guide as a pipe"),
    _ratio("database", "database without fingerprint", None, "what the fingerprint adds"),
    _ratio("json", "guide json", 0.15, "JSON backup with a SHA-256 per file / guide"),
    _ratio("full", "guide full", 0.15, "full backup with proof / guide"),
    _ratio("full", "guide full, five retained", 0.08, "the same, five backups retained / guide"),
    _ratio("verify", "full", 0.50, "verify / full backup"),
    _ratio("restore", "guide restore", 1.00, "restore of the database with proof / guide, without"),
    _ratio("restore, lz4", "guide restore", 0.75, "the same with restore_toast_compression: lz4 / guide"),
    _ratio("drill", "restore", 1.60, "drill of a database backup / its restore"),
)
OVERHEAD = Figure("seconds over bare pg_dump, with full fingerprint", 1.0, lambda t: t["database"].minus(t["floor"]))
MANY_FILES = _ratio("json", "guide json", 0.15, "JSON backup with a SHA-256 per file / guide")


def met(value: float, goal: Optional[float]) -> str:
    """The verdict for a table, before anything is rounded; a figure without a goal is for comparison."""
    if goal is None:
        return ""
    return "yes" if value <= goal else "**no**"


def memory_goal(verb: str) -> int:
    """The most that our own process may take for ``verb``, in MiB."""
    return ZSTD_MIB if verb.endswith("zstd") else GZIP_MIB


def flat(peaks: list[Peak]) -> Optional[float]:
    """By how many MiB the peaks of one verb lie apart across sizes; None with a single size."""
    return max(one.own for one in peaks) - min(one.own for one in peaks) if len(peaks) > 1 else None
