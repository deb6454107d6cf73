"""The processor seconds that a goal leaves, those without which no backup with a proof can do, and ours."""

from __future__ import annotations

from typing import Optional

import machine
import pieces
from figures import BARE, Ratio
from series import Series

MEANING = """\
Medians of processor seconds, of all cores and all programs. What a goal leaves is what the cores could do in the time
that it allows, if none of them ever waited. A row whose pieces come to more **together** cannot reach its goal on these
cores; they are measured one by one, without the work of holding them together. **Fingerprint**: a backup with it, less
one without. **Digests**: SHA-256 of each file and of what is written, or read back. **JSON**: each file through the
standard library's parser, to tell a torn one from a whole one; nothing where the backup before held the same file.
**A second look** shows that a file held still.
"""
_PROOF = ["fingerprint", "digests", "JSON", "a second look"]
HEAD = ["processor seconds", "bare programs", *_PROOF, "together", "the goal leaves", "ours"]
_FILES = ("json", "full")
_FINGERPRINT = ("database", "full", "restore", "restore, lz4")


def row(ratio: Ratio, times: dict[str, Series], where: str) -> list[str]:
    """One line of the table, for a ``ratio`` whose bare programs were measured ``where``."""
    needed = [times[BARE[ratio.mine]].processor, *_proof(ratio.mine, times)]
    together = sum(one.median for one in needed if one is not None)
    left = ratio.goal * machine.cores() * times[ratio.theirs].median
    pieces_ = ["" if one is None else f"{one.median:.1f}" for one in needed]
    last = (together, left, times[ratio.mine].processor.median)
    return [f"{ratio.name}, {where}", *pieces_, *(f"{one:.1f}" for one in last)]


def _proof(mine: str, times: dict[str, Series]) -> list[Optional[Series]]:
    kind, parsed_before, _rest = mine.partition(", again")
    digests = times[pieces.artifact(kind if kind in _FILES else "database")]
    fingerprint = json = again = None
    if kind in _FINGERPRINT:
        fingerprint = times["database"].processor.minus(times["database without fingerprint"].processor)
    if kind in _FILES:
        digests = digests.plus(times[pieces.DIGESTS])
        json, again = None if parsed_before else times[pieces.JSON], times[pieces.AGAIN]
    return [fingerprint, digests, json, again]
