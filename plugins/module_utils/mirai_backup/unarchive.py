# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads an archive of the data directory back, member by member, and refuses what has no business in one."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import tarfile
from functools import lru_cache
from typing import BinaryIO, Callable, Iterator, Optional

from .entries import ROOT, TYPES, Entry, from_member
from .errors import MismatchError
from .manifest import Manifest
from .text import printable, unambiguous

_BLOCK = 1 << 20


def compare(stream: BinaryIO, head: Manifest, entries: Iterator[Entry], target: Optional["Target"] = None) -> None:
    """Read the tar ``stream`` and hold every member to the manifest's ``entries``.

    With a ``target``, what is read is written there as well. Raises MismatchError naming the first member that
    is unsafe, missing, unexpected or not as the manifest says.
    """
    superseded = dict((head.files or {}).get("reread", {}))
    links: set = set()
    try:
        with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
            for info in iter(archive.next, None):
                archive.members.clear()  # tarfile keeps every member it has read
                shown = unambiguous(info.name.rstrip("/")[len(ROOT) + 1 :]) or "."
                if superseded.get(shown):
                    _refuse_unsafe(info, set())  # a link that a directory replaced later is in nobody's way
                    superseded[shown] -= 1
                    continue
                _refuse_unsafe(info, links)
                expected = next(entries, None)
                _compare_member(archive, info, expected, target)
    except tarfile.TarError as error:
        raise MismatchError(f"the archive of {head.id} is damaged: {error}") from error
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
        raise MismatchError(f"the archive of {head.id} contradicts itself: {error}") from error
    left = next(entries, None)
    if left is not None:
        raise MismatchError(f"{left.shown} is missing in the archive of {head.id}")


def entries(stream: BinaryIO) -> Iterator[Entry]:
    """What the tar ``stream`` holds, in its order. Raises MismatchError for a member that is unsafe."""
    links: set = set()
    with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
        for info in iter(archive.next, None):
            archive.members.clear()
            _refuse_unsafe(info, links)
            yield from_member(info, _digest(archive.extractfile(info), None) if info.isreg() else "")


def _compare_member(
    archive: tarfile.TarFile, info: tarfile.TarInfo, expected: Optional[Entry], target: Optional["Target"]
) -> None:
    if expected is None or expected.member != info.name.rstrip("/"):
        wanted = expected.shown if expected is not None else "the end"
        raise MismatchError(f"the archive holds {printable(info.name)} where the manifest says {wanted}")
    difference = expected.differs_from(from_member(info, expected.sha256))
    if not difference and info.isreg():  # nothing larger than what was backed up is ever written
        write = target.file(expected) if target is not None else None
        digest = _digest(archive.extractfile(info), write)
        difference = "sha256" if digest != expected.sha256 else ""
    if difference:
        raise MismatchError(f"{expected.shown} has another {difference} than the manifest says")
    if target is not None:
        target.keep(expected)


def _digest(content: BinaryIO, write: Optional[Callable[[bytes], object]]) -> str:
    digest = hashlib.sha256()
    try:
        for block in iter(lambda: content.read(_BLOCK), b""):
            digest.update(block)
            if write is not None:
                write(block)
    finally:
        if write is not None:
            write(None)
    return digest.hexdigest()


def _refuse_unsafe(info: tarfile.TarInfo, links: set) -> None:
    """Refuse members that could write outside of the target or create more than files, directories and links."""
    parts = info.name.rstrip("/").split("/")
    reason = ""
    if parts[0] != ROOT or any(part in ("", ".", "..") for part in parts):
        reason = f"its name does not stay below {ROOT}/"
    elif info.type not in TYPES:
        reason = "it is neither file, directory nor symlink"
    elif info.isreg() and info.mode & 0o6000:
        reason = "it is setuid or setgid"
    elif any("/".join(parts[:end]) in links for end in range(1, len(parts))):
        reason = "its path leads through a symlink"
    if reason:
        raise MismatchError(f"the archive holds {printable(info.name)}, which is refused: {reason}")
    if info.issym():
        links.add("/".join(parts))


class Target:
    """A new directory that an archive is written to. Links come last, so nothing is ever written through one."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._later: list = []
        os.mkdir(directory, 0o700)

    def file(self, entry: Entry) -> Callable[[Optional[bytes]], object]:
        """Create the file of ``entry`` and return what writes to it; None closes it."""
        descriptor = os.open(self._path(entry), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        file = open(descriptor, "wb")

        def write(block: Optional[bytes]) -> None:
            if block is None:
                file.close()
            else:
                file.write(block)

        return write

    def keep(self, entry: Entry) -> None:
        """Give a file its owner, mode and time; directories are made now, and finished with the links at the end."""
        if entry.type == "file":
            self._dress(entry)
        else:
            if entry.type == "directory" and entry.path:
                os.mkdir(self._path(entry), 0o700)
            self._later.append(entry)

    def finish(self) -> None:
        """Make the links, then finish the directories from the innermost outwards, and force all to disk."""
        for entry in self._later:
            if entry.type == "symlink":
                os.symlink(entry.target, self._path(entry))
                self._dress(entry)
        for entry in reversed(self._later):
            if entry.type == "directory":
                self._dress(entry)
        os.sync()

    def _path(self, entry: Entry) -> str:
        return os.path.join(self._directory, entry.path) if entry.path else self._directory

    def _dress(self, entry: Entry) -> None:
        path = self._path(entry)
        if os.geteuid() == 0:
            os.chown(path, *_owner(entry), follow_symlinks=False)
        if entry.type != "symlink":
            os.chmod(path, entry.mode)
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)


def _owner(entry: Entry) -> tuple[int, int]:
    """The owner by name where this machine knows the name, as tar does, else by number."""
    uid, gid = _uid(entry.owner), _gid(entry.group)
    return entry.uid if uid is None else uid, entry.gid if gid is None else gid


@lru_cache(maxsize=256)
def _uid(name: str) -> Optional[int]:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


@lru_cache(maxsize=256)
def _gid(name: str) -> Optional[int]:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None
