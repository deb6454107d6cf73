# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Undoes the last restore, and, called again, undoes that."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Optional

from . import attended, exchange, lock, records, restores, text
from . import target as targets
from .config import Config
from .errors import EngineError, NotFoundError
from .hooks import Hooks
from .outcome import Outcome
from .restores import Journal
from .runs import Occasion
from .watch import Log, Observer


def plan(config: Config) -> Outcome:
    """Which state would come back, and where the present one would go."""
    newest = _newest(config)
    journal = _journal(config, newest)
    lines = (f"comes back  {newest.names() or 'nothing was there before'}", f"goes aside  {journal.names()}")
    document = {"undoes": newest.backup, "database": journal.database, "directory": journal.data_dir}
    return Outcome({"plan": document}, lines)


def run(config: Config, observer: Optional[Observer] = None) -> Outcome:
    """Swap the state before the last restore (or rollback) back. Raises NotFoundError when none is kept."""
    observer = observer or Observer(Log(config.log))
    return attended.run(config, Occasion("rollback"), observer, lambda hooks: _run(config, observer, hooks))


def _run(config: Config, observer: Observer, hooks: Hooks) -> Outcome:
    try:
        with lock.hold(config.repository, "rollback"), hooks.afterwards():
            settled = exchange.settle(config, observer)
            newest = _newest(config)
            hooks.before()
            journal = restores.write(config.repository, _journal(config, newest))
            place = targets.find(config, journal.database["live"]) if journal.database else None
            try:
                journal, window = exchange.carry_out(config, journal, place, observer)
            except BaseException:
                exchange.discard(config, journal, place)
                raise
            restores.write(config.repository, replace(newest, kept=False))
            let_go = exchange.let_go(config, place, observer)
            hooks.outcome = Outcome({"undone": newest.backup})
    except EngineError as error:
        observer.say(f"rollback: FAILED: {error.words}", "ERROR")
        raise
    document = {
        "undone": newest.backup,
        "back": newest.names(),
        "previous": journal.names(),
        "settled": settled,
        "let_go": let_go,
        "window_seconds": round(window, 3),
    }
    records.append(config.repository, {"verb": "rollback", "result": "ok", **document})
    lines = [
        *settled,
        f"undone: the restore of {newest.backup}; swapped within {window:.2f} s",
        f"  in service again: what was {newest.names() or 'nothing'}",
        f"  set aside: {journal.names()}; mirai-backup rollback brings it back",
    ]
    return Outcome(document, tuple(lines))


def _newest(config: Config) -> Journal:
    kept = [one for one in restores.journals(config.repository) if one.state == "done" and one.kept]
    if not kept:
        raise NotFoundError("there is no previous state to return to", "mirai-backup list shows what is kept")
    return kept[-1]


def _journal(config: Config, newest: Journal) -> Journal:
    """The swap that undoes ``newest``."""
    timestamp = restores.new_timestamp(config.repository)
    database = directory = None
    if newest.database is not None:
        live = newest.database["live"]
        previous = targets.derived_name(live, f"_before_{timestamp}")
        database = {"live": live, "side": newest.database["previous"], "previous": previous}
    if newest.data_dir is not None:
        live = newest.data_dir["live"]
        directory = {"live": live, "side": newest.data_dir["previous"], "previous": f"{live}_before_{timestamp}"}
    now = text.utc(datetime.datetime.now(datetime.timezone.utc))
    return Journal(f"{timestamp}_rollback", "rollback", newest.backup, now, "begun", database, directory)
