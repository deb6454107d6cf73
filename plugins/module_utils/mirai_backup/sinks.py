# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where streams end: a new file that is hashed while it is written, and compressed on the way."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from dataclasses import asdict, dataclass
from typing import Callable, Iterator, Optional

from . import deflate, process, safefile
from .command import Command
from .compression import Compression

_DESCRIPTORS = "/proc/self/fd/"
_WRITEBACK = 16 << 20  # bytes after which the kernel is told to begin with the disk
ROLES = {"full": "full", "db": "database", "globals": "globals", "json": "json"}


@dataclass(frozen=True)
class Artifact:
    """A finished file: its name relative to where it belongs, its size in bytes, its SHA-256 in hex."""

    __slots__ = ("name", "sha256", "size")

    name: str
    size: int
    sha256: str

    @property
    def role(self) -> str:
        """What the file holds, as its name says: full, database, globals or json."""
        return ROLES.get(self.name.rsplit("/", 1)[-1].split("_")[1], "")

    @property
    def role_directory(self) -> str:
        """The directory of a full archive in which the file lies: the guide's ``database`` or ``json``."""
        return "json" if self.role == "json" else "database"

    def document(self) -> dict:
        """The artifact as JSON values."""
        return asdict(self)


class HashedFile:
    """A new file, 0600 from the moment it exists, hashed block by block and synced before it counts.

    One that is not ``lasting`` soon goes into another one: it is not forced to disk.
    """

    def __init__(self, path: str, progress: Optional[Callable[[int], object]] = None, lasting: bool = True) -> None:
        self._path = path
        self._descriptor = (
            os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            if is_nameless(path)
            else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        )
        self._digest = hashlib.sha256()
        self._size = 0
        self._on_its_way = 0
        self._progress = progress
        self._lasting = lasting

    def __enter__(self) -> "HashedFile":
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self._descriptor)

    def write(self, block: bytes) -> int:
        """Write all of ``block``."""
        self._digest.update(block)
        rest = memoryview(block)
        while rest:
            with safefile.named(self._path):
                rest = rest[os.write(self._descriptor, rest) :]
        self._size += len(block)
        if self._lasting and self._size - self._on_its_way >= _WRITEBACK:
            self._send_on_its_way()
        if self._progress is not None:
            self._progress(len(block))
        return len(block)

    def _send_on_its_way(self) -> None:
        """Have what came since the last time written to disk, without waiting, so that ``finish`` has little to do.

        That is what Linux does with this advice where pages are dirty; who does not heed it loses nothing.
        """
        with contextlib.suppress(OSError):
            os.posix_fadvise(self._descriptor, self._on_its_way, self._size - self._on_its_way, os.POSIX_FADV_DONTNEED)
        self._on_its_way = self._size

    def finish(self, name: str) -> Artifact:
        """Force the content to disk, unless it is not to last, and describe it under ``name``."""
        if self._lasting:
            with safefile.named(self._path):
                os.fsync(self._descriptor)
        return Artifact(name, self._size, self._digest.hexdigest())


@contextlib.contextmanager
def nameless(directory: str) -> Iterator[str]:
    """A new, empty file below ``directory`` that no name leads to: its bytes are gone with us, however we end.

    Gives a path that only this process can use.
    """
    path = os.path.join(directory, f"nameless-{secrets.token_hex(8)}")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.unlink(path)
        yield f"{_DESCRIPTORS}{descriptor}"
    finally:
        os.close(descriptor)


def is_nameless(path: str) -> bool:
    """Whether ``path`` came from ``nameless``."""
    return path.startswith(_DESCRIPTORS)


def write_compressed(
    path: str,
    name: str,
    compression: Compression,
    stages: tuple[Command, ...] = (),
    source: Optional[Callable] = None,
    progress: Optional[Callable[[int], object]] = None,
    lasting: bool = True,
) -> Artifact:
    """Compress the output of ``stages`` (or what ``source`` writes) into the new file ``path``, encrypted if so.

    ``lasting`` as of ``HashedFile``.
    """
    with HashedFile(path, progress, lasting) as file:
        if compression.stages:
            process.pump(stages + compression.stages + compression.encryption, file.write, source)
        else:

            def encode(write: Callable[[bytes], object]) -> None:
                feed, finish = deflate.encoder(write)
                process.pump(stages, feed, source)
                finish()

            process.pump(compression.encryption, file.write, encode)
        return file.finish(name)
