# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Collects both halves of a backup: the streams side by side, all that is the database's inside one snapshot."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Callable, Iterator, Optional

from . import archive, database, fingerprint, jsoncheck, manifest, postgres, relations, repository, streams
from .config import Config
from .plan import Plan
from .sinks import Artifact, nameless, write_compressed
from .watch import Observer


@dataclass(frozen=True)
class Harvest:
    """What the streams brought in: the parts as they lie in the staging directory, and what is known of them."""

    parts: tuple[Artifact, ...]
    database: Optional[dict]
    files: Optional[dict]
    entries: Callable[[], Iterator[bytes]]
    warnings: tuple[str, ...]
    incomplete: tuple[str, ...]


@contextlib.contextmanager
def places(plan_: Plan, stage: str) -> Iterator[Callable[[str], str]]:
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


def collect(
    config: Config, plan_: Plan, stage: str, place: Callable[[str], str], timestamp: str, observer: Observer
) -> Harvest:
    """Run the streams of both halves inside one snapshot's window; ``place`` is of ``places``.

    Raises the EngineError of the stream that failed first; the others are ended.
    """
    abort = streams.Abort(observer.advance)
    tasks: dict = {}
    archiver = None
    with contextlib.ExitStack() as cleanup:
        if plan_.data_dir is not None:
            spool = os.path.join(stage, "entries")
            archiver = archive.Archiver(os.path.realpath(plan_.data_dir), spool, plan_.checked)
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
        "json_rule": jsoncheck.RULE,
        **vars(findings),
    }
    return files, warnings + list(unstable), unstable
