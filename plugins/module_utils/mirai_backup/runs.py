# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How runs ended: the last one of each verb and kind, remembered in the repository's ``.watch/runs.json``."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
from dataclasses import dataclass

from . import safefile, text
from .errors import EngineError
from .outcome import INCOMPLETE, OK, Outcome

DIRECTORY = ".watch"
_FILE = "runs.json"
_MANY = 3


@dataclass(frozen=True)
class Occasion:
    """What is being run: the verb, for backups and restores the kind, and the backup as it was asked for."""

    verb: str
    kind: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Run:
    """A run that ended. ``result`` is ok, incomplete or failed; ``ended`` in UTC, ``duration_seconds`` in seconds.

    ``backup`` is the ID of what was made, restored or drilled; ``cause`` and ``next_step`` belong to a run that is
    not ok; ``problems`` are what those who watch it could not do, such as a hook or an alert.
    """

    verb: str
    kind: str
    result: str
    exit_code: int
    ended: str
    duration_seconds: float
    backup: str = ""
    cause: str = ""
    next_step: str = ""
    problems: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Verb and kind, for people."""
        return f"{self.verb} {self.kind}".strip()

    @property
    def ended_at(self) -> datetime.datetime:
        """When it ended."""
        return text.parse_utc(self.ended)


def of_outcome(occasion: Occasion, outcome: Outcome, seconds: float) -> Run:
    """The run that returned ``outcome``."""
    document = outcome.document
    result = {OK: "ok", INCOMPLETE: "incomplete"}.get(outcome.exit_code, "failed")
    cause = next_step = ""
    if result == "incomplete":
        found = list(document.get("incomplete", ()))
        more = f" (and {len(found) - _MANY} more)" if len(found) > _MANY else ""
        cause = "; ".join(found[:_MANY]) + more
        next_step = "see the log"
    elif result == "failed":  # a drill; what it compared may hold content, so only the checks are named
        verdict = document["verdict"]
        names = [one["name"] for one in document["checks"] if one["verdict"] == verdict]
        cause = f"{verdict}: {', '.join(names)}"
        next_step = f"read {os.path.join(document['directory'], 'report.html')}"
    return Run(
        occasion.verb,
        occasion.kind,
        result,
        outcome.exit_code,
        _now(),
        round(seconds, 3),
        _backup_id(document) or occasion.subject,
        cause,
        next_step,
    )


def of_error(occasion: Occasion, error: BaseException, seconds: float) -> Run:
    """The run that ended in ``error``."""
    if isinstance(error, EngineError):
        code, cause, next_step = error.exit_code, error.message, error.next_step
    elif isinstance(error, KeyboardInterrupt):
        code, cause, next_step = 130, "it was interrupted", "run it again"
    else:
        code, cause, next_step = 1, f"{type(error).__name__}: {error}", "see the log"
    return Run(
        occasion.verb, occasion.kind, "failed", code, _now(), round(seconds, 3), occasion.subject, cause, next_step
    )


def last(repository: str) -> dict[tuple[str, str], Run]:
    """The last run of each verb and kind. Raises OSError; a file that cannot be understood counts as none."""
    try:
        with open(os.path.join(repository, DIRECTORY, _FILE), "rb") as file:
            values = json.loads(file.read())
        found = [Run(**{**one, "problems": tuple(one["problems"])}) for one in values["runs"]]
        for one in found:
            text.parse_utc(one.ended)
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError):
        return {}
    return {(one.verb, one.kind): one for one in found}


def remember(repository: str, run: Run) -> None:
    """Keep ``run`` as the last of its verb and kind. Raises OSError."""
    known = last(repository)
    known[(run.verb, run.kind)] = run
    directory = os.path.join(repository, DIRECTORY)
    safefile.make_directory(directory)
    document = {"runs": [dataclasses.asdict(known[key]) for key in sorted(known)]}
    safefile.write(os.path.join(directory, _FILE), iter((json.dumps(document, indent=1).encode("ascii"),)))


def _backup_id(document: dict) -> str:
    backup = document.get("backup")
    if isinstance(backup, dict):
        return backup["id"]
    return document.get("restored") or document.get("undone") or ""


def _now() -> str:
    return text.utc(datetime.datetime.now(datetime.timezone.utc))
