# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remembers restores: a journal a restore, so that it can be undone, and finished after a death."""

from __future__ import annotations

import datetime
import json
import os
from dataclasses import asdict, dataclass, replace
from typing import Optional

from . import safefile
from .errors import EngineError

DIRECTORY = ".restore"


@dataclass(frozen=True)
class Journal:
    """One restore (or rollback). ``state`` goes from ``begun`` over ``swapping`` to ``done`` or ``undone``.

    ``database`` and ``data_dir`` map ``live`` to the name in service, ``side`` to what is to take its place, and
    ``previous`` to the name under which the old state is kept; None where the half is not touched.
    """

    id: str
    verb: str
    backup: str
    time: str
    state: str
    database: Optional[dict] = None
    data_dir: Optional[dict] = None
    kept: bool = True

    def names(self) -> str:
        """Where the previous state lies, for people."""
        found = [f"database {self.database['previous']}"] if self.database else []
        found += [self.data_dir["previous"]] if self.data_dir else []
        return " and ".join(found)


def write(repository: str, journal: Journal) -> Journal:
    """Put the journal on disk and return it."""
    safefile.make_directory(os.path.join(repository, DIRECTORY))
    path = os.path.join(repository, DIRECTORY, f"{journal.id}.json")
    safefile.write(path, iter((json.dumps(asdict(journal), indent=1).encode("ascii"),)))
    return journal


def new_timestamp(repository: str) -> str:
    """The local time as names carry it, moved on until no journal bears it: the names of old states derive from it."""
    now = datetime.datetime.now()
    taken = {journal.id[:15] for journal in journals(repository)}
    while now.strftime("%Y%m%d_%H%M%S") in taken:
        now += datetime.timedelta(seconds=1)
    return now.strftime("%Y%m%d_%H%M%S")


def advance(repository: str, journal: Journal, state: str) -> Journal:
    """The journal in its next state, on disk."""
    return write(repository, replace(journal, state=state))


def remove(repository: str, journal: Journal) -> None:
    """Forget a restore that never touched anything in service."""
    os.unlink(os.path.join(repository, DIRECTORY, f"{journal.id}.json"))


def journals(repository: str) -> list[Journal]:
    """Every journal, oldest first. Raises EngineError for one that cannot be read."""
    directory = os.path.join(repository, DIRECTORY)
    found = []
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        if name.startswith("."):
            continue
        path = os.path.join(directory, name)
        try:
            with open(path, "rb") as file:
                found.append(Journal(**json.load(file)))
        except (OSError, ValueError, TypeError) as error:
            raise EngineError(f"journal {path} cannot be read: {error}", "move it away once you know why") from error
    return found


def unfinished(repository: str) -> Optional[str]:
    """The restore that did not end, in words; None where all did."""
    for journal in journals(repository):
        if journal.state in ("begun", "swapping"):
            return f"{journal.verb} of {journal.backup} at {journal.time} is {journal.state}"
    return None


def previous_states(repository: str) -> list[dict]:
    """The states that restores left behind and that are still there, newest first."""
    return [
        {"restored": one.backup, "time": one.time, "names": one.names(), "id": one.id}
        for one in reversed(journals(repository))
        if one.state == "done" and one.kept
    ]
