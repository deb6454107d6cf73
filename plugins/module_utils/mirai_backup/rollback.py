# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Undoes the last restore, and, called again, undoes that."""

from __future__ import annotations

import datetime
import os
from typing import Optional

from . import attended, exchange, in_place, lock, records, restores, safety, seal, side, text
from . import target as targets
from .config import Config
from .errors import EngineError, NotFoundError
from .hooks import Hooks
from .outcome import INCOMPLETE, OK, Outcome
from .restores import Journal
from .runs import Occasion
from .target import DatabaseTarget
from .watch import Log, Observer


def plan(config: Config) -> Outcome:
    """Which state would come back, and where the present one would go."""
    newest = _newest(config)
    journal = _journal(config, newest, _place(config, newest))
    lines = (f"comes back  {newest.names() or 'nothing was there before'}", f"goes aside  {journal.names()}")
    document = {"undoes": newest.backup, "database": journal.database, "directory": journal.data_dir}
    return Outcome({"plan": document}, lines)


def run(config: Config, observer: Optional[Observer] = None) -> Outcome:
    """Swap the state before the last restore (or rollback) back. Raises NotFoundError when none is kept.

    A rollback that died half way is finished, and that is all; a restore that was undone just now needs no more.
    """
    observer = observer or Observer(Log(config.log))
    return attended.run(config, Occasion("rollback"), observer, lambda hooks: _run(config, observer, hooks))


def _run(config: Config, observer: Observer, hooks: Hooks) -> Outcome:
    try:
        with lock.hold(config.repository, "rollback"), hooks.afterwards():
            with records.failures(config.repository, {"verb": "rollback"}, restores.interrupted("rollback")):
                seal.sweep(config.repository)
                settled = exchange.settle(config, observer)
                if any(_is_answer(one) for one in settled):
                    lines = tuple(map(str, settled))
                    return Outcome({"undone": settled[-1].journal.backup, "settled": list(lines)}, lines)
                document = _roll_back(config, observer, hooks)
                hooks.outcome = Outcome({"undone": document["undone"]})
    except EngineError as error:
        observer.say(f"rollback: FAILED: {error.words}", "ERROR")
        raise
    except KeyboardInterrupt as error:
        raise restores.interrupted("rollback") from error
    document["settled"] = list(map(str, settled))
    kept = document["previous"] and document["previous"] not in document["let_go"]
    lines = [
        *document["settled"],
        f"undone: the {document['verb']} of {document['undone']}; swapped within {document['window_seconds']:.2f} s",
        f"  in service again: what was {document['back'] or 'nothing'}",
        f"  set aside: {document['previous']}; mirai-backup rollback brings it back" if kept else "  nothing is kept",
        *(f"  otherwise  {one}" for one in document["incomplete"]),
        *(f"  let go     {one}" for one in document["let_go"]),
    ]
    return Outcome(document, tuple(lines), INCOMPLETE if document["incomplete"] else OK)


def _is_answer(settled: exchange.Settled) -> bool:
    """Whether settling did what a rollback is for: the state before the last restore is in service."""
    return settled.journal.verb != "copy" and settled.finished == (settled.journal.verb == "rollback")


def _roll_back(config: Config, observer: Observer, hooks: Hooks) -> dict:
    newest = _newest(config)
    place = _place(config, newest)
    hooks.before()
    planned = restores.write(config.repository, _journal(config, newest, place))
    with seal.staging(config.repository) as work:
        source = None
        try:
            if planned.is_in_place:
                source = in_place.safety_backup(newest.database["previous"])
                side.unpack(source, work, True, None)
        except BaseException:
            exchange.discard(config, planned, place)
            raise

        def load(journal: Journal) -> tuple:
            return safety.load(config, place, journal, source, work, observer)[:2]

        journal, window = exchange.carry_out(config, planned, place, observer, load if source is not None else None)
    incomplete = exchange.unrecorded(journal)
    let_go, problems = exchange.let_go_of_older(config, place, observer)
    incomplete += problems
    document = {
        "undone": newest.backup,
        "verb": newest.verb,
        "back": newest.names(),
        "previous": journal.names(),
        "let_go": let_go,
        "incomplete": incomplete,
        "window_seconds": round(window, 3),
    }
    incomplete += records.noted(config.repository, {**document, "verb": "rollback", "result": "ok"})
    return document


def _newest(config: Config) -> Journal:
    kept = restores.kept(config.repository)
    if not kept:
        raise NotFoundError("there is no previous state to return to", "mirai-backup list shows what is kept")
    return kept[-1]


def _place(config: Config, newest: Journal) -> Optional[DatabaseTarget]:
    return targets.find(config, newest.database["live"]) if newest.database else None


def _journal(config: Config, newest: Journal, place: Optional[DatabaseTarget]) -> Journal:
    """The swap that undoes ``newest``."""
    timestamp = restores.new_timestamp(config.repository)
    database = directory = None
    if newest.is_in_place:
        kept, previous = newest.database["previous"], restores.safety_directory(config.repository, timestamp)
        database = {"live": newest.database["live"], "side": kept, "previous": previous, "xid": ""}
    elif newest.database is not None:
        live = newest.database["live"]
        previous = targets.derived_name(live, f"_before_{timestamp}") if place.exists else ""
        database = {"live": live, "side": newest.database["previous"], "previous": previous}
    if newest.data_dir is not None:
        live = newest.data_dir["live"]
        previous = f"{live}_before_{timestamp}" if os.path.lexists(live) else ""
        directory = {"live": live, "side": newest.data_dir["previous"], "previous": previous}
    now = text.utc(datetime.datetime.now(datetime.timezone.utc))
    identity = f"{timestamp}_rollback"
    return Journal(identity, "rollback", newest.backup, now, "begun", database, directory, undoes=newest.id)
