# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remembers the summaries of manifests, so that a listing reads only those that are new or were touched.

It is a shortcut and never an authority: a row counts only for a manifest that still has the size, the times and
the inode it was read with. Whatever is wrong with the file, the manifests are read instead and it is written anew.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import secrets
import stat
import sys
import time
from typing import Iterator, Optional

from . import safefile
from .sinks import Artifact
from .summary import Summary

FILE = ".index"
_FIELDS = [one.name for one in dataclasses.fields(Summary)]
# A row of another engine's, with other fields, is none.
_HEADER = json.dumps(["mirai.backup index", *_FIELDS]).encode("ascii") + b"\n"
_ROW = (str, int, int, int, int, str, str, int, str, str, str, str, float, str, list, list, list)
_ROW_LIMIT = 1 << 16
_SHORT = 25  # shorter than a time or an ID
_YOUNG_NS = 1_000_000_000
_TEMPORARY = re.compile(re.escape(FILE) + r"\.[0-9a-f]{8}\.tmp")

Signature = tuple[int, int, int, int]


def signature(status: os.stat_result) -> Optional[Signature]:
    """What changes when somebody touches the file: size, mtime, ctime, inode. None where it cannot tell: no file."""
    if not stat.S_ISREG(status.st_mode):
        return None
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def read(repository: str) -> dict[str, tuple[Signature, Summary]]:
    """Manifest's path below the repository → what it was read with, and its summary. Empty when unusable."""
    rows: dict = {}
    digest = hashlib.sha256(_HEADER)
    try:
        with open(os.path.join(repository, FILE), "rb", opener=_own) as file:
            if file.readline(_ROW_LIMIT) != _HEADER:
                return {}
            line = file.readline(_ROW_LIMIT)
            while line[:1] == b"[":
                digest.update(line)
                name, signature_, summary = _parsed(line)
                rows[name] = (signature_, summary)
                line = file.readline(_ROW_LIMIT)
            whole = line.decode("ascii", "replace") == digest.hexdigest() and not file.read(1)
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
    return rows if whole else {}


def write(repository: str, rows: dict[str, tuple[Signature, Summary]]) -> None:
    """Remember ``rows``, but for manifests so young that a second write could hide behind the clock's granularity.

    That it cannot be written (another's repository, a full or a read-only disk) costs time later, and nothing else.
    """
    path = os.path.join(repository, FILE)
    temporary = f"{path}.{secrets.token_hex(4)}.tmp"
    with contextlib.suppress(OSError):
        try:
            with open(temporary, "xb", opener=_private) as file:
                for line in _lines(rows):
                    file.write(line)
            safefile.adopt(temporary)
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


def is_settled(signature_: Signature) -> bool:
    """Whether the manifest is old enough to be remembered."""
    return time.time_ns() - signature_[2] > _YOUNG_NS


def sweep(repository: str) -> list[str]:
    """Remove what writers that died left behind; returns the paths that are gone."""
    gone = []
    for name in os.listdir(repository):
        if _TEMPORARY.fullmatch(name):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(repository, name))
                gone.append(os.path.join(repository, name))
    return gone


def _lines(rows: dict) -> Iterator[bytes]:
    digest = hashlib.sha256(_HEADER)
    yield _HEADER
    for name, (signature_, summary) in rows.items():
        values = [getattr(summary, one) for one in _FIELDS]
        values[-1] = [[one.name, one.size, one.sha256] for one in summary.artifacts]
        line = json.dumps([name, *signature_, *values]).encode("ascii") + b"\n"
        if len(line) < _ROW_LIMIT:
            digest.update(line)
            yield line
    yield digest.hexdigest().encode("ascii")


def _parsed(line: bytes) -> tuple[str, Signature, Summary]:
    """A row. Raises ValueError or TypeError for what ``_lines`` does not write."""
    row = json.loads(line)
    if tuple(map(type, row)) != _ROW:
        raise ValueError("a value is of the wrong type")
    # Thousands of rows say the same here: one copy is enough.
    row = [sys.intern(one) if isinstance(one, str) and len(one) < _SHORT else one for one in row]
    *plain, halves, warnings, artifacts = row
    found = tuple([Artifact(name, size, sha256) for name, size, sha256 in artifacts])
    sound = all(isinstance(one.name, str) and isinstance(one.size, int) for one in found)
    if not found or not sound or not all(isinstance(one, str) for one in halves + warnings):
        raise ValueError("a value is of the wrong type")
    return plain[0], tuple(plain[1:5]), Summary(*plain[5:], tuple(map(sys.intern, halves)), tuple(warnings), found)


def _own(path: str, flags: int) -> int:
    """Open a plain file that nobody but its repository's owner, root or ourselves can have written."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    status = os.fstat(descriptor)
    owners = (0, os.geteuid(), os.stat(os.path.dirname(path)).st_uid)
    if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o022 or status.st_uid not in owners:
        os.close(descriptor)
        raise PermissionError(f"{path} is not ours")
    return descriptor


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
