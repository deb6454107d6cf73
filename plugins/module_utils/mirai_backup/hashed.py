# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holds bytes to a manifest's digests while they are read, whoever else reads them."""

from __future__ import annotations

import contextlib
import hashlib
from typing import BinaryIO, Callable, Iterator

from .errors import EngineError, MismatchError
from .repository import Backup
from .sinks import Artifact

_BLOCK = 1 << 20


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

    def artifact(self, name: str) -> Artifact:
        """All that was read, described under ``name``."""
        return Artifact(name, self._size, self._digest.hexdigest())

    def matches(self, artifact: Artifact) -> bool:
        """Whether all that was read is ``artifact``."""
        return self.artifact(artifact.name) == artifact

    def difference(self, artifact: Artifact) -> str:
        """In words, why it is not."""
        if self._size != artifact.size:
            return f"{self._size} bytes instead of {artifact.size}"
        return "its SHA-256 is not the manifest's"


@contextlib.contextmanager
def sealed(
    backup: Backup, artifact: Artifact, progress: Callable[[int], object] = lambda _count: None
) -> Iterator[HashedReader]:
    """The file of ``artifact``, to read while the block runs, and at its end held to what was sealed, to the last byte.

    Raises MismatchError, also in place of an EngineError that damaged bytes led to.
    """
    with open(backup.artifact_path(artifact.name), "rb") as file:
        raw = HashedReader(file, progress)
        try:
            yield raw
        except EngineError as error:
            raw.drain()
            if raw.matches(artifact):
                raise
            raise MismatchError(f"{artifact.name} is damaged: {raw.difference(artifact)} ({error})") from error
        raw.drain()
        if not raw.matches(artifact):
            raise MismatchError(f"{artifact.name} is damaged: {raw.difference(artifact)}")


def require_sealed(backup: Backup) -> None:
    """Raise MismatchError unless every artifact is byte for byte what was sealed. Nothing is decoded."""
    for artifact in backup.manifest.artifacts:
        with sealed(backup, artifact):
            pass
