# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The repository's layout: where backups lie, which there are, and what the next one is called."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from . import drill_history, index, manifest, safefile, summary
from .compression import ENCRYPTED, Compression
from .config import KINDS
from .errors import MismatchError, NotFoundError
from .manifest import Manifest
from .summary import Summary

STEMS = {"full": "mirai_full", "database": "mirai_db", "json": "mirai_json"}
_BASES = {"full": ".tar.gz", "database": ".sql", "json": ".tar"}
_NAME = re.compile(r"mirai_(full|db|json)_(\d{8}_\d{6})\.(tar|sql)\.(gz|zst)(\.gpg)?")
_ARTIFACT = re.compile(r"mirai_(?:full|db|json|globals)_(\d{8}_\d{6})\.(?:tar|sql)\.(?:gz|zst)(?:\.gpg)?")
STAGING = ".staging"
PINS = ".pins"


@dataclass(frozen=True)
class Backup:
    """A sealed backup as it lies in the repository. ``problem`` says what is missing; a good one has none.

    ``head`` is enough to choose by; ``manifest`` is read whole, and held to ``head``, once somebody asks for it.
    ``drilled`` says that a drill has passed it.
    """

    head: Summary
    manifest_path: str
    pinned: bool
    problem: str
    drilled: bool = False

    @property
    def id(self) -> str:
        """The backup's ID, such as ``mirai_full_20261123_020000``."""
        return self.head.id

    @cached_property
    def manifest(self) -> Manifest:
        """Everything about it. Raises MismatchError when it is damaged, or was changed since it was listed."""
        found = _read(self.head.kind, self.manifest_path)  # a copy of it may lie anywhere
        if summary.of(found) != self.head:
            raise MismatchError(f"manifest {self.manifest_path} changed after it was listed", "run it again")
        return found

    @property
    def path(self) -> str:
        """The path of its main artifact."""
        return self.artifact_path(self.head.artifacts[0].name)

    @property
    def encrypted(self) -> bool:
        """Whether it takes a private key to read it."""
        return self.path.endswith(ENCRYPTED)

    @property
    def signed(self) -> bool:
        """Whether its manifest has a signature, good or not."""
        return os.path.lexists(self.manifest_path + manifest.SIGNATURE)

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all its files beside each other: artifacts, signature where there is one, manifest last.

        Whoever copies them in this order leaves no backup until the copy is whole.
        """
        manifest_name = os.path.basename(self.manifest_path)
        signature = (manifest_name + manifest.SIGNATURE,) if self.signed else ()
        return (*(one.name for one in self.head.artifacts), *signature, manifest_name)

    def document(self) -> dict:
        """The backup in short, as JSON values: times in UTC, size in bytes."""
        head = self.head
        return {
            "id": head.id,
            "kind": head.kind,
            "path": self.path,
            "files": list(self.files),
            "sequence": head.sequence,
            "started": head.started,
            "ended": head.ended,
            "duration_seconds": head.duration_seconds,
            "size": head.size,
            "sha256": head.artifacts[0].sha256,
            "components": sorted(head.components),
            "encrypted": self.encrypted,
            "signed": self.signed,
            "pinned": self.pinned,
            "drilled": self.drilled,
            "problem": self.problem,
            "warnings": list(head.warnings),
        }

    def artifact_path(self, name: str) -> str:
        """The path of one of its artifacts."""
        return os.path.join(os.path.dirname(self.manifest_path), name)


@dataclass(frozen=True)
class Listing:
    """Everything found: ``backups`` in order of sequence, ``damaged`` manifests with the reason, and
    ``unsealed`` files that look like backups but have no manifest."""

    backups: tuple[Backup, ...]
    damaged: tuple[tuple[str, str], ...]
    unsealed: tuple[str, ...]

    def good(self, components: frozenset = frozenset()) -> tuple[Backup, ...]:
        """The good backups that hold all ``components``, oldest first."""
        return tuple(one for one in self.backups if not one.problem and components <= one.head.components)

    def newer_not_whole(self, chosen: Backup, components: frozenset = frozenset()) -> tuple[Backup, ...]:
        """What is newer than ``chosen``, holds all ``components`` and is not whole, oldest first."""
        later = (one for one in self.backups if one.head.sequence > chosen.head.sequence)
        return tuple(one for one in later if one.problem and components <= one.head.components)


def create(repository: str) -> None:
    """Make the repository's directories where they are not there yet. Its parent must exist."""
    parent = os.path.dirname(repository)
    if not os.path.isdir(parent):
        raise NotFoundError(f"the directory {parent} of the repository is not there", "create it, or mount it")
    safefile.make_directory(repository)
    for name in (*KINDS, STAGING, PINS):
        safefile.make_directory(os.path.join(repository, name))


def listing(repository: str) -> Listing:
    """Every backup there is, out of the index where its manifest is as it was. Raises NotFoundError."""
    if not os.path.isdir(repository):
        raise NotFoundError(f"there is no repository at {repository}", "run a backup first, or correct repository")
    sizes = {kind: _sizes(os.path.join(repository, kind)) for kind in KINDS}
    return assemble(repository, repository, sizes)


def assemble(repository: str, root: str, sizes: dict) -> Listing:
    """The listing of the manifests below ``root`` (``<kind>/<name>``), whose artifacts are held to ``sizes``: for
    each kind the bytes of every file by name. What is pinned and drilled is known to ``repository``."""
    found = _Found(repository, root)
    for kind in KINDS:
        for name in sorted(sizes[kind]):
            if name.endswith(manifest.SUFFIX) and not name.startswith("."):
                found.add(kind, os.path.join(root, kind, name), sizes[kind])
            elif _NAME.fullmatch(name) and name + manifest.SUFFIX not in sizes[kind]:
                found.unsealed.append(os.path.join(root, kind, name))
    found.remember()
    found.backups.sort(key=lambda one: one.head.sequence)
    return Listing(tuple(found.backups), tuple(found.damaged), tuple(found.unsealed))


def outside(path: str) -> Optional[Backup]:
    """The backup whose artifact or manifest lies at ``path``, outside of any repository; None where there is none."""
    found = path if path.endswith(manifest.SUFFIX) else path + manifest.SUFFIX
    if not os.path.isfile(found):
        return None
    head = summary.of(_read(manifest.read(found).kind, found))
    return Backup(head, found, False, _problem(head, _sizes(os.path.dirname(found))))


def main_name(kind: str, timestamp: str, compression: Compression) -> str:
    """The file name of a backup's main artifact. A full archive's outer layer is always gzip."""
    extension = "" if kind == "full" else compression.extension
    return f"{STEMS[kind]}_{timestamp}{_BASES[kind]}{extension}{_encrypted(compression)}"


def globals_name(timestamp: str, compression: Compression) -> str:
    """The file name of the roles beside a dump; the guide's ``mirai_db_*`` does not match it."""
    return f"mirai_globals_{timestamp}.sql{compression.extension}{_encrypted(compression)}"


def _encrypted(compression: Compression) -> str:
    return ENCRYPTED if compression.encryption else ""


def new_timestamp(repository: str, now: datetime.datetime) -> str:
    """``now`` in local time as names carry it, moved on second by second until no backup bears it."""
    taken = set()
    for kind in KINDS:
        for name in os.listdir(os.path.join(repository, kind)):
            taken.update(re.findall(r"\d{8}_\d{6}", name))
    while True:
        timestamp = now.strftime("%Y%m%d_%H%M%S")
        if timestamp not in taken:
            return timestamp
        now += datetime.timedelta(seconds=1)


def timestamp_of(backup_id: str) -> str:
    """The ``YYYYMMDD_HHMMSS`` of an ID."""
    return backup_id[-15:]


def pin(repository: str, backup_id: str) -> None:
    """Keep the backup until it is released."""
    safefile.write(os.path.join(repository, PINS, backup_id), iter((b"",)))


def release(repository: str, backup_id: str) -> None:
    """Let retention decide on the backup again."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(repository, PINS, backup_id))


class _Found:
    """What a listing has found so far, and what it may remember of it for the next one."""

    def __init__(self, repository: str, root: str) -> None:
        self.backups: list[Backup] = []
        self.damaged: list[tuple[str, str]] = []
        self.unsealed: list[str] = []
        self._place = root if root == repository else ""  # of the copies of a store's manifests none is remembered
        self._passed = drill_history.passed(repository)
        pins = os.path.join(repository, PINS)
        self._pinned = frozenset(os.listdir(pins) if os.path.isdir(pins) else ())
        self._known = index.read(self._place) if self._place else {}
        self._rows: dict = {}
        self._news = False

    def add(self, kind: str, path: str, sizes: dict) -> None:
        """Take the manifest at ``path``; one that cannot be read is damaged."""
        try:
            head = self._head(kind, path)
            problem = _problem(head, sizes)
        except (MismatchError, OSError) as error:
            self.damaged.append((path, getattr(error, "message", None) or str(error)))
            return
        self.backups.append(Backup(head, path, head.id in self._pinned, problem, head.id in self._passed))

    def remember(self) -> None:
        """Write the index when it would say something else than it does."""
        if self._place and (self._news or len(self._rows) != len(self._known)):
            index.write(self._place, self._rows)

    def _head(self, kind: str, path: str) -> Summary:
        key = f"{kind}/{os.path.basename(path)}"
        signature = index.signature(os.lstat(path))
        known = self._known.get(key)
        if known is not None and known[0] == signature:
            self._rows[key] = known
            return known[1]
        head = summary.of(_read(kind, path))
        if signature is not None and index.is_settled(signature):
            self._rows[key] = (signature, head)
            self._news = True
        return head


def _sizes(directory: str) -> dict:
    """The bytes of every file in ``directory`` by its name."""
    sizes = {}
    if os.path.isdir(directory):
        with os.scandir(directory) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # pruned meanwhile
                    sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
    return sizes


def _read(kind: str, path: str) -> Manifest:
    """The manifest at ``path``, in the directory of ``kind``. Raises MismatchError when it does not belong there."""
    head = manifest.read(path)
    expected = f"{head.artifacts[0].name}{manifest.SUFFIX}" if head.artifacts else ""
    foreign = [one.name for one in head.artifacts if not _belongs(one.name, head.id)]
    if foreign:
        raise MismatchError(f"manifest {path} lists {foreign[0]}, which is no artifact of {head.id}")
    if head.kind != kind or os.path.basename(path) != expected or not expected.startswith(head.id + "."):
        raise MismatchError(f"manifest {path} belongs to another backup, {head.id}")
    return head


def _belongs(name: str, backup_id: str) -> bool:
    """Whether ``name`` can be an artifact of the backup: nothing else is ever deleted with it."""
    match = _ARTIFACT.fullmatch(name)
    return match is not None and match.group(1) == timestamp_of(backup_id)


def _problem(head: Summary, sizes: dict) -> str:
    """What is not whole among the artifacts; empty when nothing."""
    for artifact in head.artifacts:
        if artifact.name not in sizes:
            return f"{artifact.name} is missing"
        if sizes[artifact.name] != artifact.size:
            return f"{artifact.name} has {sizes[artifact.name]} bytes instead of {artifact.size}"
    return ""
