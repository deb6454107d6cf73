# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the data directory as a tar stream, each file read once and hashed as it is read.

The archive is one recovery point: after the first pass the tree is walked again, and what changed meanwhile
is read again and appended (tar's rule: the later member counts). What will not hold still is named.
"""

from __future__ import annotations

import json
import os
import stat
import time
from array import array
from dataclasses import dataclass, field
from typing import Callable, Iterator, Optional

from .entries import Entry, path_of, start_of_line
from .members import Members, kind_of
from .text import unambiguous
from .tree import RACY_NS, Node, walk

_PAUSES = (0.2, 0.5, 1.0)
_END_OF_ARCHIVE = b"\0" * 1024
# Tokens are 64-bit hashes of a path and its signature: two of them are the same by accident once in 2^64.
_READ_AGAIN = 0
_AFTER_PATH = b',"type":"'  # no path holds it: quotes within one are escaped
_NEVER: tuple = ((), 0)
_NO_RECORD = (_READ_AGAIN, b"")


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
    """Archives the directory ``root``; ``spool_path`` is a new file that keeps the entries as lines of a manifest.

    ``checked`` is the path of a manifest without a torn file: what is as in it need not be checked again.
    """

    def __init__(self, root: str, spool_path: str, checked: str = "") -> None:
        self._root = os.fsencode(root)
        self._spool_path = spool_path
        self._checked = checked
        self._first = array("q")  # a token of what each line of the first pass was read as
        self._again: dict = {}  # path → signature and number of its newest reading, for what was read again
        self._readings = 0
        self._superseded: dict = {}  # path → how many of its members a later one replaces
        self.findings = Findings()

    def write(self, write: Callable[[bytes], object]) -> None:
        """Write the whole tar stream. Raises EngineError for what cannot be read."""
        with open(self._spool_path, "w+b", opener=_private) as spool:
            with Members(self._root, write, spool, beside=True, checked=self._checked) as members:
                for node in walk(self._root, look_at_files=False):
                    added = self._add(node, members)
                    if added is not None:
                        signature, in_doubt = added
                        self._first.append(_READ_AGAIN if in_doubt else hash((node.path, signature)))
                torn = members.settle()
            self._name_torn(torn)
            with Members(self._root, write, spool) as members:
                self._settle(members)
            self._drop_orphans()
            write(_END_OF_ARCHIVE)
        if self._superseded:
            self._count_again()

    def lines(self) -> Iterator[bytes]:
        """The final entries in the order of the archive, each path once, as lines of a manifest."""
        superseded = dict(self._superseded)
        starts = frozenset(map(start_of_line, superseded))
        with open(self._spool_path, "rb") as spool:
            for line in spool:
                if starts and line[: line.index(_AFTER_PATH) + 1] in starts:
                    path = path_of(line)
                    if superseded.get(path):
                        superseded[path] -= 1
                        continue
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

    def _settle(self, members: Members) -> None:
        """Walk again and read again what changed, a few times; then name what does not hold still."""
        for pause in _PAUSES:
            changed = self._changed()
            if not changed:
                return
            time.sleep(pause)
            for node, archived in changed:
                self._read_again(node, archived, members)
            time.sleep(RACY_NS / 1e9)  # a writer that rested while we read goes on within that time
        self.findings.unstable = [_shown(node.path) for node, _archived in self._changed()]

    def _drop_orphans(self) -> None:
        """What lay in a directory that became a file or a link has no place any more: none of its members counts."""
        replaced = {path for path, (signature, _number) in self._again.items() if signature != (stat.S_IFDIR,)}
        if not replaced:
            return
        orphans: dict = {}
        with open(self._spool_path, "rb") as spool:
            for path in map(path_of, spool):
                if any(path[:end] in replaced for end in _ends_of_parents(path)):
                    orphans[path] = orphans.get(path, 0) + 1
        for path, members in orphans.items():
            self._superseded[path] = self.findings.reread[_shown(path)] = members

    def _add(self, node: Node, members: Members) -> Optional[tuple[tuple, bool]]:
        """Archive one node: the signature it was read with and whether that is in doubt; None when it is gone."""
        kind = kind_of(node)
        if kind is None:
            self.findings.skipped[_shown(node.path)] = "not a file, directory or symlink"
            return None
        try:
            signature, size, in_doubt = members.add(node, kind)
        except FileNotFoundError:
            return None
        self.findings.count += kind == "file"
        self.findings.size += size
        return signature, in_doubt

    def _name_torn(self, torn: dict) -> None:
        """Note the torn files of the first pass, and that they are to be read again."""
        for number, (_token, line) in enumerate(self._records() if torn else ()):
            if number in torn:
                self._first[number] = _READ_AGAIN
                self.findings.unparsable[_shown(path_of(line))] = torn[number]

    def _read_again(self, node: Node, archived: bool, members: Members) -> None:
        added = self._add(node, members)
        if added is None:
            return
        complaints = tuple(members.settle().values())
        self.findings.unparsable.pop(_shown(node.path), None)
        if complaints:
            self.findings.unparsable[_shown(node.path)] = complaints[0]
        if archived or node.path in self._again:
            self._superseded[node.path] = self._superseded.get(node.path, 0) + 1
            self.findings.reread[_shown(node.path)] = self._superseded[node.path]
        signature, in_doubt = added
        self._readings += 1
        self._again[node.path] = () if in_doubt else signature, self._readings

    def _changed(self) -> list[tuple[Node, bool]]:
        """The nodes that are not as archived, each with whether the first pass archived it at all."""
        changed, vanished = [], []
        first = self._records()
        token, line = next(first, _NO_RECORD)
        for node in walk(self._root):
            now = hash((node.path, node.signature))
            was_archived = now == token
            if not was_archived and line:
                path = path_of(line)
                while line and _key(path) < node.key:
                    vanished.append(_shown(path))
                    token, line = next(first, _NO_RECORD)
                    path = path_of(line) if line else b""
                was_archived = bool(line) and path == node.path
            read_as = token if was_archived else _READ_AGAIN
            if was_archived:
                token, line = next(first, _NO_RECORD)
            if self._again:
                signature, number = self._again.get(node.path, _NEVER)
                if any(self._again.get(node.path[:end], _NEVER)[1] > number for end in _ends_of_parents(node.path)):
                    read_as = _READ_AGAIN  # its directory was something else meanwhile: it comes after it
                elif number:
                    read_as = hash((node.path, signature))
            if now != read_as and kind_of(node) is not None:
                changed.append((node, was_archived))
        left = [line, *(line for _token, line in first)] if line else ()
        self.findings.vanished = vanished + [_shown(path_of(one)) for one in left]
        return changed

    def _records(self) -> Iterator[tuple[int, bytes]]:
        """Token and line of everything that the first pass read."""
        with open(self._spool_path, "rb") as spool:
            yield from zip(self._first, spool)


def _ends_of_parents(path: bytes) -> Iterator[int]:
    """Where in ``path`` the names of the directories above it end."""
    return (place for place, byte in enumerate(path) if byte == ord("/"))


def _key(path: bytes) -> tuple[bytes, ...]:
    return tuple(path.split(b"/")) if path else ()


def _shown(path: bytes) -> str:
    return unambiguous(os.fsdecode(path)) or "."


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)
