# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Adopts what the guide's shell scripts left: decodes it whole, and seals it as far as it can be vouched for.

A dump or an archive of the files gets a manifest beside it and is not changed. A full archive of the scripts holds
the whole history: its newest dump and its newest archive of the files are taken out of it and adopted, and the full
archive itself stays what it was.
"""

from __future__ import annotations

import datetime
import os
import re
import socket
import tarfile
from typing import BinaryIO, Callable, Iterator, Optional

from . import (
    __version__,
    clients,
    compression,
    database,
    lock,
    manifest,
    postgres,
    process,
    seal,
    text,
    unarchive,
    verify,
)
from . import plan as planning
from . import repository as repositories
from .command import Command
from .config import Config
from .errors import EngineError, MismatchError, NotFoundError, ProcessError
from .hashed import HashedReader
from .manifest import Manifest
from .outcome import INCOMPLETE, OK, Outcome
from .sinks import ROLES, Artifact, HashedFile
from .watch import Log, Observer

_OLD_NAME = re.compile(r"mirai_(full|db|json)_(\d{8}_\d{6})\.(?:tar|sql)\.gz")
_DUMPED_FROM = re.compile(rb"Dumped from database version (\d+(?:\.\d+)*)")
_WARNING = "made by the guide's script: without a fingerprint, so that a restore can be checked for errors, not proven"
_BEGINNING = 4096
_NO_DUMP = "it is not a custom-format dump inside gzip"


def run(config: Config, paths: tuple[str, ...] = (), observer: Optional[Observer] = None) -> Outcome:
    """Adopt the archives at ``paths``, or all of the repository's without a manifest; exit code 3 names what was not.

    Raises NotFoundError for a path that is no such archive.
    """
    observer = observer or Observer(Log(config.log))
    adopted, refused = [], {}
    repositories.create(config.repository)
    with lock.hold(config.repository, "adopt"):
        seal.sweep(config.repository)
        for path in _chosen(config, paths):
            try:
                adopted += _Adoption(config, path, observer).run()
            except (EngineError, OSError, *verify.DAMAGE) as error:
                refused[path] = getattr(error, "message", None) or str(error)
                observer.say(f"{path} was not adopted: {refused[path]}", "ERROR")
    observer.done()
    lines = [f"adopted {one}" for one in adopted]
    lines += [f"not adopted: {path}: {why}" for path, why in refused.items()]
    document = {"adopted": adopted, "refused": refused}
    return Outcome(document, tuple(lines or ["there is nothing to adopt"]), INCOMPLETE if refused else OK)


def _chosen(config: Config, paths: tuple[str, ...]) -> list[str]:
    """What is to be adopted, newest first: so the sequence numbers below the oldest backup's fall to older ones."""
    for path in paths:
        if not _OLD_NAME.fullmatch(os.path.basename(path)) or not os.path.isfile(path):
            raise NotFoundError(f"{path} is no archive of the guide's script", "mirai-backup list shows what there is")
    found = paths or [
        one for one in repositories.listing(config.repository).unsealed if _OLD_NAME.fullmatch(os.path.basename(one))
    ]
    # Of one moment the parts come before the full archive that holds copies of them.
    return sorted(map(os.path.abspath, found), key=lambda one: (_timestamp(one), "_full_" not in one), reverse=True)


def _timestamp(path: str) -> str:
    return _OLD_NAME.fullmatch(os.path.basename(path)).group(2)


class _Adoption:
    """One old archive on its way to a manifest."""

    def __init__(self, config: Config, path: str, observer: Observer) -> None:
        self._config = config
        self._path = path
        self._observer = observer

    def run(self) -> list[str]:
        """Adopt it; returns the IDs of the new backups. Raises MismatchError when it does not decode."""
        kind = _kind(self._path)
        home = os.path.join(self._config.repository, kind)
        with seal.staging(self._config.repository) as stage:
            if kind == "full":
                return [self._seal(stage, part) for part in self._taken_out(stage)]
            if os.path.dirname(os.path.realpath(self._path)) == os.path.realpath(home):
                return [self._seal(stage, self._path)]
            with open(self._path, "rb") as source:
                return [self._seal(stage, _copy(source, os.path.join(stage, os.path.basename(self._path))))]

    def _taken_out(self, stage: str) -> list[str]:
        """Copies of the newest dump and archive of the files in a full archive, but for those that lie there sealed."""
        with tarfile.open(self._path, "r:gz") as archive:
            newest: dict = {}
            for info in archive:
                name = os.path.basename(info.name)
                if info.isreg() and _OLD_NAME.fullmatch(name) and _kind(name) != "full":
                    if name > os.path.basename(newest.get(_kind(name), info).name) or _kind(name) not in newest:
                        newest[_kind(name)] = info
            if not newest:
                raise MismatchError("it holds neither a dump nor an archive of the files")
            copies = []
            for kind, info in sorted(newest.items()):
                name = os.path.basename(info.name)
                if not os.path.lexists(os.path.join(self._config.repository, kind, name)):
                    copies.append(_copy(archive.extractfile(info), os.path.join(stage, name)))
        return copies

    def _seal(self, stage: str, path: str) -> str:
        """Decode the archive at ``path`` whole and seal it; returns its ID."""
        kind, name = _kind(path), os.path.basename(path)
        spool = os.path.join(stage, f"{name}.entries")
        with open(path, "rb") as file:
            raw = HashedReader(file, self._observer.advance)
            half = self._database(name, raw) if kind == "database" else _files(name, raw, spool)
            raw.drain()
        artifact = raw.artifact(name)
        head = self._head(kind, artifact, half)
        listed = _spooled(spool) if kind == "json" else (lambda: iter(()))
        if os.path.dirname(path) == stage:
            sealed = seal.publish(self._config.repository, stage, head, listed)
        else:
            os.chmod(path, 0o600)
            sealed = f"{path}{manifest.SUFFIX}"
            manifest.write(sealed, head, listed())
        self._observer.say(f"adopted {sealed}")
        return head.id

    def _database(self, name: str, raw: HashedReader) -> dict:
        """The manifest's database half: what the dump says, and of the live database what only that can tell."""
        said: list = []
        stages, source = compression.decoded(name, raw.pour)
        program = clients.newest(self._config.pg_bindir).path("pg_restore")
        try:
            process.pump((*stages, Command((program, "--file=-"))), _first(said), source)
        except (ProcessError, *verify.DAMAGE) as error:
            raise MismatchError(f"{_NO_DUMP}: {error}") from error
        version = _DUMPED_FROM.search(b"".join(said))
        if version is None:
            raise MismatchError(_NO_DUMP)
        live = planning.connect(self._config)
        with postgres.Session(live.clients, live.app) as session:
            properties, roles = database.properties(session), database.roles(session)
        return {
            "name": live.server.database,
            "system_identifier": live.server.system_identifier,
            "server_version": version.group(1).decode("ascii"),
            "client_version": version.group(1).decode("ascii"),
            "size": live.server.database_size,
            "properties": properties,
            "roles": roles,
            "fingerprint": None,
        }

    def _head(self, kind: str, artifact: Artifact, half: dict) -> Manifest:
        timestamp = _timestamp(artifact.name)
        made = datetime.datetime.strptime(timestamp, "%Y%m%d_%H%M%S").astimezone()
        known = repositories.listing(self._config.repository).backups
        return Manifest(
            id=f"{repositories.STEMS[kind]}_{timestamp}",
            kind=kind,
            sequence=min([1, *(one.head.sequence for one in known)]) - 1,
            application=self._config.application,
            host=socket.gethostname(),
            started=text.utc(made),
            ended=text.utc(made),
            utc_offset=made.strftime("%z"),
            duration_seconds=0.0,
            engine_version=__version__,
            compression="gzip",
            artifacts=(artifact,),
            database=half if kind == "database" else None,
            files=dict(half, data_dir=self._config.data_dir) if kind == "json" else None,
            warnings=(_WARNING,) if kind == "database" else (),
        )


def _kind(path: str) -> str:
    return ROLES[_OLD_NAME.fullmatch(os.path.basename(path)).group(1)]


def _copy(source: BinaryIO, path: str) -> str:
    with HashedFile(path) as file:
        for block in iter(lambda: source.read(process.PIPE_BYTES), b""):
            file.write(block)
        file.finish(os.path.basename(path))
    return path


def _first(said: list) -> Callable[[bytes], object]:
    """A sink that keeps the beginning of a stream and lets the rest go."""

    def sink(block: bytes) -> None:
        if sum(map(len, said)) < _BEGINNING:
            said.append(bytes(block[:_BEGINNING]))

    return sink


def _files(name: str, raw: HashedReader, spool: str) -> dict:
    """The manifest's files half; the entries go to the new file ``spool``, as lines of a manifest."""
    count, size, seen = 0, 0, set()
    stages, source = compression.decoded(name, raw.pour)
    try:
        with process.reading(stages, source) as stream, open(spool, "xb") as kept:
            for entry in unarchive.entries(stream):
                if entry.path in seen:
                    raise MismatchError(f"it holds {entry.shown} twice")
                seen.add(entry.path)
                count += entry.type == "file"
                size += entry.size
                kept.write(entry.line() + b"\n")
    except verify.DAMAGE as error:
        raise MismatchError(f"it cannot be decoded: {error}") from error
    digest = manifest.entries_digest(_spooled(spool)())
    nothing: dict = {"reread": {}, "unstable": [], "vanished": [], "unparsable": {}, "skipped": {}}
    return {"sha256": digest, "count": count, "size": size, **nothing}


def _spooled(spool: str) -> Callable[[], Iterator[bytes]]:
    """What gives the lines of the file ``spool``, again and again."""

    def read() -> Iterator[bytes]:
        with open(spool, "rb") as kept:
            for line in kept:
                yield line[:-1]

    return read
