# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Says what backups there are."""

from __future__ import annotations

import datetime
from typing import Optional

from . import manifest, records, repository, restores, selector, text
from .config import Config
from .errors import NotFoundError
from .outcome import OK, Outcome
from .repository import Backup


def run(config: Config, kind: Optional[str] = None) -> Outcome:
    """List the backups, newest first, and what else lies in the repository."""
    listing = repository.listing(config.repository)
    backups = [one for one in reversed(listing.backups) if kind in (None, one.head.kind)]
    previous = restores.previous_states(config.repository)
    document = {
        "repository": config.repository,
        "backups": [one.document() for one in backups],
        "damaged": [{"manifest": path, "problem": problem} for path, problem in listing.damaged],
        "unsealed": list(listing.unsealed),
        "previous_states": previous,
    }
    now = datetime.datetime.now(datetime.timezone.utc)
    lines = [line(one, now) for one in backups] or ["there are no backups"]
    lines += [f"damaged: {problem}" for _path, problem in listing.damaged]
    lines += records.complaints(config.repository, backups)
    lines += [f"no manifest, not counted as a backup: {path}" for path in listing.unsealed]
    lines += [
        f"previous state, before the {one['verb']} of {one['restored']}: {one['names'] or 'nothing'}"
        for one in previous
    ]
    return Outcome(document, tuple(lines))


def info(config: Config, word: str = "latest") -> Outcome:
    """Everything the manifest says of one backup, but for the list of files."""
    backup = selector.preferred(repository.listing(config.repository), word)
    head = backup.manifest
    document = {"backup": backup.document(), "manifest": {**head.head(), "digest": head.digest}}
    lines = [
        f"id        {head.id} ({head.kind}, sequence {head.sequence})",
        f"path      {backup.path}",
        f"made      {text.local(head.ended_at)} on {head.host}, in {text.duration(head.duration_seconds)}",
        f"size      {text.size(head.size)}, SHA-256 {head.artifacts[0].sha256}",
    ]
    if head.database is not None:
        lines += _database_lines(head)
    if head.files is not None:
        lines.append(f"files     {head.files['count']} files, {text.size(head.files['size'])}")
    if head.encryption is not None:
        lines.append(f"encrypted to {', '.join(head.encryption['recipients'])}")
    lines += ["signed    its signature is beside it"] if backup.signed else []
    lines += [f"warning   {one}" for one in head.warnings]
    return Outcome(document, tuple(lines))


def keep(config: Config, word: str, pinned: bool) -> Outcome:
    """Pin a backup against retention, or release it."""
    listing = repository.listing(config.repository)
    backup = selector.resolve(listing, word)
    if backup.path not in {one.path for one in listing.backups}:
        raise NotFoundError(
            f"{backup.path} is not in {config.repository}", "copy it there, or name one that list shows"
        )
    (repository.pin if pinned else repository.release)(config.repository, backup.id)
    changed = backup.pinned != pinned
    what = "kept until it is released" if pinned else "left to retention"
    return Outcome({"id": backup.id, "pinned": pinned, "changed": changed}, (f"{backup.id} is {what}",), OK)


def line(backup: Backup, now: datetime.datetime) -> str:
    """One backup in a line."""
    head = backup.head
    age = (now - head.ended_at).total_seconds()
    marks = (
        ("  drilled" if backup.drilled else "")
        + ("  pinned" if backup.pinned else "")
        + (f"  NOT WHOLE: {backup.problem}" if backup.problem else "")
    )
    return f"{head.id:<32} {text.size(head.size):>9}  {text.duration(max(age, 0)):>10} old{marks}"


def _database_lines(head: manifest.Manifest) -> list[str]:
    database = head.database
    lines = [f"database  {database['name']}, PostgreSQL {database['server_version']}, {text.size(database['size'])}"]
    fingerprint = database["fingerprint"]
    if fingerprint is not None:
        rows = sum(table["rows"] for table in fingerprint["tables"].values())
        lines.append(f"proof     {fingerprint['mode']}: {len(fingerprint['tables'])} tables, {rows} rows")
    return lines
