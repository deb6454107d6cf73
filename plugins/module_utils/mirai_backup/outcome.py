# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a verb returns: for programs a document, for people lines, for the shell an exit code."""

from __future__ import annotations

from dataclasses import dataclass

OK = 0
FAILED = 1
MISMATCH = 2
INCOMPLETE = 3
COULD_NOT_VERIFY = 4


@dataclass(frozen=True)
class Outcome:
    """``document`` is what ``--json`` prints and the module of the same name returns."""

    document: dict
    lines: tuple[str, ...] = ()
    exit_code: int = OK
