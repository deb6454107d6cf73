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
from .errors import EngineError, Interrupted

DIRECTORY = ".restore"
_BEFORE = ".before"


@dataclass(frozen=True)
class Journal:
    """One restore (or rollback). ``state`` goes from ``begun`` over ``swapping`` to ``done``.

    ``undoing`` stands for a swap that is being taken back; what was undone leaves no journal. ``verb`` is restore,
    rollback or, for what is made beside the live halves, copy. ``undoes`` is the journal that a rollback undoes.

    ``database`` and ``data_dir`` map ``live`` to the name in service, ``side`` to what is to take its place, and
    ``previous`` to the name under which the old state is kept; None where the half is not touched. A directory that
    takes another's place has, from ``swapping`` on, ``staged`` besides, the inode of what was at ``side``; journals of
    older versions have not. A database that is restored in place has ``xid`` besides, the number of the one
    transaction, empty until that is about to commit; its ``side`` is the path of the backup that is loaded, its
    ``previous`` the directory of the safety backup.
    """

    id: str
    verb: str
    backup: str
    time: str
    state: str
    database: Optional[dict] = None
    data_dir: Optional[dict] = None
    kept: bool = True
    undoes: str = ""

    @property
    def is_in_place(self) -> bool:
        """Whether the database half is replaced within the database itself."""
        return self.database is not None and "xid" in self.database

    def names(self) -> str:
        """Where the previous state lies, for people."""
        found = []
        if self.database and self.database["previous"]:
            what = "the safety backup in" if self.is_in_place else "database"
            found.append(f"{what} {self.database['previous']}")
        if self.data_dir and self.data_dir["previous"]:
            found.append(self.data_dir["previous"])
        return " and ".join(found)


def interrupted(verb: str) -> Interrupted:
    """What ends a ``restore`` or ``rollback`` that somebody interrupts."""
    return Interrupted(f"the {verb} was interrupted", "run it again; it settles what was left")


def write(repository: str, journal: Journal) -> Journal:
    """Put the journal on disk and return it."""
    safefile.make_directory(os.path.join(repository, DIRECTORY))
    path = os.path.join(repository, DIRECTORY, f"{journal.id}.json")
    safefile.write(path, iter((json.dumps(asdict(journal), indent=1).encode("ascii"),)))
    return journal


def safety_directory(repository: str, timestamp: str) -> str:
    """Where the safety backup of a restore in place goes: never among the backups, which it must not pass for."""
    return os.path.join(repository, _BEFORE, timestamp)


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


def kept(repository: str) -> list[Journal]:
    """The journals whose previous state is still there, oldest first. What a rollback put back is none any more."""
    done = [one for one in journals(repository) if one.state == "done"]
    undone = {one.undoes for one in done}
    return [one for one in done if one.kept and one.id not in undone]


def surplus(repository: str, keep: int, new: tuple[str, ...] = ()) -> list[Journal]:
    """The journals whose previous states are older than the newest ``keep`` of each of their halves, newest first.

    ``new`` names the halves (database, data_dir) that another restore is going to keep a state of.
    """
    seen = {half: int(half in new) for half in ("database", "data_dir")}
    found = []
    for journal in reversed(kept(repository)):
        halves = [half for half in seen if getattr(journal, half)]
        for half in halves:
            seen[half] += 1
        if all(seen[half] > keep for half in halves):
            found.append(journal)
    return found


def unfinished(repository: str) -> Optional[str]:
    """The restore that did not end, in words; None where all did."""
    for journal in journals(repository):
        if journal.state != "done":
            return (
                f"{journal.verb} of {journal.backup} at {journal.time} is {journal.state}; "
                "the next restore, rollback or backup settles it"
            )
    return None


def previous_states(repository: str) -> list[dict]:
    """The states that restores left behind and that are still there, newest first."""
    return [
        {"verb": one.verb, "restored": one.backup, "time": one.time, "names": one.names(), "id": one.id}
        for one in reversed(kept(repository))
    ]
