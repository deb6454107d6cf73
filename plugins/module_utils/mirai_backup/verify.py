# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decodes a backup to its last byte and holds it to its manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tarfile
import zlib
from typing import BinaryIO, Callable, Iterator, Optional

from . import clients, compression, manifest, priority, process, selector, unarchive
from . import repository as repositories
from .config import Config
from .errors import CouldNotVerifyError, EngineError, MismatchError, PreflightError, ProcessError
from .outcome import COULD_NOT_VERIFY, MISMATCH, OK, Outcome
from .repository import Backup, Listing
from .sinks import Artifact
from .watch import Observer

_BLOCK = 1 << 20

# What decoding raises when the bytes are not what they were.
DAMAGE = (tarfile.TarError, EOFError, zlib.error, ProcessError)


def run(config: Config, word: str = "latest", every: bool = False, observer: Optional[Observer] = None) -> Outcome:
    """Verify the backup that ``word`` names, or every one. Exit 2 names what is wrong, 4 what was not shown."""
    observer = observer or Observer()
    priority.lower(config)
    listing = repositories.listing(config.repository)
    if every:
        chosen = listing.backups
    else:
        chosen = (_chosen(listing, word),)
    # Copies, so that no more than one manifest is held whole at a time.
    results = [_result(config, dataclasses.replace(one), observer) for one in chosen]
    if every:
        results += [{"id": os.path.basename(path), "verdict": "fail", "why": why} for path, why in listing.damaged]
    observer.done()
    verdicts = {one["verdict"] for one in results}
    exit_code = MISMATCH if "fail" in verdicts else COULD_NOT_VERIFY if verdicts - {"pass"} else OK
    lines = [f"{one['id']}  {one['verdict']}" + (f"  {one['why']}" if one["why"] else "") for one in results]
    return Outcome({"verified": results}, tuple(lines or ["the repository is empty"]), exit_code)


def check(config: Config, backup: Backup, observer: Observer) -> None:
    """Decode the backup whole. Raises MismatchError naming the artifact and the place, CouldNotVerifyError."""
    head = backup.manifest
    manifest.read(backup.manifest_path)
    observer.expect(head.size)
    for artifact in head.artifacts:
        with open(backup.artifact_path(artifact.name), "rb") as file:
            raw = HashedReader(file, observer.advance)
            try:
                if head.kind == "full":
                    _check_members(config, backup, raw)
                else:
                    _check_part(config, backup, artifact, raw)
                raw.drain()
            except (EngineError, *DAMAGE) as error:
                raw.drain()
                if raw.matches(artifact) and isinstance(error, EngineError):
                    raise
                raise MismatchError(f"{artifact.name} is damaged: {raw.difference(artifact)} ({error})") from error
            if not raw.matches(artifact):
                raise MismatchError(f"{artifact.name} is damaged: {raw.difference(artifact)}")


def members(raw: BinaryIO, head: manifest.Manifest) -> Iterator[tuple[Artifact, BinaryIO]]:
    """The members of a full archive with their content, in the order of the manifest. Raises MismatchError."""
    expected = list(head.members)
    try:
        with tarfile.open(fileobj=raw, mode="r|gz") as archive:
            for info in archive:
                if not expected or info.name != expected[0].name or not info.isreg():
                    raise MismatchError(f"{head.id} holds {info.name!r}, which its manifest does not list there")
                yield expected.pop(0), archive.extractfile(info)
    except (*DAMAGE, OSError) as error:
        raise MismatchError(f"the full archive of {head.id} is damaged: {error}") from error
    if expected:
        raise MismatchError(f"{expected[0].name} is missing in {head.id}")


class HashedReader:
    """Reads a file and hashes what was read."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], object] = lambda _count: None) -> None:
        self._file = file
        self._progress = progress
        self._digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self._file.read(size)
        self._digest.update(block)
        self._size += len(block)
        self._progress(len(block))
        return block

    def pour(self, write: Callable[[bytes], object]) -> None:
        """Hand all the rest to ``write``."""
        for block in iter(lambda: self.read(_BLOCK), b""):
            write(block)

    def drain(self) -> None:
        """Read the rest for the hash's sake."""
        self.pour(lambda _block: None)

    def matches(self, artifact: Artifact) -> bool:
        """Whether all that was read is ``artifact``."""
        return (self._size, self._digest.hexdigest()) == (artifact.size, artifact.sha256)

    def difference(self, artifact: Artifact) -> str:
        """In words, why it is not."""
        if self._size != artifact.size:
            return f"{self._size} bytes instead of {artifact.size}"
        return "its SHA-256 is not the manifest's"


def _chosen(listing: Listing, word: str) -> Backup:
    """As the selector, but a backup that is not whole may be named here: verify is to say so."""
    named = [one for one in listing.backups if word in (one.id, repositories.timestamp_of(one.id), one.path)]
    return named[0] if len(named) == 1 else selector.preferred(listing, word)


def _result(config: Config, backup: Backup, observer: Observer) -> dict:
    result = {"id": backup.id, "verdict": "pass", "why": ""}
    try:
        if backup.problem:
            raise MismatchError(backup.problem)
        check(config, backup, observer)
    except CouldNotVerifyError as error:
        result.update(verdict="could_not_verify", why=error.message)
    except EngineError as error:
        result.update(verdict="fail", why=error.message)
    except OSError as error:
        result.update(verdict="could_not_verify", why=f"{error.filename}: {error.strerror}")
    return result


def _check_members(config: Config, backup: Backup, raw: HashedReader) -> None:
    for member, content in members(raw, backup.manifest):
        inner = HashedReader(content)
        _check_part(config, backup, member, inner)
        inner.drain()
        if not inner.matches(member):
            raise MismatchError(f"{member.name} in {backup.id} is damaged: {inner.difference(member)}")


def _check_part(config: Config, backup: Backup, part: Artifact, raw: HashedReader) -> None:
    """Decode one part the way a restore would."""
    stages, source = compression.decoded(part.name, raw.pour)
    try:
        if part.role == "json":
            with process.reading(stages, source) as stream:
                entries = manifest.read_entries(backup.manifest_path, backup.manifest)
                unarchive.compare(stream, backup.manifest, entries)
        elif part.role == "database":
            process.pump((*stages, _pg_restore(config, backup)), lambda _block: None, source)
        else:
            process.pump(stages, lambda _block: None, source)
    except DAMAGE as error:
        raise MismatchError(f"{part.name} cannot be decoded: {error}") from error


def _pg_restore(config: Config, backup: Backup) -> process.Command:
    """The command that decodes a dump without a server."""
    try:
        newest = clients.newest(config.pg_bindir)
    except PreflightError as error:
        raise CouldNotVerifyError(f"{backup.id}: the dump was not decoded: {error.message}", error.next_step) from error
    return process.Command((newest.path("pg_restore"), "--file=/dev/null"))
