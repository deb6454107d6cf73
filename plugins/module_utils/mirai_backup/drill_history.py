# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remembers drills: a line for each in ``drills/history.log``."""

from __future__ import annotations

import json
import os

from . import safefile

DIRECTORY = "drills"
_FILE = "history.log"


def rows(repository: str) -> list[dict]:
    """One row a drill, oldest first: id, started, verdict, backup, rto_seconds, size, duration_seconds."""
    try:
        with open(os.path.join(repository, DIRECTORY, _FILE), "rb") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:  # a dying drill left it torn
            continue
        if isinstance(row, dict) and "backup" in row and "verdict" in row:
            found.append(row)
    return found


def passed(repository: str) -> frozenset:
    """The ids of the backups whose last decisive drill was passed; a later failure takes that back."""
    last = {row["backup"]: row["verdict"] for row in rows(repository) if row["verdict"] in ("pass", "fail")}
    return frozenset(backup for backup, verdict in last.items() if verdict == "pass")


def append(repository: str, row: dict) -> None:
    """Add the row of one drill."""
    safefile.append_line(os.path.join(repository, DIRECTORY, _FILE), json.dumps(row).encode("ascii"))
