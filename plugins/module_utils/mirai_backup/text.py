# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sizes, durations, times, file names and differences as people read them."""

from __future__ import annotations

import datetime
from typing import Optional


def size(count: float) -> str:
    """``count`` bytes in words, such as ``1.3 GB`` (decimal units, as ls and df show with --si)."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """A length of time in words, such as ``3 d 4 h``, ``2 min 5 s`` or ``0.4 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    seconds = int(seconds)
    for unit, length, below, below_length in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= length:
            rest = seconds % length // below_length
            return f"{seconds // length} {unit} {rest} {below}" if rest else f"{seconds // length} {unit}"
    return f"{seconds} s"


def utc(moment: datetime.datetime) -> str:
    """A point in time as ISO 8601 in UTC."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_utc(text: str) -> datetime.datetime:
    """The point in time that ``utc`` wrote. Raises ValueError."""
    if len(text) != 27 or text[10] != "T" or text[26] != "Z":
        raise ValueError(f"{text!r} is not a time as the engine writes it")
    return datetime.datetime.fromisoformat(text[:26]).replace(tzinfo=datetime.timezone.utc)


def local(moment: datetime.datetime) -> str:
    """A point in time on this machine's clock, to the second, with its offset."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def table_difference(name: str, expected: Optional[int], found: Optional[int]) -> str:
    """How a table that is not as expected differs, by its numbers of rows; None where it is not there."""
    if found is None:
        return f"table {name} is missing"
    if expected is None:
        return f"table {name} is there, but was not in the snapshot"
    if expected != found:
        return f"table {name} has {found} rows instead of {expected}"
    return f"table {name} has other content in its {found} rows"


def unambiguous(name: str) -> str:
    """As ``printable``, and no two names give the same: a backslash of the name's own is doubled."""
    return printable(name.replace("\\", "\\\\"))


def printable(name: str) -> str:
    """A file name that can be printed and stored anywhere; bytes that are not UTF-8 appear as ``\\xNN``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
