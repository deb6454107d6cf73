# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decodes a backup to its last byte and holds it to its manifest."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tarfile
import zlib
from typing import BinaryIO, Iterator, Optional

from . import clients, compression, manifest, priority, process, records, selector, unarchive, unlock
from . import repository as repositories
from .access import OWN_KEYRING, Access
from .command import Command
from .config import Config
from .errors import (
    CouldNotVerifyError,
    DecryptError,
    EngineError,
    MismatchError,
    PreflightError,
    ProcessError,
)
from .hashed import HashedReader, require_sealed, sealed
from .outcome import COULD_NOT_VERIFY, MISMATCH, OK, Outcome
from .repository import Backup
from .sinks import Artifact
from .watch import Observer

_BLOCK = 64 << 10  # zlib may make a thousand times as much of it, which must fit into memory: archives can be hostile
# What decoding raises when the bytes are not what they were.
DAMAGE = (tarfile.TarError, EOFError, zlib.error, ProcessError)


def run(
    config: Config,
    word: str = "latest",
    every: bool = False,
    observer: Optional[Observer] = None,
    access: Access = OWN_KEYRING,
) -> Outcome:
    """Verify the backup that ``word`` names, or every one. Exit 2 names what is wrong, 4 what was not shown.

    Without a private key an encrypted backup is held to its digests and not decoded: ``sealed`` says that they fit.
    A key that was given and does not open it is exit 12.
    """
    observer = observer or Observer()
    priority.lower(config)
    listing = repositories.listing(config.repository)
    if every:
        chosen = listing.backups
    else:
        chosen = (selector.whole_or_not(listing, word),)
    digests = {one.id: one.head.digest for one in listing.backups}
    # Copies, so that no more than one manifest is held whole at a time.
    results = [_result(config, dataclasses.replace(one), observer, access, digests) for one in chosen]
    if every:
        damaged = {"verdict": "fail", "sealed": False}
        results += [{"id": os.path.basename(path), **damaged, "why": why} for path, why in listing.damaged]
    observer.done()
    _record(config, results)
    verdicts = {one["verdict"] for one in results}
    exit_code = MISMATCH if "fail" in verdicts else COULD_NOT_VERIFY if verdicts - {"pass"} else OK
    undecoded = any(one["sealed"] and one["verdict"] == "could_not_verify" for one in results)
    if exit_code == COULD_NOT_VERIFY and access.key_file and undecoded:
        exit_code = DecryptError.exit_code
    lines = [f"{one['id']}  {one['verdict']}" + (f"  {one['why']}" if one["why"] else "") for one in results]
    return Outcome({"verified": results}, tuple(lines or ["the repository is empty"]), exit_code)


def _record(config: Config, results: list) -> None:
    """Let ``check`` know of damage, and of what is well again; a reader who may not write is none the worse for it."""
    known: dict = {}
    with contextlib.suppress(OSError):
        known = records.damaged(config.repository)
    for one in results:
        row = {"verb": "verify", "backup": one["id"]}
        if one["verdict"] == "fail":
            records.noted(config.repository, {**row, "result": "failed", "error": one["why"], "exit_code": MISMATCH})
        elif one["id"] in known and one["sealed"]:
            records.noted(config.repository, {**row, "result": "ok"})


def check(config: Config, backup: Backup, observer: Observer, decryption: tuple[Command, ...] = ()) -> None:
    """Decode the backup whole. Raises MismatchError naming the artifact and the place, CouldNotVerifyError.

    ``decryption`` is what ``unlock`` gives for it.
    """
    head = backup.manifest
    manifest.read(backup.manifest_path)
    observer.expect(head.size)
    for artifact in head.artifacts:
        with sealed(backup, artifact, observer.advance) as raw:
            if head.kind == "full":
                with unlock.opened(artifact.name, raw, decryption) as content:
                    for member, file in members(content, head):
                        _check_part(config, backup, member, file, ())
            else:
                _check_part(config, backup, artifact, raw, decryption)


def members(raw: BinaryIO, head: manifest.Manifest) -> Iterator[tuple[Artifact, HashedReader]]:
    """The members of a full archive, each to read and held to its digest when the next is asked for.

    They come in the order of the manifest. Raises MismatchError.
    """
    expected = list(head.members)
    try:
        with tarfile.open(fileobj=raw, mode="r|gz", bufsize=_BLOCK) as archive:
            for info in archive:
                if not expected or info.name != expected[0].name or not info.isreg():
                    raise MismatchError(f"{head.id} holds {info.name!r}, which its manifest does not list there")
                member, content = expected.pop(0), HashedReader(archive.extractfile(info))
                yield member, content
                content.drain()
                if not content.matches(member):
                    raise MismatchError(f"{member.name} in {head.id} is damaged: {content.difference(member)}")
    except (*DAMAGE, OSError) as error:
        raise MismatchError(f"the full archive of {head.id} is damaged: {error}") from error
    if expected:
        raise MismatchError(f"{expected[0].name} is missing in {head.id}")


def _require_chain(backup: Backup, digests: dict) -> None:
    """Raise MismatchError where the manifest before this one is there, and is another than it was then."""
    before = backup.manifest.previous
    if before is not None and digests.get(before["id"], before["digest"]) != before["digest"]:
        raise MismatchError(
            f"{backup.id} was made after another {before['id']} than the one that is there: one of the two was replaced"
        )


def _result(config: Config, backup: Backup, observer: Observer, access: Access, digests: dict) -> dict:
    result = {"id": backup.id, "verdict": "pass", "why": "", "sealed": False}
    try:
        if backup.problem:
            raise MismatchError(backup.problem)
        with unlock.unlocked(config, backup, access) as decryption:
            check(config, backup, observer, decryption)
        _require_chain(backup, digests)
        result["sealed"] = True
    except (DecryptError, PreflightError) as error:
        result.update(_undecoded(backup, error))
    except CouldNotVerifyError as error:
        result.update(verdict="could_not_verify", why=error.message)
    except EngineError as error:
        result.update(verdict="fail", why=error.message)
    except OSError as error:
        result.update(verdict="could_not_verify", why=f"{error.filename or backup.path}: {error.strerror}")
    return result


def _undecoded(backup: Backup, error: EngineError) -> dict:
    """What there is to say of a backup that could not be decoded: a missing program is found out before it is read."""
    try:
        if isinstance(error, PreflightError):
            require_sealed(backup)
    except MismatchError as damage:
        return {"verdict": "fail", "why": damage.message}
    except OSError as unread:
        return {"verdict": "could_not_verify", "why": f"{unread.filename or backup.path}: {unread.strerror}"}
    why = f"every byte is as sealed; not decoded: {error.message}"
    return {"verdict": "could_not_verify", "why": why, "sealed": True}


def _check_part(
    config: Config, backup: Backup, part: Artifact, raw: HashedReader, decryption: tuple[Command, ...]
) -> None:
    """Decode one part the way a restore would."""
    stages, source = compression.decoded(part.name, raw.pour, decryption)
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


def _pg_restore(config: Config, backup: Backup) -> Command:
    """The command that decodes a dump without a server."""
    try:
        newest = clients.newest(config.pg_bindir)
    except PreflightError as error:
        raise CouldNotVerifyError(f"{backup.id}: the dump was not decoded: {error.message}", error.next_step) from error
    return Command((newest.path("pg_restore"), "--file=/dev/null"))
