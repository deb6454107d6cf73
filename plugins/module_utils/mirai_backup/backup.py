# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a backup: plan, lock, one snapshot, streams side by side, seal, prune, ship, report."""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
import time
from dataclasses import dataclass, replace
from typing import Callable, Iterator, Optional

from . import (
    __version__,
    archive,
    attended,
    database,
    exchange,
    fingerprint,
    gpg_home,
    language,
    lock,
    manifest,
    marks,
    parts,
    postgres,
    priority,
    prune,
    push,
    records,
    relations,
    repository,
    seal,
    signature,
    streams,
    summary,
    text,
)
from . import plan as planning
from .config import Config
from .errors import EngineError, Interrupted
from .hooks import Hooks
from .manifest import Manifest
from .outcome import INCOMPLETE, OK, Outcome
from .plan import Plan
from .repository import Backup
from .runs import Occasion
from .sinks import Artifact, nameless, write_compressed
from .watch import Log, Observer

plan = planning.run


@dataclass(frozen=True)
class Harvest:
    """What the streams brought in: the parts as they lie in the staging directory, and what is known of them."""

    parts: tuple[Artifact, ...]
    database: Optional[dict]
    files: Optional[dict]
    entries: Callable[[], Iterator[bytes]]
    warnings: tuple[str, ...]
    incomplete: tuple[str, ...]


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
    begun = time.monotonic()
    priority.lower(config)
    observer.say(f"backup {kind}: begun, mirai.backup {__version__}")
    try:
        repository.create(config.repository)
        with lock.hold(config.repository, f"backup {kind}", wait), hooks.afterwards():
            with _failures_recorded(config, kind, begun):
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


@contextlib.contextmanager
def _failures_recorded(config: Config, kind: str, begun: float) -> Iterator[None]:
    """Turn what goes wrong into an EngineError, and put it into the metadata log."""
    try:
        try:
            yield
        except OSError as error:
            where = error.filename if isinstance(error.filename, str) else config.repository
            hint = "free space, or move the repository" if error.errno in (28, 122) else "see the system's log"
            raise EngineError(f"{where}: {error.strerror or error}", hint) from error
        except KeyboardInterrupt as error:
            raise Interrupted("the backup was interrupted", "run it again") from error
    except EngineError as error:
        with contextlib.suppress(OSError):  # a full disk must not hide what filled it
            records.append(
                config.repository,
                {
                    "verb": "backup",
                    "kind": kind,
                    "result": "failed",
                    "duration_seconds": round(time.monotonic() - begun, 3),
                    **error.document(),
                },
            )
        raise


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
    with seal.staging(config.repository) as stage, _places(plan_, stage) as place:
        harvest = _collect(config, plan_, stage, place, timestamp, observer)
        artifacts, members = harvest.parts, ()
        if kind == "full":
            members = tuple(replace(one, name=f"{one.role_directory}/{one.name}") for one in harvest.parts)
            pairs = [(place(one.name), member) for one, member in zip(harvest.parts, members)]
            name = repository.main_name("full", timestamp, plan_.outer)
            path = os.path.join(stage, name)
            artifacts = (parts.bundle(path, name, pairs, started.timestamp(), None, plan_.encryption),)
        head = _head(config, kind, timestamp, started, time.monotonic() - begun, plan_, harvest)
        head = replace(head, artifacts=artifacts, members=members)
        sign = (lambda path: signature.sign(config, path)) if config.gpg_sign_key else None
        path = seal.publish(config.repository, stage, head, harvest.entries, sign)
    head = manifest.read(path)
    observer.say(f"sealed {head.id}: {text.size(head.size)} in {text.duration(head.duration_seconds)}")
    return Backup(summary.of(head), path, False, ""), harvest.incomplete, notices


@contextlib.contextmanager
def _places(plan_: Plan, stage: str) -> Iterator[Callable[[str], str]]:
    """Gives the path at which the part of that name is staged.

    The parts of an encrypted full backup are readable until they are in it: they get no name, so that a death
    takes them along.
    """
    if plan_.kind != "full" or not plan_.encryption:
        yield lambda name: os.path.join(stage, name)
        return
    with contextlib.ExitStack() as cleanup:
        taken: dict = {}

        def place(name: str) -> str:
            if name not in taken:
                taken[name] = cleanup.enter_context(nameless(stage))
            return taken[name]

        yield place


def _collect(
    config: Config, plan_: Plan, stage: str, place: Callable[[str], str], timestamp: str, observer: Observer
) -> Harvest:
    """Run the streams of both halves inside one snapshot's window."""
    abort = streams.Abort(observer.advance)
    tasks: dict = {}
    archiver = None
    with contextlib.ExitStack() as cleanup:
        if plan_.data_dir is not None:
            archiver = archive.Archiver(os.path.realpath(plan_.data_dir), os.path.join(stage, "entries"))
            name = repository.main_name("json", timestamp, plan_.inner)
            tasks["json"] = lambda: write_compressed(
                place(name),
                name,
                plan_.inner,
                source=archiver.write,
                progress=abort,
                lasting=plan_.kind != "full",
            )
        half = None
        if plan_.source is not None:
            session = cleanup.enter_context(postgres.Session(plan_.source.clients, plan_.source.app))
            half = _DatabaseHalf(config, plan_, session, place, timestamp)
            tasks["database"] = lambda: half.dump(abort)
            tasks["globals"] = half.dump_globals
            if plan_.fingerprint != "off":
                tasks["fingerprint"] = half.fingerprint
        results = streams.side_by_side(tasks, abort)
        described = half.describe(results.get("fingerprint")) if half is not None else None
    warnings, incomplete = [], ()
    found = []
    if half is not None:
        globals_artifact, warning = results["globals"]
        found += [results["database"], globals_artifact]
        warnings += [warning] if warning else []
    files = None
    if archiver is not None:
        found.append(results["json"])
        files, file_warnings, incomplete = _describe_files(plan_.data_dir, archiver)
        warnings += file_warnings
    entries = archiver.lines if archiver is not None else lambda: iter(())
    for warning in warnings:
        observer.say(warning, "WARNING")
    return Harvest(tuple(found), described, files, entries, tuple(warnings), incomplete)


class _DatabaseHalf:
    """The streams of the database half; all of them see the snapshot of ``session``."""

    def __init__(
        self,
        config: Config,
        plan_: Plan,
        session: postgres.Session,
        place: Callable[[str], str],
        timestamp: str,
    ) -> None:
        self._lock_timeout = config.lock_timeout
        self._plan = plan_
        self._source = plan_.source
        self._session = session
        self._place = place
        self._timestamp = timestamp
        database.lock_tables(session, plan_.source.app, config.lock_timeout)
        self._properties = database.properties(session)
        self._roles = database.roles(session)
        session.execute(fingerprint.PINNED)
        self._sequences = fingerprint.sequences(session, relations.find(session))

    def dump(self, progress: Callable[[int], object]) -> Artifact:
        """The dump itself."""
        name = repository.main_name("database", self._timestamp, self._plan.inner)
        return database.dump(
            self._source.clients,
            self._source.app,
            self._session.snapshot,
            self._properties["encoding"],
            self._lock_timeout,
            self._place(name),
            name,
            self._plan.inner,
            progress,
            lasting=self._plan.kind != "full",
        )

    def dump_globals(self) -> tuple[Artifact, str]:
        """The roles, and a warning."""
        name = repository.globals_name(self._timestamp, self._plan.inner)
        source = self._source
        where = self._place(name)
        return database.dump_globals(source.clients, source.app, source.admin, where, name, self._plan.inner)

    def fingerprint(self) -> dict:
        """The fingerprint, taken by the session that holds the locks: nobody can come between."""
        version = self._source.server.version_num
        return fingerprint.take(self._session, self._plan.fingerprint, version, self._sequences)

    def describe(self, taken: Optional[dict]) -> dict:
        """The manifest's database half, sequences read once more after the dump."""
        server = self._source.server
        return {
            "name": server.database,
            "system_identifier": server.system_identifier,
            "server_version": server.version,
            "client_version": self._source.clients.version,
            "size": server.database_size,
            "properties": self._properties,
            "roles": self._roles,
            "fingerprint": fingerprint.widen(taken, self._session) if taken is not None else None,
        }


def _describe_files(data_dir: str, archiver: archive.Archiver) -> tuple[dict, list, tuple]:
    """The manifest's files half, the warnings, and what would not hold still."""
    findings = archiver.findings
    warnings = [f"{path} is not valid JSON, a torn write? {why}" for path, why in sorted(findings.unparsable.items())]
    warnings += [f"{path} was left out: {why}" for path, why in sorted(findings.skipped.items())]
    unstable = tuple(f"{path} kept changing while it was read" for path in findings.unstable)
    files = {
        "data_dir": data_dir,
        "sha256": manifest.entries_digest(archiver.lines()),
        **vars(findings),
    }
    return files, warnings + list(unstable), unstable


def _head(
    config: Config,
    kind: str,
    timestamp: str,
    started: datetime.datetime,
    seconds: float,
    plan_: Plan,
    harvest: Harvest,
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
        database=harvest.database,
        files=harvest.files,
        warnings=harvest.warnings,
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
        pruned = prune.apply(config, observer)
    except (OSError, EngineError) as error:
        problems.append(f"retention was not carried out: {error}")
        observer.say(problems[-1], "ERROR")
    try:
        record = {"verb": "backup", "result": "incomplete" if problems else "ok", "incomplete": problems}
        records.append(config.repository, {**record, "pruned": pruned, **sealed.document()})
    except OSError as error:
        problems.append(f"{records.METADATA} was not written: {error.strerror}")
        observer.say(problems[-1], "ERROR")
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
