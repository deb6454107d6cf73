# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a backup: plan, lock, one snapshot, streams side by side, seal, prune, ship, report."""

from __future__ import annotations

import datetime
import os
import socket
import time
from dataclasses import replace
from typing import Optional

from . import (
    __version__,
    attended,
    exchange,
    gpg_home,
    harvest,
    language,
    lock,
    manifest,
    marks,
    parts,
    priority,
    prune,
    push,
    records,
    repository,
    seal,
    signature,
    summary,
    text,
)
from . import plan as planning
from .config import Config
from .errors import EngineError, Interrupted
from .harvest import Harvest
from .hooks import Hooks
from .manifest import Manifest
from .outcome import INCOMPLETE, OK, Outcome
from .plan import Plan
from .repository import Backup
from .runs import Occasion
from .watch import Log, Observer

plan = planning.run


def run(config: Config, kind: str, observer: Optional[Observer] = None, wait: float = 0) -> Outcome:
    """Make a backup of ``kind``, ship it and return it; exit code 3 when something in it would not hold still, or
    when a store has not got it.

    Raises an EngineError for every failure; then nothing lies under a final name, nothing was pruned, and the
    failure is in the log and in backup_metadata.log. Hooks, alerts and the like come with it (``attended``).
    """
    observer = observer or Observer(Log(config.log))
    occasion = Occasion("backup", kind)
    return attended.run(config, occasion, observer, lambda hooks: _run(config, kind, observer, wait, hooks))


def _run(config: Config, kind: str, observer: Observer, wait: float, hooks: Hooks) -> Outcome:
    priority.lower(config)
    observer.say(f"backup {kind}: begun, mirai.backup {__version__}")
    try:
        repository.create(config.repository)
        with lock.hold(config.repository, f"backup {kind}", wait), hooks.afterwards():
            interrupted = Interrupted("the backup was interrupted", "run it again")
            with records.failures(config.repository, {"verb": "backup", "kind": kind}, interrupted):
                hooks.before()
                for path in seal.sweep(config.repository):
                    observer.say(f"swept debris of a dead run: {path}")
                if config.gpg_recipients or config.gpg_sign_key:
                    gpg_home.sweep()
                exchange.settle(config, observer)  # the halves of a half-done restore are no recovery point
                sealed, incomplete, notices = _make(config, kind, observer)
            hooks.outcome = _report(config, sealed, incomplete, notices, observer)
        return _ship(config, hooks.outcome, observer)
    except EngineError as error:
        observer.say(f"backup {kind}: FAILED: {error.words}", "ERROR")
        raise
    finally:
        observer.done()


def within(config: Config, kind: str, observer: Observer) -> Backup:
    """A sealed backup in ``config.repository``, for a caller that holds the lock: nothing is pruned or reported."""
    repository.create(config.repository)
    return _make(config, kind, observer)[0]


def _make(config: Config, kind: str, observer: Observer) -> tuple[Backup, tuple[str, ...], tuple[str, ...]]:
    """Collect, bundle and seal; returns the sealed backup, what is incomplete in it, and what to say of the keys."""
    plan_ = planning.make(config, kind)
    notices = tuple(filter(None, (one.warning(time.time()) for one in plan_.keys)))
    for notice in notices:
        observer.say(notice, "WARNING")
    observer.expect(plan_.estimated_bytes)
    started = datetime.datetime.now(datetime.timezone.utc)
    begun = time.monotonic()
    timestamp = repository.new_timestamp(config.repository, started.astimezone())
    with seal.staging(config.repository) as stage, harvest.places(plan_, stage) as place:
        harvested = harvest.collect(config, plan_, stage, place, timestamp, observer)
        artifacts, members = harvested.parts, ()
        if kind == "full":
            members = tuple(replace(one, name=f"{one.role_directory}/{one.name}") for one in harvested.parts)
            pairs = [(place(one.name), member) for one, member in zip(harvested.parts, members)]
            name = repository.main_name("full", timestamp, plan_.outer)
            path = os.path.join(stage, name)
            artifacts = (parts.bundle(path, name, pairs, started.timestamp(), plan_.encryption),)
        head = _head(config, kind, timestamp, started, time.monotonic() - begun, plan_, harvested)
        head = replace(head, artifacts=artifacts, members=members)
        sign = (lambda path: signature.sign(config, path)) if config.gpg_sign_key else None
        path = seal.publish(config.repository, stage, head, harvested.entries, sign)
    head = manifest.read(path)
    observer.say(f"sealed {head.id}: {text.size(head.size)} in {text.duration(head.duration_seconds)}")
    return Backup(summary.of(head), path, False, ""), harvested.incomplete, notices


def _head(
    config: Config,
    kind: str,
    timestamp: str,
    started: datetime.datetime,
    seconds: float,
    plan_: Plan,
    harvested: Harvest,
) -> Manifest:
    """The manifest but for its artifacts."""
    known = repository.listing(config.repository).backups
    newest = known[-1].head if known else None
    known_sequences = (records.last_sequence(config.repository), marks.last_sequence(config.repository))
    sequence = max(newest.sequence if newest else 0, *known_sequences) + 1
    return Manifest(
        id=f"{repository.STEMS[kind]}_{timestamp}",
        kind=kind,
        sequence=sequence,
        application=config.application,
        host=socket.gethostname(),
        started=text.utc(started),
        ended=text.utc(datetime.datetime.now(datetime.timezone.utc)),
        utc_offset=started.astimezone().strftime("%z"),
        duration_seconds=round(seconds, 3),
        engine_version=__version__,
        compression=plan_.compression.name,
        artifacts=(),
        database=harvested.database,
        files=harvested.files,
        warnings=harvested.warnings,
        previous={"id": newest.id, "digest": newest.digest} if newest else None,
        encryption={"recipients": list(config.gpg_recipients)} if plan_.encryption else None,
    )


def _ship(config: Config, outcome: Outcome, observer: Observer) -> Outcome:
    """Bring the backup to every store. The lock is free again meanwhile: an upload may take hours."""
    if not config.offsite:
        return outcome
    try:
        results = push.everywhere(config, observer, config.offsite)
    except KeyboardInterrupt as error:
        made = outcome.document["backup"]["id"]
        raise Interrupted(f"{made} is good, but its upload was interrupted", "run mirai-backup push") from error
    problems = push.problems(results)
    document = {
        **outcome.document,
        "offsite": results,
        "incomplete": outcome.document["incomplete"] + problems,
    }
    return Outcome(document, outcome.lines + push.lines(results), INCOMPLETE if problems else outcome.exit_code)


def _report(
    config: Config, sealed: Backup, incomplete: tuple[str, ...], notices: tuple[str, ...], observer: Observer
) -> Outcome:
    """Prune, tell people and programs, and return the outcome. The backup stands whatever happens here."""
    pruned, problems = [], list(incomplete)
    try:
        records.write_latest(config.repository, sealed, language.chosen(config.language))
    except OSError as error:
        problems.append(f"{records.LATEST} was not written: {error.strerror}")
        observer.say(problems[-1], "ERROR")
    try:
        pruned = prune.apply(config, observer)
    except (OSError, EngineError) as error:
        problems.append(f"retention was not carried out: {error}")
        observer.say(problems[-1], "ERROR")
    record = {"verb": "backup", "result": "incomplete" if problems else "ok", "incomplete": problems}
    for problem in records.noted(config.repository, {**record, "pruned": pruned, **sealed.document()}):
        problems.append(problem)
        observer.say(problem, "ERROR")
    document = {
        "backup": sealed.document(),
        "pruned": pruned,
        "incomplete": problems,
        "warnings": [*sealed.head.warnings, *notices],
    }
    head = sealed.head
    lines = [
        f"{head.id}  {text.size(head.size)}  {text.duration(head.duration_seconds)}",
        f"  {sealed.path}",
        *(f"  warning: {one}" for one in document["warnings"]),
        *(f"  incomplete: {one}" for one in problems if one not in head.warnings),
        *(f"  pruned {one}" for one in pruned),
    ]
    return Outcome(document, tuple(lines), INCOMPLETE if problems else OK)
