# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Chooses what a drill is about: unlike a restore it may be given a backup that is not whole, to say so."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Union

from . import manifest, selector
from . import repository as repositories
from .repository import Backup, Listing


@dataclass(frozen=True)
class Damaged:
    """A backup whose manifest cannot be relied on: its ID by the file's name, the path, and ``problem``."""

    id: str
    path: str
    problem: str


def resolve(listing: Listing, word: str) -> Union[Backup, Damaged]:
    """The backup that ``word`` names, whole or not. Raises NotFoundError as the selector.

    ``latest`` prefers a backup of both halves and falls back to the newest of any; it is a whole one.
    """
    for one in listing.backups:
        if one.problem and word in (one.id, repositories.timestamp_of(one.id), one.path, one.manifest_path):
            return one
    for path, problem in listing.damaged:
        name = os.path.basename(path)[: -len(manifest.SUFFIX)]
        if word in (name, name.split(".")[0], path, path[: -len(manifest.SUFFIX)]):
            return Damaged(name.split(".")[0], path, problem)
    return selector.preferred(listing, word)
