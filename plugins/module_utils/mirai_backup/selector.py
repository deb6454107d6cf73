# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Turns what people write for a backup into the backup they mean."""

from __future__ import annotations

import difflib
import os
import re

from .errors import MismatchError, NotFoundError
from .repository import Backup, Listing, outside, timestamp_of

BOTH = frozenset(("database", "json"))
COMPONENTS = {"full": BOTH, "database": frozenset(("database",)), "json": frozenset(("json",))}


def resolve(listing: Listing, word: str, components: frozenset = frozenset()) -> Backup:
    """The backup that ``word`` names: ``latest``, ``oldest``, ``latest-verified``, an ID, a timestamp or a
    path, which may lie outside of the repository, the manifest beside it.

    The first three choose among the good backups that hold all ``components``. Raises NotFoundError,
    which lists the nearest, and for a named backup that is incomplete or lacks a component.
    """
    if word in ("latest", "oldest", "latest-verified"):
        good = [one for one in listing.good(components) if one.drilled or word != "latest-verified"]
        if not good:
            wanted = " and ".join(sorted(components)) or "anything"
            if word == "latest-verified":
                raise NotFoundError(f"no drill has passed a backup that holds {wanted}", "run mirai-backup drill")
            raise NotFoundError(
                f"there is no good backup that holds {wanted}",
                "see mirai-backup list; make one with mirai-backup backup, or restore a copy with --offsite",
            )
        return good[0 if word == "oldest" else -1]
    backup = _named(listing, word)
    missing = components - backup.head.components
    if missing:
        flag = " or ".join(f"--{'db' if one == 'database' else one}-only" for one in sorted(backup.head.components))
        raise NotFoundError(
            f"{backup.id} holds no {' and no '.join(sorted(missing))}", f"choose another, or add {flag}"
        )
    if backup.problem:
        raise NotFoundError(f"{backup.id} is not whole: {backup.problem}", "choose another; see mirai-backup list")
    return backup


def preferred(listing: Listing, word: str) -> Backup:
    """As ``resolve``, for any components: the newest that holds both halves, where one does, is the latest."""
    both = word == "latest" and listing.good(BOTH)
    return resolve(listing, word, BOTH if both else frozenset())


def passed_over(listing: Listing, word: str, chosen: Backup, components: frozenset) -> tuple[str, ...]:
    """The newer backups that are not ``chosen`` as the ``latest`` since they are not whole, in words."""
    newer = listing.newer_not_whole(chosen, components) if word == "latest" else ()
    return tuple(f"{one.id}, which is newer and not whole: {one.problem}" for one in newer)


def whole_or_not(listing: Listing, word: str) -> Backup:
    """As ``preferred``, but a backup that is not whole may be the one, also as the latest: verify is to say so."""
    if word != "latest":
        named = [one for one in listing.backups if word in (one.id, timestamp_of(one.id), one.path)]
        return named[0] if len(named) == 1 else preferred(listing, word)
    if listing.backups and not listing.good():
        return listing.backups[-1]
    chosen = preferred(listing, word)
    return (chosen, *listing.newer_not_whole(chosen, chosen.head.components))[-1]


def _named(listing: Listing, word: str) -> Backup:
    base = os.path.basename(word)
    found = [one for one in listing.backups if _names(one, word, base)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(f"{word} names {len(found)} backups", f"write one of {', '.join(one.id for one in found)}")
    carried = outside(os.path.realpath(word)) if "/" in word else None
    if carried is not None:
        return carried
    for path, reason in listing.damaged:
        if base and base in os.path.basename(path):
            raise MismatchError(f"{word} cannot be used: {reason}", "choose another; see mirai-backup list")
    raise NotFoundError(f"there is no backup {word}", _nearest(listing, base))


def _names(backup: Backup, word: str, base: str) -> bool:
    if "/" in word:
        wanted = os.path.realpath(word)
        return wanted in (os.path.realpath(backup.path), os.path.realpath(backup.manifest_path))
    return base in (backup.id, backup.id[-15:], os.path.basename(backup.path), os.path.basename(backup.manifest_path))


def _nearest(listing: Listing, base: str) -> str:
    ids = [one.id for one in listing.backups]
    if not ids:
        return "the repository is empty: run mirai-backup backup"
    near = difflib.get_close_matches(base, ids, 3, 0.5)
    if not near and re.search(r"\d{8}", base):
        near = sorted(ids, key=lambda one: abs(int(one[-15:-7]) - int(re.search(r"\d{8}", base).group())))[:3]
    return f"the nearest: {', '.join(near or ids[-3:])}"
