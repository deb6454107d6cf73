# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the data directory as a tar stream, each file read once and hashed as it is read.

The archive is one recovery point: after the first pass the tree is walked again, and what changed meanwhile
is read again and appended (tar's rule: the later member counts). What will not hold still is named.
"""

from __future__ import annotations

import errno
import grp
import hashlib
import json
import os
import pwd
import stat
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO, Callable, Iterator, Optional

from . import jsoncheck
from .entries import Entry
from .text import unambiguous
from .tree import RACY_NS, Node, unreadable, walk

_BLOCK = 1 << 20
_PAUSES = (0.2, 0.5, 1.0)
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
_END_OF_ARCHIVE = b"\0" * 1024


@dataclass
class Findings:
    """What was noticed while reading; paths are as people can read them, ``size`` in bytes.

    ``reread`` maps a path to how many of its members in the archive do not count, since a later one replaces them
    or their directory.
    """

    count: int = 0
    size: int = 0
    reread: dict = field(default_factory=dict)
    unstable: list = field(default_factory=list)
    vanished: list = field(default_factory=list)
    unparsable: dict = field(default_factory=dict)
    skipped: dict = field(default_factory=dict)


class Archiver:
    """Archives the directory ``root``; ``spool_path`` is a new file that keeps the entries.

    A line of it holds the path in hex, the signature it was read with, and the entry as a manifest's line, with tabs
    between.
    """

    def __init__(self, root: str, spool_path: str) -> None:
        self._root = os.fsencode(root)
        self._prefix = os.path.join(self._root, b"")
        self._spool_path = spool_path
        self._again: dict = {}  # path → signature of its newest reading, for what was read again
        self._superseded: dict = {}  # path → how many of its members a later one replaces
        self.findings = Findings()

    def write(self, write: Callable[[bytes], object]) -> None:
        """Write the whole tar stream. Raises EngineError for what cannot be read."""
        with open(self._spool_path, "w+b", opener=_private) as spool:
            for node in walk(self._root):
                self._add(node, write, spool, first=True)
            self._settle(write, spool)
            spool.flush()
            self._drop_orphans()
            write(_END_OF_ARCHIVE)
        if self._superseded:
            self._count_again()

    def lines(self) -> Iterator[bytes]:
        """The final entries in the order of the archive, each path once, as lines of a manifest."""
        superseded = {os.fsencode(path).hex().encode("ascii"): count for path, count in self._superseded.items()}
        with open(self._spool_path, "rb") as spool:
            for record in spool:
                path, _numbers_text, line = record.split(b"\t", 2)
                if superseded and superseded.get(path):
                    superseded[path] -= 1
                else:
                    yield line[:-1]

    def entries(self) -> Iterator[Entry]:
        """The same as entries."""
        return (Entry.parse(json.loads(line)) for line in self.lines())

    def _count(self, entry: Entry) -> None:
        self.findings.count += entry.type == "file"
        self.findings.size += entry.size

    def _count_again(self) -> None:
        self.findings.count = self.findings.size = 0
        for entry in self.entries():
            self._count(entry)

    def _settle(self, write: Callable, spool: BinaryIO) -> None:
        """Walk again and read again what changed, a few times; then name what does not hold still."""
        end_of_first = spool.tell()
        for pause in _PAUSES:
            changed = self._changed(spool, end_of_first)
            if not changed:
                return
            time.sleep(pause)
            spool.seek(0, os.SEEK_END)
            for node, archived in changed:
                self._read_again(node, archived, write, spool)
            time.sleep(RACY_NS / 1e9)  # a writer that rested while we read goes on within that time
        still = self._changed(spool, end_of_first)
        self.findings.unstable = [_shown(node.path) for node, _archived in still]

    def _drop_orphans(self) -> None:
        """What lay in a directory that became a file or a link has no place any more: none of its members counts."""
        replaced = {path for path, signature in self._again.items() if signature != (stat.S_IFDIR,)}
        orphans: dict = {}
        for path, _signature in _records(self._spool_path) if replaced else ():
            if any(path[:end] in replaced for end in _ends_of_parents(path)):
                orphans[path] = orphans.get(path, 0) + 1
        for path, members in orphans.items():
            self._superseded[os.fsdecode(path)] = self.findings.reread[_shown(path)] = members

    def _read_again(self, node: Node, archived: bool, write: Callable, spool: BinaryIO) -> None:
        signature = self._add(node, write, spool, first=False)
        if signature is None:
            return
        if archived or node.path in self._again:
            name = os.fsdecode(node.path)
            self._superseded[name] = self._superseded.get(name, 0) + 1
            self.findings.reread[_shown(node.path)] = self._superseded[name]
        self._again[node.path] = signature

    def _changed(self, spool: BinaryIO, end_of_first: int) -> list[tuple[Node, bool]]:
        """The nodes that are not as archived, each with whether the first pass archived it at all."""
        changed = []
        vanished = []
        spool.flush()
        archived = _records(self._spool_path, end_of_first)
        known = next(archived, None)
        for node in walk(self._root):
            while known is not None and _key(known[0]) < node.key:
                vanished.append(_shown(known[0]))
                known = next(archived, None)
            signature = None
            was_archived = known is not None and known[0] == node.path
            if was_archived:
                signature = known[1]
                known = next(archived, None)
            if self._again:
                signature = self._again.get(node.path, signature)
            if signature != node.signature and _kind(node) is not None:
                changed.append((node, was_archived))
        vanished += [_shown(path) for path, _signature in ([known] if known else []) + list(archived)]
        self.findings.vanished = vanished
        return changed

    def _add(self, node: Node, write: Callable, spool: BinaryIO, first: bool) -> Optional[tuple]:
        """Archive one node and note it in the spool; returns the signature it was read with, None if it is gone."""
        kind = _kind(node)
        if kind is None:
            self.findings.skipped[_shown(node.path)] = "not a file, directory or symlink"
            return None
        try:
            if kind == "file":
                entry, signature = self._add_file(node, write, first)
            else:
                entry, signature = self._add_plain(node, kind, write), node.signature
        except FileNotFoundError:
            return None
        self._count(entry)
        spool.write(b"%s\t%s\t%s\n" % (node.path.hex().encode("ascii"), _numbers(signature), entry.line()))
        return signature

    def _add_plain(self, node: Node, kind: str, write: Callable) -> Entry:
        target = os.fsdecode(os.readlink(self._prefix + node.path)) if kind == "symlink" else ""
        entry = _entry(node.path, kind, node.status, target=target)
        write(entry.header())
        return entry

    def _add_file(self, node: Node, write: Callable, first: bool) -> tuple[Entry, Optional[tuple]]:
        path = self._prefix + node.path
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP):  # replaced since the walk: the next one sees it
                raise FileNotFoundError(path) from error
            raise unreadable(path, error) from error
        try:
            status = os.fstat(descriptor)
            opened = Node(node.path, status)
            small = status.st_size <= jsoncheck.WHOLE_LIMIT
            entry, complaint = (_whole if small else _in_blocks)(opened, descriptor, write)
            now = Node(node.path, os.fstat(descriptor))
        finally:
            os.close(descriptor)
        if self.findings.unparsable:
            self.findings.unparsable.pop(_shown(node.path), None)
        if complaint:
            self.findings.unparsable[_shown(node.path)] = complaint
        doubtful = now.signature != opened.signature or opened.is_racy(time.time_ns()) or complaint
        return entry, None if doubtful and first else opened.signature


def _whole(node: Node, descriptor: int, write: Callable) -> tuple[Entry, str]:
    """Archive a small file from one reading of it."""
    content = os.read(descriptor, node.status.st_size).ljust(node.status.st_size, b"\0")
    complaint = jsoncheck.complaint(content) if _is_json(node.path) else ""
    entry = _entry(node.path, "file", node.status, sha256=hashlib.sha256(content).hexdigest())
    write(b"".join((entry.header(), content, _padding(len(content)))))
    return entry, complaint


def _in_blocks(node: Node, descriptor: int, write: Callable) -> tuple[Entry, str]:
    """Archive a large file block by block; a file that shrinks meanwhile is filled up and read again later."""
    write(_entry(node.path, "file", node.status).header())
    digest = hashlib.sha256()
    scanner = jsoncheck.Scanner() if _is_json(node.path) else None
    left = node.status.st_size
    while left:
        block = os.read(descriptor, min(left, _BLOCK)) or b"\0" * min(left, _BLOCK)
        digest.update(block)
        if scanner is not None:
            scanner.feed(block)
        write(block)
        left -= len(block)
    write(_padding(node.status.st_size))
    entry = _entry(node.path, "file", node.status, sha256=digest.hexdigest())
    return entry, scanner.finish() if scanner is not None else ""


def _entry(path: bytes, kind: str, status: os.stat_result, sha256: str = "", target: str = "") -> Entry:
    mode = stat.S_IMODE(status.st_mode)
    if kind == "file":
        mode &= 0o1777  # a restore never creates setuid programs
    return Entry(
        path=os.fsdecode(path),
        type=kind,
        size=status.st_size if kind == "file" else 0,
        mode=mode,
        mtime_ns=status.st_mtime_ns,
        uid=status.st_uid,
        gid=status.st_gid,
        owner=_account(status.st_uid),
        group=_group(status.st_gid),
        sha256=sha256,
        target=target,
    )


def _kind(node: Node) -> Optional[str]:
    """The entry type of ``node``; None for sockets, pipes and devices, which hold no content."""
    return _KINDS.get(node.status.st_mode & 0o170000)


def _records(spool_path: str, end: Optional[int] = None) -> Iterator[tuple[bytes, Optional[tuple]]]:
    """Path and signature of every record before ``end``; no signature: read it again in any case."""
    place = 0
    with open(spool_path, "rb") as spool:
        for line in spool:
            if end is not None and place >= end:
                return
            place += len(line)
            path, numbers, _entry_text = line.split(b"\t", 2)
            yield bytes.fromhex(path.decode("ascii")), tuple(map(int, numbers.split())) or None


def _numbers(signature: Optional[tuple]) -> bytes:
    return " ".join(map(str, signature or ())).encode("ascii")


def _ends_of_parents(path: bytes) -> Iterator[int]:
    """Where in ``path`` the names of the directories above it end."""
    return (place for place, byte in enumerate(path) if byte == ord("/"))


def _key(path: bytes) -> tuple[bytes, ...]:
    return tuple(path.split(b"/")) if path else ()


def _is_json(path: bytes) -> bool:
    return path.lower().endswith(b".json")


def _padding(size: int) -> bytes:
    return b"\0" * (-size % 512)


def _shown(path: bytes) -> str:
    return unambiguous(os.fsdecode(path)) or "."


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


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
