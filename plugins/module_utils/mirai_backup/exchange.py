# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries a journal through: old out, new in, both halves; forwards, backwards, and after a death."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, replace
from typing import Callable, Optional

from . import in_place, restores, side, smoke, swap
from . import target as targets
from .config import Config
from .errors import EngineError
from .postgres import Session
from .restores import Journal
from .target import DatabaseTarget
from .watch import Observer

# Loads the database within itself and leaves the transaction open.
Load = Callable[[Journal], tuple[Journal, Session]]


@dataclass(frozen=True)
class Settled:
    """A journal that a dead run left, and whether it was ``finished``, or else undone."""

    journal: Journal
    finished: bool

    def __str__(self) -> str:
        what = f"a {self.journal.verb} of {self.journal.backup} had died"
        if not self.finished:
            return f"{what}: undone, the old state is in service"
        tests = "" if self.journal.verb != "restore" else "; smoke tests were left out, mirai-backup rollback undoes it"
        return f"{what} while swapping: it is finished now{tests}"


def carry_out(
    config: Config, journal: Journal, place: Optional[DatabaseTarget], observer: Observer, load: Optional[Load] = None
) -> tuple[Journal, float]:
    """Stop the services, swap both halves, start the services, run the smoke tests of a restore.

    ``load`` is for a database that is replaced in place. Returns the finished journal, as it is on disk (see
    ``unrecorded``), and the seconds during which neither state was wholly in service. When anything fails, a smoke
    test too, the old state is put back into service and the journal removed before the error is raised; if even that
    fails, the journal stays to be settled.
    """
    session = None
    try:
        swap.services("stop", config.app_services)
        _look_again(journal, place)
        begun = time.monotonic()
        if load is not None:
            journal, session = load(journal)
        journal = restores.advance(config.repository, _marked(journal), "swapping")
        begun = begun if load is not None else time.monotonic()
        if session is not None:
            session.commit()
        at_once = _forward(journal, place)
        window = time.monotonic() - begun
        swap.services("start", config.app_services)
        if journal.verb == "restore":
            smoke.run(config.restore_smoke, place, config.restore_smoke_timeout)
    except BaseException as error:
        observer.say(f"{journal.verb} {journal.backup}: putting the old state back: {error}", "ERROR")
        if session is not None:
            session.close()
        _undo(config, _undoing(config, journal) if journal.state == "swapping" else journal, place)
        raise
    if session is not None:
        session.close()
    journal = _recorded(config, journal, observer)
    if not at_once:
        what = f"{journal.data_dir['live']} was away between two renames"
        observer.say(f"{what}: its file system cannot exchange two directories at one instant", "WARNING")
    observer.say(f"{journal.verb} {journal.backup}: in service, swapped within {window:.2f} s")
    return journal, window


def unrecorded(journal: Journal) -> list[str]:
    """What is incomplete of a ``journal`` that was carried out: it could not be marked as done. Empty where it was."""
    if journal.state == "done":
        return []
    return [f"journal {journal.id} could not be marked as done; the next restore, rollback or backup does so"]


def settle(config: Config, observer: Observer) -> tuple[Settled, ...]:
    """Finish or undo what a dead restore left (call it under the lock, once that is swept); returns what was done."""
    done = []
    for journal in restores.journals(config.repository):
        if journal.state == "done":
            continue
        place = targets.find(config, journal.database["live"]) if journal.database else None
        finished = journal.state == "swapping" and _any_done(journal, place)
        if finished:
            if journal.verb != "copy":
                swap.services("stop", config.app_services)
            _forward(journal, place)
            if journal.verb == "copy":
                restores.remove(config.repository, journal)
            else:
                swap.services("start", config.app_services)
                restores.advance(config.repository, journal, "done")
        else:
            _undo(config, journal, place)
        done.append(Settled(journal, finished))
        observer.say(str(done[-1]), "WARNING")
    _clear_loaded(config)  # after a rollback that was finished just now, or died before it did so
    return tuple(done)


def copied(config: Config, journal: Journal, place: Optional[DatabaseTarget]) -> None:
    """Give the finished halves beside the live ones the names that the operator chose."""
    journal = restores.advance(config.repository, journal, "swapping")
    _forward(journal, place)
    restores.remove(config.repository, journal)


def discard(config: Config, journal: Journal, place: Optional[DatabaseTarget]) -> None:
    """Remove what was made beside the live halves, and the journal. A rollback's side is a state that is kept."""
    if journal.is_in_place:
        _remove_directory(journal.database["previous"])
    elif journal.verb != "rollback" and journal.database and place is not None:
        side.drop_database(place, journal.database["side"])
    if journal.verb != "rollback" and journal.data_dir:
        _remove_directory(journal.data_dir["side"])
    restores.remove(config.repository, journal)


def let_go(config: Config, place: Optional[DatabaseTarget], observer: Observer) -> list[str]:
    """Remove previous states that are older than the newest ``keep_previous`` of each half; returns their names."""
    gone = []
    _clear_loaded(config)
    for journal in restores.surplus(config.repository, config.keep_previous):
        if journal.is_in_place:
            _remove_directory(journal.database["previous"])
        elif journal.database and journal.database["previous"]:
            side.drop_database(place or targets.find(config), journal.database["previous"])
        if journal.data_dir:
            _remove_directory(journal.data_dir["previous"])
        restores.write(config.repository, replace(journal, kept=False))
        gone.append(journal.names())
        observer.say(f"previous state let go: {journal.names()}")
    return gone


def let_go_of_older(config: Config, place: Optional[DatabaseTarget], observer: Observer) -> tuple[list[str], list[str]]:
    """The same after a swap, which stands whatever becomes of the older states; also returns what went wrong."""
    try:
        return let_go(config, place, observer), []
    except (EngineError, OSError) as error:
        return [], [f"an older previous state could not be let go: {error}"]


def _undo(config: Config, journal: Journal, place: Optional[DatabaseTarget]) -> None:
    """Put the old state back and start the services, whatever else goes wrong; then forget the journal."""
    if journal.state == "begun" or journal.verb == "copy":  # nothing was swapped; the services may have been stopped
        try:
            swap.services("start", config.app_services if journal.verb != "copy" else ())
        finally:
            discard(config, journal, place)
        return
    try:
        swap.services("stop", config.app_services)
    finally:
        try:
            _back(config, journal, place)
        finally:
            swap.services("start", config.app_services)
    discard(config, journal, place)


def _undoing(config: Config, journal: Journal) -> Journal:
    try:
        return restores.advance(config.repository, journal, "undoing")
    except OSError:  # a full disk must not keep the old state from coming back
        return replace(journal, state="undoing")


def _recorded(config: Config, journal: Journal, observer: Observer) -> Journal:
    """The journal marked as done; as it was where that cannot be written, since what is in service stays there."""
    try:
        return restores.advance(config.repository, journal, "done")
    except OSError as error:
        observer.say(f"journal {journal.id} cannot be marked as done: {error}", "ERROR")
        return journal


def _look_again(journal: Journal, place: Optional[DatabaseTarget]) -> None:
    """Raise EngineError when a half in service was taken away since the plan was made."""
    if journal.database and place is not None:
        present = targets.database_exists(place, journal.database["live"])
        if present != bool(journal.database["previous"]):
            raise EngineError(
                f"database {journal.database['live']} was {'made' if present else 'taken away'} during the restore",
                "see who did that, then try again; nothing was swapped",
            )
    if journal.data_dir:
        present = os.path.lexists(journal.data_dir["live"])
        if present != bool(journal.data_dir["previous"]):
            raise EngineError(
                f"directory {journal.data_dir['live']} was {'made' if present else 'taken away'} during the restore",
                "see who did that, then try again; nothing was swapped",
            )


def _marked(journal: Journal) -> Journal:
    """The journal that knows the directory which is to go into service by more than its name."""
    names = journal.data_dir
    if not names or not names["side"] or not names["previous"]:
        return journal
    return replace(journal, data_dir={**names, "staged": swap.number(names["side"])})


def _forward(journal: Journal, place: Optional[DatabaseTarget]) -> bool:
    """Swap every half that is still to be swapped; False when a directory was away for an instant."""
    if journal.database and not _database_done(journal, place):
        swap.databases(place, **journal.database)
    if journal.data_dir and not _directory_done(journal):
        return swap.directories(**journal.data_dir)
    return True


def _back(config: Config, journal: Journal, place: Optional[DatabaseTarget]) -> None:
    """Put back every half that was swapped."""
    if journal.data_dir:
        swap.directories_back(**journal.data_dir)
    if not journal.database or not _database_done(journal, place):
        return
    names = journal.database
    if journal.is_in_place:
        in_place.bring_back(config, place, names["previous"])
    else:
        swap.databases(place, live=names["live"], side=names["previous"], previous=names["side"])


def _any_done(journal: Journal, place: Optional[DatabaseTarget]) -> bool:
    """Whether a swap that was cut off is to be finished. In place the transaction decides: it cannot be had again."""
    if journal.is_in_place:
        return _database_done(journal, place)
    if journal.database and _database_done(journal, place):
        return True
    names = journal.data_dir
    return bool(names) and (_directory_done(journal) or swap.exchanged(**names) or not os.path.lexists(names["live"]))


def _database_done(journal: Journal, place: DatabaseTarget) -> bool:
    names = journal.database
    if journal.is_in_place:
        return in_place.committed(place, names["xid"], names.get("system", ""))
    if names["side"]:
        return not targets.database_exists(place, names["side"])
    return not targets.database_exists(place, names["live"])


def _directory_done(journal: Journal) -> bool:
    names = journal.data_dir
    if names["side"]:
        return not os.path.lexists(names["side"])
    return not os.path.lexists(names["live"])


def _clear_loaded(config: Config) -> None:
    """Remove the safety backups that rollbacks have loaded: unlike a renamed database they would stay."""
    done = [one for one in restores.journals(config.repository) if one.state == "done"]
    undone = {one.undoes for one in done}
    for journal in done:
        if journal.is_in_place and journal.id in undone:
            _remove_directory(journal.database["previous"])


def _remove_directory(path: str) -> None:
    if path and os.path.lexists(path):
        shutil.rmtree(path)
