# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One server's state of affairs in one document: what ``check`` finds, and the figures that a fleet is compared by."""

from __future__ import annotations

import datetime
from typing import Optional

from . import check, drill_history, repository, text
from .config import Config
from .manifest import Manifest
from .repository import Backup

# This many sizes, the newest, are enough to see a trend by.
_TREND = 30


def of(config: Config, max_age: float) -> dict:
    """The state of the repository; times in UTC, ages and ``max_age`` in seconds, sizes in bytes.

    ``problems``, ``warnings`` and ``lagging_stores`` are those of ``check``. A half without a good backup is None, and
    so is ``drill`` where none was run. ``engine_version`` is that of the engine that made the newest backup, which is
    the one the schedule runs. Raises NotFoundError when there is no repository.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    listing = repository.listing(config.repository)
    found = check.run(config, max_age).document
    return {
        "time": text.utc(now),
        "engine_version": listing.backups[-1].manifest.engine_version if listing.backups else None,
        "application": config.application,
        "max_age_seconds": max_age,
        "problems": found["problems"],
        "warnings": found["warnings"],
        "lagging_stores": found["lagging_stores"],
        "backups": len(listing.backups),
        "size": sum(one.head.size for one in listing.backups),
        "halves": {half: _half(listing.good(frozenset((half,))), half, now) for half in ("database", "json")},
        "drill": _last_drill(config.repository, now),
        "drill_wanted": config.drill,
    }


def _half(good: tuple[Backup, ...], half: str, now: datetime.datetime) -> Optional[dict]:
    """The newest good backup of one half, and the sizes of that half, oldest first, to see a trend by."""
    if not good:
        return None
    newest = good[-1].manifest
    sizes = [half_size(one.manifest, half) for one in good[-_TREND:]]
    return {
        "id": newest.id,
        "kind": newest.kind,
        "ended": newest.ended,
        "age_seconds": round((now - newest.ended_at).total_seconds(), 3),
        "size": sizes[-1],
        "sizes": sizes,
    }


def half_size(head: Manifest, half: str) -> int:
    """Bytes that one half takes in a backup, alone or as part of a full one."""
    parts = [one.size for one in head.members if one.role_directory == half]
    return sum(parts) if parts else head.size


def _last_drill(path: str, now: datetime.datetime) -> Optional[dict]:
    rows = drill_history.rows(path)
    if not rows:
        return None
    last = rows[-1]
    age = (now - text.parse_utc(last["started"])).total_seconds()
    return {
        "id": last["id"],
        "verdict": last["verdict"],
        "backup": last["backup"],
        "started": last["started"],
        "age_seconds": round(age, 3),
        "rto_seconds": last.get("rto_seconds"),
    }
