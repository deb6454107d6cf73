# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Restores a backup: verify, plan, make both halves beside the live ones, prove them, swap, keep the old state."""

from __future__ import annotations

import datetime
import os
import time
from dataclasses import replace
from typing import Iterator, Optional

from . import (
    attended,
    exchange,
    filesproof,
    lock,
    manifest,
    partial,
    pull,
    records,
    repository,
    restore_plan,
    restores,
    roles,
    safety,
    seal,
    selector,
    side,
    text,
    unlock,
)
from . import target as targets
from .command import Command
from .config import Config
from .errors import EngineError, MismatchError
from .hooks import Hooks
from .outcome import INCOMPLETE, OK, Outcome
from .repository import Backup
from .restore_plan import Request, RestorePlan
from .restores import Journal
from .runs import Occasion
from .watch import Log, Observer

__all__ = ["Request", "plan", "run"]


def plan(config: Config, request: Request) -> Outcome:
    """What ``run`` would do, found out without changing a byte."""
    listing = None
    if request.offsite:
        listing = pull.find(config, request.backup, request.store, _components(request)).listing
    return (partial.plan if request.is_partial else restore_plan.run)(config, request, listing)


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
        if os.path.isdir(config.repository):  # an empty one, as on a fresh server, lacks what is in it
            repository.create(config.repository)
        if request.offsite:
            pulled = pull.fetch(config, request.backup, request.store, observer, _components(request))
            request = replace(request, backup=pulled["pulled"])
        if request.is_partial:
            return partial.run(config, request, observer)
        with lock.hold(config.repository, "restore"), hooks.afterwards():
            row = {"verb": "restore", "backup": request.backup}
            with records.failures(config.repository, row, restores.interrupted("restore")):
                seal.sweep(config.repository)
                settled = exchange.settle(config, observer)
                outcome = _already(config, request, settled)
                if outcome is None:
                    plan_ = restore_plan.make(config, request)
                    row["backup"] = plan_.backup.id
                    outcome = _fresh(config, request, plan_, observer, hooks, begun, bool(settled))
        lines = tuple(map(str, settled))
        return Outcome({**outcome.document, "settled": list(lines)}, (*lines, *outcome.lines), outcome.exit_code)
    except EngineError as error:
        observer.say(f"restore {request.backup}: FAILED: {error.words}", "ERROR")
        raise
    except KeyboardInterrupt as error:
        raise restores.interrupted("restore") from error
    finally:
        observer.done()


def _components(request: Request) -> frozenset:
    """The halves that a backup must hold for ``request``."""
    return partial.components(request) if request.is_partial else restore_plan.components(request)


def _fresh(
    config: Config,
    request: Request,
    plan_: RestorePlan,
    observer: Observer,
    hooks: Hooks,
    begun: float,
    settled: bool,
) -> Outcome:
    """Carry out the restore that is planned."""
    restore_plan.preflight(plan_, request.confirm)
    with unlock.unlocked(config, plan_.backup, request.access) as decryption:
        hooks.outcome = _restore(config, plan_, decryption, observer, hooks, begun, settled)
    return hooks.outcome


def _already(config: Config, request: Request, settled: tuple) -> Optional[Outcome]:
    """What to say when this very restore was finished just now, out of what a dead run had left; else None.

    Doing it once more would push the state before it out of what is kept. Proven anew, since time has passed.
    """
    finished = [one.journal for one in settled if one.finished and one.journal.verb == "restore"]
    if not finished or request.to_database or request.to_dir:
        return None
    journal, wanted = finished[-1], selector.COMPONENTS[request.components]
    backup = selector.resolve(repository.listing(config.repository), request.backup, wanted)
    halves = {name for name, half in (("database", journal.database), ("json", journal.data_dir)) if half}
    if backup.id != journal.backup or halves != wanted:
        return None
    proof: dict = {}
    try:
        if journal.database:
            place = targets.find(config, journal.database["live"])
            proof["database"] = side.prove(place, place.live, backup.manifest)
        if journal.data_dir:
            proof["json"] = _prove_files(backup, journal.data_dir["live"])
    except MismatchError:  # somebody has written since: restore once more
        return None
    document = {"restored": backup.id, "strategy": "finished", "proof": proof, "previous": journal.names()}
    lines = (f"{backup.id} is restored and proven", f"  before     {journal.names() or 'nothing was there'}")
    return Outcome(document, lines)


def _restore(
    config: Config,
    plan_: RestorePlan,
    decryption: tuple[Command, ...],
    observer: Observer,
    hooks: Hooks,
    begun: float,
    settled: bool,
) -> Outcome:
    head, place = plan_.backup.manifest, plan_.database
    journal = _journal(config, plan_)
    restores.write(config.repository, journal)
    phases = {"plan": time.monotonic() - begun}
    notes = [f"passed by {one}" for one in plan_.passed_over]
    for line in notes:
        observer.say(line, "WARNING")
    window = 0.0
    with seal.staging(config.repository) as work:
        try:
            _unpack(plan_, decryption, journal, work, observer, phases)
            if plan_.replaces:
                hooks.before()
            proof = dict(_make_halves(config, plan_, decryption, journal, work, observer, phases, notes))
        except BaseException:
            exchange.discard(config, journal, place)
            raise

        def load(current: Journal) -> tuple:
            moment = time.monotonic()
            current, session, proof["database"] = safety.load(config, place, current, plan_.backup, work, observer)
            phases["load"] = time.monotonic() - moment
            return current, session

        if plan_.strategy == "beside":
            exchange.copied(config, journal, place)
        else:
            journal, window = exchange.carry_out(
                config, journal, place, observer, load if journal.is_in_place else None
            )
    incomplete = list(proof.get("database", {}).get("schema_differences", []))
    if plan_.replaces:
        incomplete += exchange.unrecorded(journal)
    let_go = []
    if plan_.replaces and not settled:
        # What a dead run left has just become a previous state: the one before it must not go unseen.
        let_go, problems = exchange.let_go_of_older(config, place, observer)
        incomplete += problems
    seconds = time.monotonic() - begun
    document = {
        "restored": head.id,
        "strategy": plan_.strategy,
        "database": place.live if place else None,
        "directory": plan_.directory or None,
        "proof": proof,
        "previous": journal.names() if plan_.replaces else "",
        "let_go": let_go,
        "notes": notes,
        "incomplete": incomplete,
        "window_seconds": round(window, 3),
        "duration_seconds": round(seconds, 3),
        "phases": {name: round(value, 3) for name, value in phases.items()},
    }
    incomplete += records.noted(config.repository, {"verb": "restore", "result": "ok", **document})
    return Outcome(document, _lines(plan_, document), INCOMPLETE if incomplete else OK)


def _unpack(
    plan_: RestorePlan,
    decryption: tuple[Command, ...],
    journal: Journal,
    work: str,
    observer: Observer,
    phases: dict,
) -> None:
    """Decode the wanted halves, every byte held to the manifest. Raises MismatchError; nothing is stopped yet."""
    moment = time.monotonic()
    observer.expect(plan_.backup.manifest.size)
    wants_database = journal.database is not None
    side.unpack(plan_.backup, work, wants_database, _staged(journal), decryption, observer.advance)
    if wants_database:  # in place, nobody can write any more when it is loaded: it is read once before
        side.require_readable(plan_.database.clients, work, plan_.backup, whole=journal.is_in_place)
    phases["unpack"] = time.monotonic() - moment


def _staged(journal: Journal) -> Optional[str]:
    """Where the files are made, beside the live ones."""
    return journal.data_dir["side"] if journal.data_dir else None


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
    if journal.database is not None:
        for line in roles.create(plan_.database, plan_.backup, plan_.missing_roles, decryption):
            observer.say(line, "WARNING")
            notes.append(line)
    if journal.database is not None and not journal.is_in_place:
        place, name = plan_.database, journal.database["side"]
        moment = time.monotonic()
        observer.say(f"restoring into the side database {name}")
        side.create_database(place, name, head.database["properties"])
        side.load(place, name, work, config.jobs, head, toast=config.restore_toast_compression)
        phases["load"] = time.monotonic() - moment
        moment = time.monotonic()
        with side.analyzing(place, name) as finish:
            proof = side.prove(place, name, head)
            finish()
        side.dress(place, name, head.database["properties"])
        yield "database", proof
        phases["prove"] = time.monotonic() - moment
    if journal.data_dir:
        yield "json", _prove_files(plan_.backup, _staged(journal))


def _prove_files(backup: Backup, directory: str) -> dict:
    """Hold the files in ``directory`` to the manifest. Raises MismatchError naming what differs."""
    head = backup.manifest
    lines = filesproof.differences(directory, manifest.read_entries(backup.manifest_path, head))
    if lines:
        raise MismatchError(
            f"the files restored from {head.id} are not what was backed up: {'; '.join(lines[:10])}",
            "nothing in service was touched; try another backup",
        )
    return {"verdict": "pass", "files": head.files["count"]}


def _journal(config: Config, plan_: RestorePlan) -> Journal:
    """What is about to happen, by name."""
    timestamp = restores.new_timestamp(config.repository)
    database, directory = plan_.names(config, timestamp)
    now = text.utc(datetime.datetime.now(datetime.timezone.utc))
    verb = "restore" if plan_.replaces else "copy"
    return Journal(timestamp, verb, plan_.backup.id, now, "begun", database, directory)


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
    if plan_.replaces:
        how = "locked for" if plan_.strategy == "in_place" else "swapped within"
        lines.append(f"  {how} {document['window_seconds']:.2f} s")
        lines.append(f"  before     {document['previous'] or 'nothing was there'}")
        if not document["previous"] or document["previous"] not in document["let_go"]:
            lines.append("  undo with  mirai-backup rollback")
    lines += [f"  note       {one}" for one in document["notes"]]
    lines += [f"  otherwise  {one}" for one in document["incomplete"]]
    lines += [f"  let go     {one}" for one in document["let_go"]]
    return tuple(lines)
