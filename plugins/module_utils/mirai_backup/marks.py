# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What this machine remembers of a store: which backups it took, and what has still to go from there.

It lies in ``<repository>/.offsite/<store>/memory.json``, beside copies of the store's manifests.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field

from . import safefile
from .errors import EngineError

DIRECTORY = ".offsite"
MANIFESTS = "manifests"
_NAME = "memory.json"


@dataclass(frozen=True)
class Mark:
    """That a store took a backup: when, the digest of its manifest, and how what it holds was compared, by artifact:
    ``md5`` (the store's own), ``read back``, or ``sent`` (the server checked the MD5 of what it was sent).

    ``gone`` says since when it is there no more, though nobody here deleted it.
    """

    time: str
    digest: str
    kind: str
    sequence: int
    compared: dict
    gone: str = ""


@dataclass(frozen=True)
class Memory:
    """``marks`` by ID; ``doomed``: files that go unless the manifest named for each is there; ``sequence``: the
    highest ever seen in the store; ``last``: the last push, with ``time``, ``result`` and ``problems``."""

    marks: dict = field(default_factory=dict)
    doomed: dict = field(default_factory=dict)
    sequence: int = 0
    last: dict = field(default_factory=dict)

    def shipped(self, backup_id: str, digest: str) -> bool:
        """Whether the store holds the backup with that manifest, as far as is known here."""
        mark = self.marks.get(backup_id)
        return mark is not None and not mark.gone and mark.digest == digest


def place(repository: str, name: str) -> str:
    """The directory of what is remembered of the store ``name``."""
    return os.path.join(repository, DIRECTORY, name)


def create(repository: str, name: str) -> str:
    """Make the directory where it is not there yet, and return it."""
    directory = place(repository, name)
    for path in (os.path.dirname(directory), directory, os.path.join(directory, MANIFESTS)):
        safefile.make_directory(path)
    return directory


def read(directory: str) -> Memory:
    """What is remembered; nothing where nothing is. Raises EngineError when the file is damaged."""
    path = os.path.join(directory, _NAME)
    try:
        with open(path, "rb") as file:
            values = json.load(file)
        marks = {name: Mark(**one) for name, one in values["marks"].items()}
        return Memory(marks, dict(values["doomed"]), int(values["sequence"]), dict(values["last"]))
    except FileNotFoundError:
        return Memory()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(f"{path} is damaged", "remove it: the next push looks at the store again") from error


def write(directory: str, memory: Memory) -> None:
    """Remember ``memory``."""
    content = json.dumps(dataclasses.asdict(memory), indent=1).encode("ascii")
    safefile.write(os.path.join(directory, _NAME), iter((content,)))


def last_sequence(repository: str) -> int:
    """The highest sequence number ever seen in any store, so that a rebuilt server goes on from there."""
    root = os.path.join(repository, DIRECTORY)
    names = os.listdir(root) if os.path.isdir(root) else ()
    return max((read(os.path.join(root, name)).sequence for name in names), default=0)
