# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries out what retention decided."""

from __future__ import annotations

import datetime
from typing import Optional

from . import lock, repository, retention, seal
from .config import Config
from .outcome import Outcome
from .repository import Backup, Listing
from .watch import Log, Observer


def decide(config: Config, listing: Listing) -> retention.Decision:
    """What the configured retention means for ``listing`` now."""
    return judge(listing.backups, config.retention, datetime.datetime.now(datetime.timezone.utc))


def judge(backups: tuple[Backup, ...], policies: dict, now: datetime.datetime) -> retention.Decision:
    """What ``policies`` mean for ``backups``, here or in a store."""
    candidates = tuple(
        retention.Candidate(
            id=one.id,
            kind=one.head.kind,
            sequence=one.head.sequence,
            ended=one.head.ended_at,
            good=not one.problem,
            pinned=one.pinned,
            drilled=one.drilled,
        )
        for one in backups
    )
    return retention.decide(candidates, policies, now)


def apply(config: Config, observer: Observer) -> list[str]:
    """Delete what may go (call it under the lock); returns the ids."""
    listing = repository.listing(config.repository)
    decision = decide(config, listing)
    for backup in listing.backups:
        if backup.id in decision.prune:
            seal.remove(config.repository, backup)
            observer.say(f"pruned {backup.id}: {decision.reasons[backup.id]}")
    return list(decision.prune)


def run(config: Config, dry_run: bool = False, observer: Optional[Observer] = None) -> Outcome:
    """Prune now, or only say what would go and why the rest stays."""
    observer = observer or Observer(Log(config.log))
    listing = repository.listing(config.repository)
    if dry_run:
        decision = decide(config, listing)
        pruned = list(decision.prune)
    else:
        with lock.hold(config.repository, "prune"):
            seal.sweep(config.repository)
            listing = repository.listing(config.repository)
            decision = decide(config, listing)
            pruned = apply(config, observer)
    document = {"pruned": pruned, "dry_run": dry_run, "reasons": decision.reasons}
    would = "would be " if dry_run else ""
    lines = [f"{one.id}  {would if one.id in pruned else ''}{decision.reasons[one.id]}" for one in listing.backups]
    return Outcome(document, tuple(lines or ["the repository is empty"]))
