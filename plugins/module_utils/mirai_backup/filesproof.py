# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holds a directory on disk to the list of files in a manifest."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Iterator

from .entries import Entry
from .tree import walk

_BLOCK = 1 << 20
_TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}


def differences(directory: str, entries: Iterator[Entry]) -> list[str]:
    """What below ``directory`` is not as ``entries`` say, a line each; every file is read anew."""
    lines, expected = [], 0
    for entry in entries:
        expected += 1
        found = on_disk(directory, entry)
        if found is None:
            lines.append(f"{entry.shown} is missing")
        else:
            difference = entry.differs_from(found)
            if difference:
                lines.append(f"{entry.shown} has another {difference}")
    there = sum(1 for _node in walk(os.fsencode(directory)))
    if there + sum(line.endswith(" is missing") for line in lines) != expected:
        lines.append(f"{directory} holds {there} entries instead of {expected}")
    return lines


def changes(directory: str, entries: Iterator[Entry]) -> dict:
    """What restoring ``entries`` over ``directory`` would do: the paths ``added``, ``changed`` and ``removed``."""
    added, changed, known = [], [], set()
    is_there = os.path.isdir(directory)
    for entry in entries:
        if is_there:
            known.add(entry.path)
        if entry.type == "directory":
            continue
        found = on_disk(directory, entry) if is_there else None
        if found is None:
            added.append(entry.shown)
        elif entry.differs_from(found) not in ("", "mtime"):
            changed.append(entry.shown)
    removed = []
    if is_there:
        for node in walk(os.fsencode(directory)):
            if os.fsdecode(node.path) not in known and not stat.S_ISDIR(node.status.st_mode):
                removed.append(f"data/{os.fsdecode(node.path)}".encode("utf-8", "replace").decode("utf-8"))
    return {"added": added, "changed": changed, "removed": removed}


def on_disk(directory: str, entry: Entry) -> "Entry | None":
    """What the path of ``entry`` is below ``directory`` now; None where it is not there."""
    path = os.path.join(directory, entry.path) if entry.path else directory
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = _TYPES.get(stat.S_IFMT(status.st_mode), "other")
    return Entry(
        path=entry.path,
        type=kind,
        size=status.st_size if kind == "file" else 0,
        mode=stat.S_IMODE(status.st_mode),
        mtime_ns=status.st_mtime_ns,
        uid=status.st_uid,
        gid=status.st_gid,
        sha256=_sha256(path) if kind == "file" and status.st_size == entry.size else "",
        target=os.readlink(path) if kind == "symlink" else "",
    )


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()
