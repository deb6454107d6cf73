# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings a backup from a store into the repository: proven on the way, sealed like one that was made here."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from typing import Iterator, Optional

from . import lock, manifest, rclone, repository, safefile, seal, selector, signature, sinks, stores, text
from .config import Config
from .errors import EngineError, MismatchError, NotFoundError, PreflightError, StoreError
from .manifest import Manifest
from .outcome import Outcome
from .repository import Backup, Listing
from .stores import Shelf
from .watch import Log, Observer

_HEADROOM = 64 << 20


@dataclass(frozen=True)
class Found:
    """A backup in a store; its manifest lies in the copy of the store's manifests."""

    shelf: Shelf
    backup: Backup
    listing: Listing


def run(config: Config, word: str = "latest", name: str = "", observer: Optional[Observer] = None) -> Outcome:
    """Bring the backup that ``word`` names into the repository. Raises NotFoundError, StoreError, MismatchError."""
    observer = observer or Observer(Log(config.log))
    document = fetch(config, word, name, observer)
    took = "it is here already" if not document["changed"] else f"from {document['store']}"
    return Outcome(document, (f"pulled {document['pulled']}: {took}", f"  {document['path']}"))


def find(config: Config, word: str, name: str = "", components: frozenset = frozenset()) -> Found:
    """The backup that ``word`` names, in the first store that answers and has it.

    Raises NotFoundError when no store has it, StoreError when none that might was reached.
    """
    repository.create(config.repository)
    absent, failed = [], []
    for store in stores.chosen(config, name):
        try:
            shelf = stores.shelf(config, store)
            listing, _files = stores.look(config, shelf)
            if components:
                backup = selector.resolve(listing, word, components)
            else:
                backup = selector.preferred(listing, word)
            return Found(shelf, backup, listing)
        except NotFoundError as error:
            absent.append((store.name, error))
        except EngineError as error:
            failed.append((store.name, error))
    why = "; ".join(f"{one}: {error.message}" for one, error in (*absent, *failed))
    if failed:
        raise StoreError(f"{word} was found in no offsite store: {why}", failed[0][1].next_step)
    raise NotFoundError(f"{word} is in no offsite store: {why}", absent[0][1].next_step)


def fetch(config: Config, word: str, name: str, observer: Observer, components: frozenset = frozenset()) -> dict:
    """Bring the backup here unless it is; returns its ID, store and path, and whether something was ``changed``."""
    found = find(config, word, name, components)
    listed = found.backup
    here = [one for one in repository.listing(config.repository).backups if one.id == listed.id]
    changed = not (here and here[0].head.digest == listed.head.digest and _is_sound(here[0]))
    path = here[0].path if here else ""
    if changed:
        if here and here[0].head.digest != listed.head.digest:
            raise EngineError(
                f"{listed.id} in {found.shelf.name} is another backup than the one of that name here",
                "use a repository of its own for what comes from that store",
            )
        observer.say(f"pull {listed.id} from {found.shelf.name}: begun, {text.size(listed.head.size)}")
        path = _bring(config, found, here[0] if here else None, observer)
        observer.say(f"pulled {listed.id} from {found.shelf.name}")
    return {"pulled": listed.id, "store": found.shelf.name, "path": path, "changed": changed}


def _bring(config: Config, found: Found, broken: Optional[Backup], observer: Observer) -> str:
    """Download, prove, publish; returns the path of the main artifact. ``broken`` makes room for it."""
    shelf, size = found.shelf, found.backup.head.size
    free = shutil.disk_usage(config.repository).free
    if free < size + _HEADROOM:
        raise PreflightError(
            f"{config.repository} has {text.size(free)} free, {found.backup.id} needs {text.size(size)}", "free space"
        )
    with stores.workplace(shelf, "pull") as directory:
        sidecar = stores.retried(shelf, lambda: stores.fresh_manifest(shelf, found.backup, directory), observer.say)
        signature.require(config, sidecar, accept_unsigned=True)  # what reads the backup decides on unsigned ones
        head = manifest.read(sidecar)
        if (head.id, head.digest) != (found.backup.id, found.backup.head.digest):
            raise MismatchError(f"the manifest of {found.backup.id} in {shelf.name} changed", "pull it again")
        observer.expect(size)
        for artifact in head.artifacts:
            stores.retried(
                shelf,
                lambda: _download(shelf, head, artifact, directory, observer),  # noqa: B023
                observer.say,
            )
        with lock.hold(config.repository, "pull", wait=60):
            seal.sweep(config.repository)
            if broken is not None:
                seal.remove(config.repository, broken)
            with seal.staging(config.repository) as stage:
                for artifact in head.artifacts:
                    os.rename(os.path.join(directory, artifact.name), os.path.join(stage, artifact.name))
                sign = (lambda path: _signed_as(sidecar, path)) if found.backup.signed else None
                path = seal.publish(config.repository, stage, head, lambda: _entries(sidecar, head), sign)
            if broken is not None and broken.pinned:
                repository.pin(config.repository, head.id)
    return path[: -len(manifest.SUFFIX)]


def _signed_as(sidecar: str, path: str) -> None:
    """Put the signature of the manifest that was read beside the same manifest at ``path``."""
    with open(sidecar + manifest.SIGNATURE, "rb") as file:
        safefile.write(path + manifest.SIGNATURE, iter((file.read(),)))


def _entries(path: str, head: Manifest) -> Iterator:
    return manifest.read_entries(path, head) if head.files is not None else iter(())


def _download(shelf: Shelf, head: Manifest, artifact: sinks.Artifact, directory: str, observer: Observer) -> None:
    """One artifact, held to the manifest while it comes. Raises StoreError, since another try may do better."""
    path = os.path.join(directory, artifact.name)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with sinks.HashedFile(path, observer.advance) as file:
        rclone.read(shelf.remote, f"{head.kind}/{artifact.name}", file.write)
        came = file.finish(artifact.name)
    if came != artifact:
        what = f"{came.size} bytes instead of {artifact.size}" if came.size != artifact.size else "other content"
        raise StoreError(
            f"{artifact.name} came from {shelf.name} with {what}", "mirai-backup verify --offsite; pull another backup"
        )


def _is_sound(backup: Backup) -> bool:
    """Whether every artifact here is, byte for byte, what the manifest says."""
    if backup.problem:
        return False
    for artifact in backup.manifest.artifacts:
        found = stores.digest(backup.artifact_path(artifact.name))
        if (found.size, found.sha256) != (artifact.size, artifact.sha256):
            return False
    return True
