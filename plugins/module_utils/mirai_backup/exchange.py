# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries a journal through: old out, new in, both halves; forwards, backwards, and after a death."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from typing import Optional

from . import restores, side, smoke, swap
from . import target as targets
from .config import Config
from .restores import Journal
from .target import DatabaseTarget
from .watch import Observer


def carry_out(
    config: Config, journal: Journal, place: Optional[DatabaseTarget], observer: Observer
) -> tuple[Journal, float]:
    """Stop the services, swap both halves, start the services, run the smoke tests of a restore.

    Returns the finished journal and the seconds during which neither state was wholly in service. When anything
    fails, a smoke test too, the old state is put back into service before the error is raised.
    """
    try:
        swap.services("stop", config.app_services)
        journal = restores.advance(config.repository, journal, "swapping")
        begun = time.monotonic()
        _forward(journal, place)
        window = time.monotonic() - begun
        swap.services("start", config.app_services)
        if journal.verb == "restore":
            smoke.run(config.restore_smoke, place, config.restore_smoke_timeout)
    except BaseException as error:
        observer.say(f"{journal.verb} {journal.backup}: putting the old state back: {error}", "ERROR")
        _undo(config, journal, place)
        raise
    journal = restores.advance(config.repository, journal, "done")
    observer.say(f"{journal.verb} {journal.backup}: in service, swapped within {window:.2f} s")
    return journal, window


def _undo(config: Config, journal: Journal, place: Optional[DatabaseTarget]) -> None:
    """Put the old state back and start the services, whatever else goes wrong."""
    try:
        swap.services("stop", config.app_services)
    finally:
        try:
            _back(journal, place)
            restores.advance(config.repository, journal, "begun")
        finally:
            swap.services("start", config.app_services)


def settle(config: Config, observer: Observer) -> list[str]:
    """Finish or undo what a dead restore left (call it under the lock); returns what was done, in words."""
    said = []
    for journal in restores.journals(config.repository):
        if journal.state not in ("begun", "swapping"):
            continue
        place = targets.find(config, journal.database["live"]) if journal.database else None
        if journal.state == "swapping" and _any_done(journal, place):
            _forward(journal, place)
            restores.advance(config.repository, journal, "done")
            swap.services("start", config.app_services)
            said.append(f"a {journal.verb} of {journal.backup} had died while swapping: it is finished now")
        else:
            discard(config, journal, place)
            swap.services("start", config.app_services)
            said.append(
                f"a {journal.verb} of {journal.backup} had died: undone, the old state was in service all along"
            )
    for line in said:
        observer.say(line, "WARNING")
    return said


def discard(config: Config, journal: Journal, place: Optional[DatabaseTarget]) -> None:
    """Remove what a restore made beside the live halves, and its journal. A rollback made nothing: it is kept."""
    if journal.verb == "restore":
        if journal.database and place is not None:
            side.drop_database(place, journal.database["side"])
        if journal.data_dir and os.path.lexists(journal.data_dir["side"]):
            shutil.rmtree(journal.data_dir["side"])
    restores.remove(config.repository, journal)


def let_go(config: Config, place: Optional[DatabaseTarget], observer: Observer) -> list[str]:
    """Remove previous states that are older than the newest ``keep_previous`` of each half; returns their names."""
    gone = []
    seen = {"database": 0, "data_dir": 0}
    for journal in reversed(restores.journals(config.repository)):
        if journal.state != "done" or not journal.kept:
            continue
        halves = [half for half in seen if getattr(journal, half)]
        for half in halves:
            seen[half] += 1
        if any(seen[half] <= config.keep_previous for half in halves):
            continue
        if journal.database and journal.database["previous"]:
            side.drop_database(place or targets.find(config), journal.database["previous"])
        if journal.data_dir and journal.data_dir["previous"] and os.path.lexists(journal.data_dir["previous"]):
            shutil.rmtree(journal.data_dir["previous"])
        restores.write(config.repository, replace(journal, kept=False))
        gone.append(journal.names())
        observer.say(f"previous state let go: {journal.names()}")
    return gone


def _forward(journal: Journal, place: Optional[DatabaseTarget]) -> None:
    """Swap every half that is still to be swapped."""
    if journal.database and not _database_done(journal, place):
        swap.databases(place, **journal.database)
    if journal.data_dir and not _directory_done(journal):
        swap.directories(**journal.data_dir)


def _back(journal: Journal, place: Optional[DatabaseTarget]) -> None:
    """Put back every half that was swapped."""
    if journal.data_dir:
        swap.directories_back(**journal.data_dir)
    if journal.database and _database_done(journal, place):
        names = journal.database
        swap.databases(place, live=names["live"], side=names["previous"], previous=names["side"])


def _any_done(journal: Journal, place: Optional[DatabaseTarget]) -> bool:
    if journal.database and _database_done(journal, place):
        return True
    return bool(journal.data_dir) and (_directory_done(journal) or not os.path.lexists(journal.data_dir["live"]))


def _database_done(journal: Journal, place: DatabaseTarget) -> bool:
    names = journal.database
    if names["side"]:
        return not targets.database_exists(place, names["side"])
    return not targets.database_exists(place, names["live"])


def _directory_done(journal: Journal) -> bool:
    names = journal.data_dir
    if names["side"]:
        return not os.path.lexists(names["side"])
    return not os.path.lexists(names["live"])
