"""What the product promises, as figures with goals, worked out of what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from peaks import Peak
from series import Series

GZIP_MIB, ZSTD_MIB, MANY_MIB = 48, 96, 256
SIZES = {"gzip": 1.18, "zstd": 0.90}
RETAINED = 1.05


# What stands in our place where only the bare programs run.
BARE = {
    "database without fingerprint": "bare database",
    "database": "bare database",
    "json": "bare json",
    "full": "bare full",
    "full, again": "bare full",
    "restore": "bare restore",
    "restore, lz4": "bare restore, lz4",
}


@dataclass(frozen=True)
class Ratio:
    """One promise: the seconds of ``mine`` over those of ``theirs``, and the most that they may be."""

    mine: str
    theirs: str
    goal: Optional[float]
    name: str

    def of(self, times: dict) -> Series:
        """What it came to in each round."""
        return times[self.mine].over(times[self.theirs])

    def least(self, times: dict) -> Optional[Series]:
        """What the bare programs come to in our place; None: there are none, or no goal to hold them to."""
        bare = self.goal and BARE.get(self.mine)
        return times[bare].over(times[self.theirs]) if bare else None


MANY_FILES = Ratio("json", "guide json", 0.15, "JSON backup with a SHA-256 per file / guide")  # and of few
MANY_AGAIN = Ratio("json, again", "guide json", None, "the same, the next one of the same files / guide")
RATIOS = (
    Ratio("database without fingerprint", "floor", 1.30, "database backup without fingerprint / floor"),
    Ratio("database, standard library", "floor", 2.10, "the same, the standard library's compressor alone / floor"),
    Ratio("database", "floor", 1.90, "database backup with full fingerprint / floor"),
    Ratio("floor", "guide database", None, "floor / guide"),
    Ratio("database without fingerprint", "guide database", 0.125, "database backup without fingerprint / guide"),
    Ratio("database", "guide database", 0.20, "database backup with full fingerprint / guide"),
    Ratio("database", "guide database, piped", None, "database backup with full fingerprint / guide as a pipe"),
    Ratio("database", "database without fingerprint", None, "what the fingerprint adds"),
    MANY_FILES,
    Ratio("full", "guide full", 0.15, "full backup with proof / guide"),
    Ratio("full, again", "guide full, five retained", 0.08, "the same, five backups retained / guide"),
    Ratio("verify", "full", 0.50, "verify / full backup"),
    Ratio("restore", "guide restore", 1.00, "restore of the database with proof / guide, without"),
    Ratio("restore, lz4", "guide restore", 0.75, "the same with restore_toast_compression: lz4 / guide"),
    Ratio("drill", "restore", 1.60, "drill of a database backup / its restore"),
)
OVERHEAD, OVERHEAD_SECONDS = "seconds over bare pg_dump, with full fingerprint", 1.0


def overhead(times: dict) -> Series:
    """What a backup of the database takes beyond the floor."""
    return times["database"].minus(times["floor"])


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
