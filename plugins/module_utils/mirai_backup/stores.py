# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One store off this machine: what it holds, a file brought there, a file read from there."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from typing import Callable, Iterator, Optional

from . import lock, manifest, marks, rclone, repository, safefile
from .config import KINDS, Config, Store
from .errors import EngineError, LockedError, StoreError, UsageError
from .rclone import File, Remote
from .repository import Listing

_BLOCK = 1 << 20
_TEMPORARY = ".mirai_push_"
_WORKPLACES = ("pull-", "verify-")
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Shelf:
    """A store that is being worked on: how it is reached, and where this machine remembers it."""

    store: Store
    remote: Remote
    directory: str
    temporary: str

    @property
    def name(self) -> str:
        """The store's name."""
        return self.store.name


@dataclass(frozen=True)
class Digest:
    """A local file's size in bytes, SHA-256 and MD5 in hex."""

    size: int
    sha256: str
    md5: str


def chosen(config: Config, name: str = "") -> tuple[Store, ...]:
    """The store ``name``, or all. Raises UsageError when there is none."""
    if not config.offsite:
        raise UsageError("no offsite store is configured", "set mirai_backup_offsite, and run mirai.backup.setup")
    found = tuple(one for one in config.offsite if name in ("", one.name))
    if not found:
        known = ", ".join(one.name for one in config.offsite)
        raise UsageError(f"there is no offsite store {name}", f"known are {known}")
    return found


def shelf(config: Config, store: Store) -> Shelf:
    """The store, ready to be worked on. Raises PreflightError, ConfigError."""
    directory = marks.create(config.repository, store.name)
    owner = hashlib.sha256(f"{socket.gethostname()}\0{os.path.realpath(config.repository)}".encode()).hexdigest()[:8]
    return Shelf(store, rclone.remote(config, store), directory, f"{_TEMPORARY}{owner}_")


def refuse_write_only(store: Store) -> None:
    """Raise StoreError when nothing can be read from ``store``."""
    if store.write_only:
        raise StoreError(
            f"offsite store {store.name} is write_only: it cannot be listed or read with this credential",
            "describe it once more with a credential that may read, on the machine that needs it",
        )


def look(config: Config, one: Shelf) -> tuple[Listing, tuple[File, ...]]:
    """What the store holds now: the listing made of its manifests, and every file. Raises StoreError."""
    refuse_write_only(one.store)
    cache = os.path.join(one.directory, marks.MANIFESTS)
    with lock.hold(cache, "list", wait=600):
        found = rclone.files(one.remote)
        rclone.mirror(one.remote, f"*{manifest.SUFFIX}{{,{manifest.SIGNATURE}}}", cache)
        for kind in KINDS:
            directory = os.path.join(cache, kind)
            if os.path.isdir(directory):
                _make_private(directory)
        sizes = {kind: {} for kind in KINDS}
        for file in found:
            kind, _slash, name = file.path.partition("/")
            if "/" not in name and not name.startswith("."):
                sizes[kind][name] = file.size
        return repository.assemble(config.repository, cache, sizes), found


def debris(one: Shelf, found: tuple[File, ...], now: datetime.datetime) -> list[str]:
    """Half uploads: those of this machine, whose run is dead since we hold its lock, and others of yesterday."""
    gone = []
    for file in found:
        name = file.path.rpartition("/")[2]
        if name.startswith(one.temporary):
            gone.append(file.path)
        elif name.startswith(_TEMPORARY) and now - _moment(file.modified) > _DAY:
            gone.append(file.path)
    return gone


def digest(path: str) -> Digest:
    """Read the local file ``path`` whole."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            sha256.update(block)
            md5.update(block)
            size += len(block)
    return Digest(size, sha256.hexdigest(), md5.hexdigest())


def deliver(one: Shelf, local: str, path: str, expected: Digest, moves: bool) -> str:
    """Bring the file ``local`` to the store as ``path`` and compare what the store holds; returns how.

    What is there already and is the same is left. Where the store can move, the file gets its name only when it is
    whole; elsewhere (S3) an upload is whole or not there. Raises StoreError.
    """
    remote = one.remote
    if one.store.write_only:
        rclone.put(remote, local, path)
        return "sent"
    how = compared(one, path, expected)
    if how:
        return how
    kind, _slash, name = path.partition("/")
    first = f"{kind}/{one.temporary}{name}" if moves else path
    rclone.put(remote, local, first)
    how = compared(one, first, expected)
    if how and moves:
        rclone.move(remote, first, path)
        moved = rclone.look(remote, path)
        how = how if moved is not None and moved.size == expected.size else ""
    if not how:
        raise StoreError(
            f"offsite store {one.name} does not hold {path} as it was sent, though it reported success",
            "look at the store; the next run sends it again",
        )
    return how


def compared(one: Shelf, path: str, expected: Digest) -> str:
    """How the store's ``path`` was found to be what is ``expected``; empty when it is not.

    S3's ETag of an upload in one request is the MD5 that the server computed. Other hashes may be what the client
    claimed, or cost the server as much as reading: the file is read back. So it is when the MD5 is another one,
    which an ETag may be on an encrypted bucket.
    """
    there = rclone.look(one.remote, path)
    if there is None or there.size != expected.size:
        return ""
    if one.remote.backend == "s3" and there.md5 == expected.md5 and there.size < rclone.SINGLE_REQUEST_BYTES:
        return "md5"
    sha256, count = hashlib.sha256(), [0]

    def take(block: bytes) -> None:
        sha256.update(block)
        count[0] += len(block)

    rclone.read(one.remote, path, take)
    return "read back" if (count[0], sha256.hexdigest()) == (expected.size, expected.sha256) else ""


def retried(one: Shelf, action: Callable[[], object], say: Callable[[str], object]) -> object:
    """Do ``action``; when the store fails it, again after growing pauses. Raises its last StoreError."""
    for turn in range(one.store.retries + 1):
        try:
            return action()
        except StoreError as error:
            if turn == one.store.retries:
                raise
            pause = min(5 * 3**turn, 300)
            say(f"{error.message}; again in {pause} s")
            time.sleep(pause)
    raise AssertionError("unreachable")


def fresh_manifest(one: Shelf, listed: repository.Backup, directory: str) -> str:
    """Read the manifest of a listed backup anew, and its signature, since the copies here are renewed by size alone.

    Returns the path of the manifest; the signature lies beside it, not looked at yet.
    """
    for name in listed.files[len(listed.head.artifacts) :]:
        blocks: list = []
        rclone.read(one.remote, f"{listed.head.kind}/{name}", blocks.append)
        path = os.path.join(directory, name)
        safefile.write(path, iter([bytes(block) for block in blocks]))
    return path


@contextlib.contextmanager
def workplace(one: Shelf, verb: str) -> Iterator[str]:
    """A directory of this run's own (0700) for what comes from the store, gone afterwards; ``verb``: pull or verify."""
    sweep(one)
    path = tempfile.mkdtemp(prefix=f"{verb}-", dir=one.directory)
    try:
        with lock.hold(path, verb):
            yield path
    finally:
        shutil.rmtree(path)


def sweep(one: Shelf) -> None:
    """Remove the directories of dead runs, whose lock is free."""
    for name in os.listdir(one.directory):
        if name.startswith(_WORKPLACES):
            path = os.path.join(one.directory, name)
            with contextlib.suppress(LockedError, FileNotFoundError), lock.hold(path, "sweep"):
                shutil.rmtree(path)


def holder(one: Shelf, error: LockedError) -> EngineError:
    """In words, that another run is pushing to the store."""
    return LockedError(f"offsite store {one.name}: {error.message}", "it takes the newest backups along; see check")


def _make_private(directory: str) -> None:
    """rclone makes files as the umask says; the directory above is closed, and so are they."""
    os.chmod(directory, 0o700)
    safefile.adopt(directory)
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        os.chmod(path, 0o600)
        safefile.adopt(path)


def _moment(written: str) -> datetime.datetime:
    """rclone's time, to the second; what cannot be read is now, so that nothing goes for it."""
    found: Optional[datetime.datetime]
    try:
        found = datetime.datetime.strptime(written[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        found = datetime.datetime.now()
    return found.replace(tzinfo=datetime.timezone.utc)
