# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts single paths of the data directory into a tar stream, each file from one reading, and notes their entries.

Members are gathered into blocks, each file read to where it is sent from. Where there is a core for it, a process
beside us digests and checks what they hold.
"""

from __future__ import annotations

import errno
import grp
import mmap
import os
import pwd
import stat
import sys
import time
from functools import lru_cache
from typing import BinaryIO, Callable, Optional

from . import entries, jsoncheck
from .beside import Beside
from .entries import Entry
from .examine import SLOT, Examiner, whole_line
from .tree import Node, unreadable

_BLOCK = 1 << 18  # what is read at once
_HELD = 1 << 19  # from when on it is passed on; with a header and a small file more it is less than SLOT
_PADDING = bytes(512)
_NONE: tuple = ()  # the signature of what was not read to its end, which is no node's
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
# Replaced since the walk, by something else or along with its directory: the next walk sees it.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.EINVAL)
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Members:
    """Writes members of the archive of ``root`` with ``write``, and for each its line of a manifest to ``lines``.

    ``write`` is given memory that is used again: it must be done with it when it returns. ``beside`` allows a process
    of its own for what can be done beside the reading, once there is a block of it. ``checked`` as of ``Examiner``.
    """

    def __init__(
        self,
        root: bytes,
        write: Callable[[bytes], object],
        lines: BinaryIO,
        beside: bool = False,
        checked: str = "",
    ) -> None:
        self._prefix = os.path.join(root, b"")
        self._write = write
        self._lines = lines
        self._may_start = beside and bool(sys.executable) and len(os.sched_getaffinity(0)) > 1
        self._checked = checked
        self._examiner = Examiner(lines, checked)
        self._beside: Optional[Beside] = None
        self._rows: list = []
        self._block = memoryview(mmap.mmap(-1, SLOT))
        self._size = 0  # of what it holds; members are whole blocks of tar, so each starts at one

    def __enter__(self) -> "Members":
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._beside is not None:
            self._beside.end()

    def add(self, node: Node, kind: str) -> tuple[tuple, int, bool]:
        """Archive ``node``: the signature it was read with, its size, and whether that may hide a change meanwhile.

        Raises FileNotFoundError when it is gone, EngineError when it cannot be read.
        """
        if kind == "file":
            return self._add_file(node)
        entry = _plain(node, kind, _target(self._prefix + node.path) if kind == "symlink" else "")
        self._put(entry.header())
        self._rows.append(whole_line(entry.line()))
        self._pass_on_if_full()
        return node.signature, 0, False

    def _add_file(self, node: Node) -> tuple[tuple, int, bool]:
        path = self._prefix + node.path
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            raise _out_of_reach(path, error) from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise FileNotFoundError(path)
            opened = Node(node.path, status)
            complete = self._read(opened, path, descriptor)
        finally:
            os.close(descriptor)
        # One written to meanwhile has another signature when the tree is walked again, but for the clock's granularity.
        return opened.signature if complete else _NONE, status.st_size, opened.is_racy(time.time_ns()) or not complete

    def _read(self, node: Node, path: bytes, descriptor: int) -> bool:
        """Archive the open file, a small one at once; returns whether all of it came.

        One that shrank is filled up and read again later.
        """
        name, one = node
        is_json, left, complete = name[-5:].lower() == b".json", one.st_size, True
        # A restore never creates setuid programs.
        shared = _common(one.st_mode & 0o1777, one.st_uid, one.st_gid)
        header, before, after = entries.file_parts(name, left, one.st_mtime_ns, shared)
        start = self._size + len(header)
        self._block[self._size : start] = header
        at_once = left if left <= jsoncheck.WHOLE_LIMIT else _BLOCK
        while left > at_once:
            self._size = end = start + at_once
            complete = _fill(self._block[start:end], path, descriptor) and complete
            self._rows.append((before, after, start, end, is_json, True))
            self._pass_on_if_full()
            start, left = self._size, left - at_once
        end = start + left
        complete = _fill(self._block[start:end], path, descriptor) and complete
        self._rows.append((before, after, start, end, is_json, False))
        self._size = end + -end % 512
        self._block[end : self._size] = _PADDING[: self._size - end]
        self._pass_on_if_full()
        return complete

    def settle(self) -> dict:
        """Write what is held; returns what is wrong with the JSON of files, by the numbers of their lines."""
        self._pass_on()
        if self._beside is None:
            self._lines.flush()
            torn, self._examiner.torn = self._examiner.torn, {}
            return torn
        torn = self._beside.finish()
        self._lines.seek(0, os.SEEK_END)
        return torn

    def _put(self, piece: bytes) -> None:
        end = self._size + len(piece)
        self._block[self._size : end] = piece
        self._size = end

    def _pass_on_if_full(self) -> None:
        if self._size < _HELD:
            return
        if self._may_start:
            self._may_start = False
            self._beside = Beside(self._lines.fileno(), self._checked)
            gathered, self._block = self._block, self._beside.place()
            self._block[: self._size] = gathered[: self._size]
        self._pass_on()
        if self._beside is not None:
            self._block = self._beside.place()

    def _pass_on(self) -> None:
        """Hand what is gathered to the stream and to whoever examines it."""
        block = self._block[: self._size]
        (self._beside or self._examiner).take(self._rows, block)
        self._rows, self._size = [], 0
        if block:
            self._write(block)


def kind_of(node: Node) -> Optional[str]:
    """The entry type of ``node``; None for sockets, pipes and devices, which hold no content."""
    return "file" if node.status is None else _KINDS.get(node.status.st_mode & 0o170000)


def _target(path: bytes) -> str:
    try:
        return os.fsdecode(os.readlink(path))
    except OSError as error:
        raise _out_of_reach(path, error) from error


def _out_of_reach(path: bytes, error: OSError) -> Exception:
    """What to raise for ``path``: FileNotFoundError when it is gone, else EngineError."""
    return FileNotFoundError(path) if error.errno in _GONE else unreadable(path, error)


def _fill(block: memoryview, path: bytes, descriptor: int) -> bool:
    """Read what comes next into all of ``block``, zeros where there is no more; returns whether there was.

    A bad sector first shortens a reading; only the next one fails.
    """
    while block:
        try:
            count = os.readv(descriptor, (block,))
        except OSError as error:
            raise unreadable(path, error) from error
        if count == len(block):
            break
        if not count:
            block[:] = bytes(len(block))
            return False
        block = block[count:]
    return True


def _plain(node: Node, kind: str, target: str) -> Entry:
    """The entry of a directory or a symlink."""
    one = node.status
    return Entry(
        path=os.fsdecode(node.path),
        type=kind,
        size=0,
        mode=stat.S_IMODE(one.st_mode),
        mtime_ns=one.st_mtime_ns,
        uid=one.st_uid,
        gid=one.st_gid,
        owner=_account(one.st_uid),
        group=_group(one.st_gid),
        target=target,
    )


@lru_cache(maxsize=256)
def _common(mode: int, uid: int, gid: int) -> entries.Common:
    return entries.common(mode, uid, gid, _account(uid), _group(gid))


@lru_cache(maxsize=256)
def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@lru_cache(maxsize=256)
def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
