# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Restores a backup: verify, plan, make both halves beside the live ones, prove them, swap, keep the old state."""

from __future__ import annotations

import datetime
import os
import shutil
import time
from typing import Iterator, Optional

from . import (
    attended,
    exchange,
    filesproof,
    lock,
    manifest,
    partial,
    records,
    restore_plan,
    restores,
    roles,
    seal,
    side,
    text,
    unlock,
    verify,
)
from . import target as targets
from .config import Config
from .errors import EngineError, Interrupted, MismatchError
from .hooks import Hooks
from .outcome import INCOMPLETE, OK, Outcome
from .process import Command
from .restore_plan import Request, RestorePlan
from .restores import Journal
from .runs import Occasion
from .watch import Log, Observer

__all__ = ["Request", "plan", "run"]


def plan(config: Config, request: Request) -> Outcome:
    """What ``run`` would do, found out without changing a byte."""
    return partial.plan(config, request) if request.is_partial else restore_plan.run(config, request)


def run(config: Config, request: Request, observer: Optional[Observer] = None) -> Outcome:
    """Restore what ``request`` asks for. Raises an EngineError; then what was in service still is.

    The document says what was restored, what was proven, where the previous state lies, and how long the swap took.
    """
    observer = observer or Observer(Log(config.log))
    occasion = Occasion("restore", request.components, request.backup)
    return attended.run(config, occasion, observer, lambda hooks: _run(config, request, observer, hooks))


def _run(config: Config, request: Request, observer: Observer, hooks: Hooks) -> Outcome:
    begun = time.monotonic()
    observer.say(f"restore {request.backup}: begun")
    try:
        if request.is_partial:
            return partial.run(config, request, observer)
        with lock.hold(config.repository, "restore"), hooks.afterwards():
            seal.sweep(config.repository)
            settled = exchange.settle(config, observer)
            plan_ = restore_plan.make(config, request)
            restore_plan.preflight(plan_, request.confirm)
            with unlock.unlocked(config, plan_.backup, request.access) as decryption:
                verify.check(config, plan_.backup, observer, decryption)
                with _failures_recorded(config, plan_):
                    if plan_.swaps:
                        hooks.before()
                    outcome = hooks.outcome = _restore(config, plan_, decryption, observer, begun)
        return Outcome({**outcome.document, "settled": settled}, (*settled, *outcome.lines), outcome.exit_code)
    except EngineError as error:
        observer.say(f"restore {request.backup}: FAILED: {error.words}", "ERROR")
        raise
    except KeyboardInterrupt as error:
        raise Interrupted("the restore was interrupted", "run it again; it settles what was left") from error
    finally:
        observer.done()


def _restore(
    config: Config, plan_: RestorePlan, decryption: tuple[Command, ...], observer: Observer, begun: float
) -> Outcome:
    head = plan_.backup.manifest
    journal = _journal(config, plan_)
    restores.write(config.repository, journal)
    phases = {"verify": time.monotonic() - begun}
    notes: list = []
    try:
        with seal.staging(config.repository) as work:
            proof = dict(_make_halves(config, plan_, decryption, journal, work, observer, phases, notes))
    except BaseException:
        exchange.discard(config, journal, plan_.database)
        raise
    window = 0.0
    if plan_.swaps:
        try:
            journal, window = exchange.carry_out(config, journal, plan_.database, observer)
        except BaseException:
            exchange.discard(config, journal, plan_.database)
            raise
    else:
        _beside(journal, plan_)
        restores.remove(config.repository, journal)
    incomplete = list(proof.get("database", {}).get("schema_differences", []))
    let_go = []
    try:
        let_go = exchange.let_go(config, plan_.database, observer) if plan_.swaps else []
    except (EngineError, OSError) as error:  # the restore stands
        incomplete.append(f"an older previous state could not be let go: {error}")
    seconds = time.monotonic() - begun
    document = {
        "restored": head.id,
        "strategy": "swap" if plan_.swaps else "beside",
        "database": plan_.database.live if plan_.database else None,
        "directory": plan_.directory or None,
        "proof": proof,
        "previous": journal.names() if plan_.swaps else "",
        "let_go": let_go,
        "notes": notes,
        "incomplete": incomplete,
        "window_seconds": round(window, 3),
        "duration_seconds": round(seconds, 3),
        "phases": {name: round(value, 3) for name, value in phases.items()},
    }
    records.append(config.repository, {"verb": "restore", "result": "ok", **document})
    return Outcome(document, _lines(plan_, document), INCOMPLETE if incomplete else OK)


def _make_halves(
    config: Config,
    plan_: RestorePlan,
    decryption: tuple[Command, ...],
    journal: Journal,
    work: str,
    observer: Observer,
    phases: dict,
    notes: list,
) -> Iterator[tuple[str, dict]]:
    """Make and prove each half beside the live one; yields the name of the half and its proof."""
    head = plan_.backup.manifest
    moment = time.monotonic()
    staged = journal.data_dir["side"] if journal.data_dir else None
    side.unpack(plan_.backup, work, journal.database is not None, staged, decryption)
    phases["unpack"] = time.monotonic() - moment
    if journal.database is not None:
        place, name = plan_.database, journal.database["side"]
        moment = time.monotonic()
        observer.say(f"restoring into the side database {name}")
        for line in roles.create(place, plan_.backup, plan_.missing_roles, decryption):
            observer.say(line, "WARNING")
            notes.append(line)
        side.create_database(place, name, head.database["properties"])
        side.load(place, name, work, config.jobs, head, toast=config.restore_toast_compression)
        side.dress(place, name, head.database["properties"])
        phases["load"] = time.monotonic() - moment
        moment = time.monotonic()
        yield "database", side.prove(place, name, head)
        phases["prove"] = time.monotonic() - moment
    if staged is not None:
        lines = filesproof.differences(staged, manifest.read_entries(plan_.backup.manifest_path, head))
        if lines:
            raise MismatchError(
                f"the files restored from {head.id} are not what was backed up: {'; '.join(lines[:10])}",
                "nothing in service was touched; try another backup",
            )
        yield "json", {"verdict": "pass", "files": head.files["count"]}


def _journal(config: Config, plan_: RestorePlan) -> Journal:
    """What is about to happen, by name."""
    timestamp = restores.new_timestamp(config.repository)
    database = directory = None
    if plan_.database is not None:
        live = plan_.database.live
        database = {
            "live": live,
            "side": targets.derived_name(live, f"_restore_{timestamp}"),
            "previous": targets.derived_name(live, f"_before_{timestamp}") if plan_.database.exists else "",
        }
    if plan_.directory:
        directory = {
            "live": plan_.directory,
            "side": f"{plan_.directory}_restore_{timestamp}",
            "previous": f"{plan_.directory}_before_{timestamp}" if os.path.lexists(plan_.directory) else "",
        }
    now = text.utc(datetime.datetime.now(datetime.timezone.utc))
    return Journal(timestamp, "restore", plan_.backup.id, now, "begun", database, directory)


def _beside(journal: Journal, plan_: RestorePlan) -> None:
    """Give the finished halves the names that the operator chose."""
    if journal.database is not None:
        place = plan_.database
        old, new = (targets.postgres.identifier(journal.database[name]) for name in ("side", "live"))
        place.execute(f"ALTER DATABASE {old} RENAME TO {new}")
    if journal.data_dir is not None:
        os.rename(journal.data_dir["side"], journal.data_dir["live"])


class _failures_recorded:
    """Puts a failed restore into the metadata log, and turns system errors into EngineErrors."""

    def __init__(self, config: Config, plan_: RestorePlan) -> None:
        self._config = config
        self._plan = plan_

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: Optional[BaseException], _traceback: object) -> None:
        if error is None:
            return
        if isinstance(error, (OSError, shutil.Error)):
            where = getattr(error, "filename", None) or self._config.repository
            wrapped = EngineError(f"{where}: {error.strerror or error}", "free space, or see the system's log")
        else:
            wrapped = error
        if isinstance(wrapped, EngineError):
            record = {"verb": "restore", "result": "failed", "backup": self._plan.backup.id, **wrapped.document()}
            records.append(self._config.repository, record)
        if wrapped is not error:
            raise wrapped from error


def _lines(plan_: RestorePlan, document: dict) -> tuple[str, ...]:
    lines = [f"restored {document['restored']} in {text.duration(document['duration_seconds'])}"]
    proof = document["proof"]
    if "database" in proof:
        one = proof["database"]
        proven = (
            f"{one['tables']} tables, {one['rows']} rows proven"
            if one["verdict"] == "pass"
            else "no fingerprint to prove it by"
        )
        lines.append(f"  database   {document['database']}: {proven}")
    if "json" in proof:
        lines.append(f"  files      {document['directory']}: {proof['json']['files']} files proven")
    if plan_.swaps:
        lines.append(f"  swapped within {document['window_seconds']:.2f} s")
        lines.append(f"  before     {document['previous'] or 'nothing was there'}")
        lines.append("  undo with  mirai-backup rollback")
    lines += [f"  note       {one}" for one in document["notes"]]
    lines += [f"  otherwise  {one}" for one in document["incomplete"]]
    lines += [f"  let go     {one}" for one in document["let_go"]]
    return tuple(lines)
