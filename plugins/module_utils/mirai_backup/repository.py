# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The repository's layout: where backups lie, which there are, and what the next one is called."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
from dataclasses import dataclass
from typing import Optional

from . import drill_history, manifest, safefile
from .compression import Compression
from .config import KINDS
from .errors import MismatchError, NotFoundError
from .manifest import Manifest

STEMS = {"full": "mirai_full", "database": "mirai_db", "json": "mirai_json"}
_BASES = {"full": ".tar.gz", "database": ".sql", "json": ".tar"}
_NAME = re.compile(r"mirai_(full|db|json)_(\d{8}_\d{6})\.(tar|sql)\.(gz|zst)(\.gpg)?")
_ARTIFACT = re.compile(r"mirai_(?:full|db|json|globals)_(\d{8}_\d{6})\.(?:tar|sql)\.(?:gz|zst)(?:\.gpg)?")
STAGING = ".staging"
PINS = ".pins"


@dataclass(frozen=True)
class Backup:
    """A sealed backup as it lies in the repository. ``problem`` says what is missing; a good one has none.

    ``drilled`` says that a drill has passed it.
    """

    manifest: Manifest
    manifest_path: str
    pinned: bool
    problem: str
    drilled: bool = False

    @property
    def id(self) -> str:
        """The backup's ID, such as ``mirai_full_20261123_020000``."""
        return self.manifest.id

    @property
    def path(self) -> str:
        """The path of its main artifact."""
        return self.artifact_path(self.manifest.artifacts[0].name)

    def document(self) -> dict:
        """The backup in short, as JSON values: times in UTC, size in bytes."""
        head = self.manifest
        return {
            "id": head.id,
            "kind": head.kind,
            "path": self.path,
            "sequence": head.sequence,
            "started": head.started,
            "ended": head.ended,
            "duration_seconds": head.duration_seconds,
            "size": head.size,
            "sha256": head.artifacts[0].sha256,
            "components": sorted(head.components),
            "pinned": self.pinned,
            "drilled": self.drilled,
            "problem": self.problem,
            "warnings": list(head.warnings),
        }

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all its files, beside each other; the manifest, which makes them a backup, is the last."""
        return (*(one.name for one in self.manifest.artifacts), os.path.basename(self.manifest_path))

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
        return tuple(one for one in self.backups if not one.problem and components <= one.manifest.components)


def create(repository: str) -> None:
    """Make the repository's directories where they are not there yet. Its parent must exist."""
    parent = os.path.dirname(repository)
    if not os.path.isdir(parent):
        raise NotFoundError(f"the directory {parent} of the repository is not there", "create it, or mount it")
    safefile.make_directory(repository)
    for name in (*KINDS, STAGING, PINS):
        safefile.make_directory(os.path.join(repository, name))


def listing(repository: str) -> Listing:
    """Read every manifest. Raises NotFoundError when there is no repository."""
    if not os.path.isdir(repository):
        raise NotFoundError(f"there is no repository at {repository}", "run a backup first, or correct repository")
    sizes = {kind: _sizes(os.path.join(repository, kind)) for kind in KINDS}
    return assemble(repository, repository, sizes)


def assemble(repository: str, root: str, sizes: dict) -> Listing:
    """The listing of the manifests below ``root`` (``<kind>/<name>``), whose artifacts are held to ``sizes``: for
    each kind the bytes of every file by name. What is pinned and drilled is known to ``repository``."""
    backups, damaged, unsealed = [], [], []
    passed = drill_history.passed(repository)
    for kind in KINDS:
        for name in sorted(sizes[kind]):
            path = os.path.join(root, kind, name)
            if name.endswith(manifest.SUFFIX) and not name.startswith("."):
                try:
                    backups.append(_backup(repository, kind, path, passed, sizes[kind]))
                except (MismatchError, OSError) as error:
                    damaged.append((path, getattr(error, "message", None) or str(error)))
            elif _NAME.fullmatch(name) and name + manifest.SUFFIX not in sizes[kind]:
                unsealed.append(path)
    backups.sort(key=lambda one: one.manifest.sequence)
    return Listing(tuple(backups), tuple(damaged), tuple(unsealed))


def main_name(kind: str, timestamp: str, compression: Compression) -> str:
    """The file name of a backup's main artifact. A full archive's outer layer is always gzip."""
    return f"{STEMS[kind]}_{timestamp}{_BASES[kind]}{'' if kind == 'full' else compression.extension}"


def globals_name(timestamp: str, compression: Compression) -> str:
    """The file name of the roles beside a dump; the guide's ``mirai_db_*`` does not match it."""
    return f"mirai_globals_{timestamp}.sql{compression.extension}"


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


def _sizes(directory: str) -> dict:
    """The bytes of every file in ``directory`` by its name."""
    sizes = {}
    if os.path.isdir(directory):
        with os.scandir(directory) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # pruned meanwhile
                    sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
    return sizes


def _backup(repository: str, kind: str, path: str, passed: frozenset, sizes: dict) -> Backup:
    head = manifest.read(path)
    expected = f"{head.artifacts[0].name}{manifest.SUFFIX}" if head.artifacts else ""
    foreign = [one.name for one in head.artifacts if not _belongs(one.name, head.id)]
    if foreign:
        raise MismatchError(f"manifest {path} lists {foreign[0]}, which is no artifact of {head.id}")
    if head.kind != kind or os.path.basename(path) != expected or not expected.startswith(head.id + "."):
        raise MismatchError(f"manifest {path} belongs to another backup, {head.id}")
    pinned = os.path.exists(os.path.join(repository, PINS, head.id))
    return Backup(head, path, pinned, _problem(head, sizes) or "", head.id in passed)


def _belongs(name: str, backup_id: str) -> bool:
    """Whether ``name`` can be an artifact of the backup: nothing else is ever deleted with it."""
    match = _ARTIFACT.fullmatch(name)
    return match is not None and match.group(1) == timestamp_of(backup_id)


def _problem(head: Manifest, sizes: dict) -> Optional[str]:
    for artifact in head.artifacts:
        if artifact.name not in sizes:
            return f"{artifact.name} is missing"
        if sizes[artifact.name] != artifact.size:
            return f"{artifact.name} has {sizes[artifact.name]} bytes instead of {artifact.size}"
    return None
