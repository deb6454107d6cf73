# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Walks a data directory in one fixed order, so that two walks can be compared without holding either."""

from __future__ import annotations

import os
import stat
from typing import Iterator, NamedTuple, Optional

from .errors import EngineError

RACY_NS = 100_000_000


class Node(NamedTuple):
    """One file, directory or symlink: ``path`` is relative to the root (bytes, empty for the root itself).

    ``status`` is None for a file that was not looked at.
    """

    path: bytes
    status: Optional[os.stat_result]

    @property
    def key(self) -> tuple[bytes, ...]:
        """Sorts nodes in the order of the walk: a directory, then what is in it."""
        return tuple(self.path.split(b"/")) if self.path else ()

    @property
    def signature(self) -> tuple[int, ...]:
        """What changes when somebody writes: device, inode, size, mtime, ctime; only the type for directories."""
        one = self.status
        if one.st_mode & 0o170000 == stat.S_IFDIR:
            return (stat.S_IFDIR,)
        return (one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns)

    def is_racy(self, now_ns: int) -> bool:
        """Whether a write could still hide behind the clock's granularity."""
        return abs(now_ns - self.status.st_mtime_ns) < RACY_NS and stat.S_ISREG(self.status.st_mode)


def walk(root: bytes, look_at_files: bool = True) -> Iterator[Node]:
    """Every node below ``root``, the root first, each directory's names sorted as bytes.

    What vanishes while the walk is under way is left out. Raises EngineError for what cannot be read. For who opens
    every file anyway, it need not look at what directories say are files.
    """
    status = _status(root)
    if status is None or not stat.S_ISDIR(status.st_mode):
        raise EngineError(f"data directory {os.fsdecode(root)} is not there", "correct data_dir")
    yield Node(b"", status)
    prefix = os.path.join(root, b"")
    pending = [_listing(root, b"", not look_at_files)]
    while pending:
        for path, is_file in pending[-1]:
            if is_file:
                yield Node(path, None)
                continue
            status = _status(prefix + path)
            if status is None:
                continue
            yield Node(path, status)
            if status.st_mode & 0o170000 == stat.S_IFDIR:
                pending.append(_listing(prefix + path, path, not look_at_files))
                break
        else:
            pending.pop()


def measure(root: bytes) -> tuple[int, int]:
    """Files and their bytes below ``root``."""
    count = total = 0
    for node in walk(root):
        if stat.S_ISREG(node.status.st_mode):
            count += 1
            total += node.status.st_size
    return count, total


def _listing(directory: bytes, path: bytes, scan: bool) -> Iterator[tuple[bytes, bool]]:
    """The paths in ``directory``, and of each whether it is known to be a file, which takes a ``scan``."""
    try:
        if scan:
            with os.scandir(directory) as found:
                names = sorted((one.name, one.is_file(follow_symlinks=False)) for one in found)
        else:
            names = [(name, False) for name in sorted(os.listdir(directory))]
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError as error:
        raise unreadable(directory, error) from error
    if not path:
        return iter(names)
    return ((path + b"/" + name, is_file) for name, is_file in names)


def _status(path: bytes) -> Optional[os.stat_result]:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: bytes, error: OSError) -> EngineError:
    """The error for a source that exists but cannot be read."""
    return EngineError(
        f"{os.fsdecode(path)} cannot be read: {error.strerror}",
        "give the backup's user the right to read it; an incomplete backup is not made",
    )
