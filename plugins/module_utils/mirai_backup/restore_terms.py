# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of a restore: the value, its names, and its words."""

from __future__ import annotations

import datetime
import os
import socket
from dataclasses import dataclass, field
from typing import Optional

from . import restores, target, text
from .config import Config
from .repository import Backup
from .target import DatabaseTarget

_STRATEGIES = {
    "swap": "made beside, proven, then swapped in by renaming",
    "beside": "under new names; nothing in service is touched",
    "in_place": "in place, one transaction, all or nothing: no role at hand may create databases; nobody writes the"
    " database from the safety backup to the end, and nobody reads it while it is loaded and proven",
}


@dataclass(frozen=True)
class RestorePlan:
    """A restore about to happen. A half that stays untouched has neither ``database`` nor ``directory``.

    ``strategy`` is ``swap`` (made beside and renamed), ``in_place`` (the database within itself, in one transaction;
    the files as ever) or ``beside`` (under new names, nothing in service is touched). ``lets_go`` names the previous
    states that will not be kept any longer, ``passed_over`` the newer backups that are not whole. ``tables``,
    ``uncounted``, ``files`` and ``strangers`` tell what is there from what is in the backup; they take time to find
    out, and are empty unless the plan is to be shown.
    """

    backup: Backup
    strategy: str
    database: Optional[DatabaseTarget]
    directory: str
    missing: tuple[str, ...]
    missing_roles: tuple[str, ...]
    foreign: str
    connections: int
    needed_bytes: int
    free_bytes: int
    expected_seconds: Optional[float]
    previous: str
    lets_go: tuple[str, ...]
    keeps: int
    passed_over: tuple[str, ...] = ()
    tables: tuple[dict, ...] = ()
    uncounted: str = ""
    files: dict = field(default_factory=dict)
    strangers: tuple[str, ...] = ()

    @property
    def replaces(self) -> bool:
        """Whether the halves replace what is in service."""
        return self.strategy != "beside"

    def names(self, config: Config, timestamp: str) -> tuple[Optional[dict], Optional[dict]]:
        """How a journal names database and directory: live, side and previous."""
        return names(config, self.backup, self.database, self.directory, timestamp)

    def document(self) -> dict:
        """The plan as JSON values."""
        found = self.database
        return {
            "backup": {**self.backup.document(), "host": self.backup.manifest.host},
            "strategy": self.strategy,
            "database": found.live if found else None,
            "database_exists": found.exists if found else None,
            "server_version": found.server.version if found else None,
            "client_version": found.clients.version if found else None,
            "directory": self.directory or None,
            "tables": list(self.tables),
            "uncounted": self.uncounted,
            "files": self.files,
            "missing": list(self.missing),
            "missing_roles": list(self.missing_roles),
            "expected_seconds": self.expected_seconds,
            "passed_over": list(self.passed_over),
            "foreign": self.foreign,
            "connections": self.connections,
            "needed_bytes": self.needed_bytes,
            "free_bytes": self.free_bytes,
            "previous": self.previous,
            "lets_go": list(self.lets_go),
            "strangers": list(self.strangers),
        }

    def lines(self) -> tuple[str, ...]:
        """The plan for people."""
        head = self.backup.manifest
        age = (datetime.datetime.now(datetime.timezone.utc) - head.ended_at).total_seconds()
        lines = [
            f"backup     {head.id}, {text.duration(max(age, 0))} old, made on {head.host}",
            f"from       {self.backup.path}",
            f"strategy   {_STRATEGIES[self.strategy]}",
            *(f"passed by  {one}" for one in self.passed_over),
        ]
        if head.encryption is not None:
            lines.append(f"encrypted  to {', '.join(head.encryption['recipients'])}; takes one of their private keys")
        if self.database is not None:
            action = "replaces" if self.replaces and self.database.exists else "creates"
            lines.append(
                f"database   {action} {self.database.live}; {_many(self.connections, 'connection')} will be ended"
            )
            lines.append(
                f"versions   server {self.database.server.version}, backup of {head.database['server_version']},"
                f" pg_restore {self.database.clients.version}"
            )
        lines += self._table_lines()
        if self.directory:
            counts = ", ".join(f"{len(paths)} {what}" for what, paths in self.files.items())
            lines.append(f"files      {self.directory}: {counts}")
            for what, paths in self.files.items():
                lines += [f"  {what}: {path}" for path in paths[:20]]
                lines += [f"  … and {len(paths) - 20} more {what}"] if len(paths) > 20 else []
        lines.append(f"space      {text.size(self.needed_bytes)} needed, {text.size(self.free_bytes)} free")
        if self.expected_seconds is not None:
            lines.append(f"duration   about {text.duration(self.expected_seconds)}, as the last drill took")
        else:
            lines.append("duration   not known before a drill has passed (mirai-backup drill)")
        lines += [f"missing    {one}" for one in self.missing]
        lines += [f"creates    role {name}" for name in self.missing_roles]
        lines += [f"no account {one}: its files keep the number" for one in self.strangers]
        lines += [f"origin     {self.foreign}", f"confirm    {confirmation(self.backup)}"] if self.foreign else []
        return tuple(lines + (self._afterwards() if self.replaces else []))

    def _table_lines(self) -> list[str]:
        if self.uncounted:
            return [f"  the rows of now could not be counted: {self.uncounted}"]
        changed = [table for table in self.tables if table["now"] != table["backup"]]
        lines = [
            f"  {table['table']}: {_count(table['now'])} rows now, {_count(table['backup'])} in the backup"
            for table in changed
        ]
        same = len(self.tables) - len(changed)
        return lines + ([f"  {_many(same, 'table')} more with as many rows; their values may differ"] if same else [])

    def _afterwards(self) -> list[str]:
        """Where the present state will lie, how to come back to it, and what goes for it."""
        if not self.previous:
            lines = ["before     nothing is there that would be replaced"]
        elif self.keeps:
            lines = [f"before     the present state will be {self.previous}", "undo with  mirai-backup rollback"]
        else:
            lines = ["before     the present state will be deleted in the end: keep_previous is 0, no rollback"]
        return lines + [f"lets go    {one}, kept by an earlier restore" for one in self.lets_go]


def names(
    config: Config, backup: Backup, found: Optional[DatabaseTarget], directory: str, timestamp: str
) -> tuple[Optional[dict], Optional[dict]]:
    """How a journal names database and directory: live, side and previous; None for a half that stays."""
    database = files = None
    if found is not None and found.in_place:
        previous = restores.safety_directory(config.repository, timestamp)
        database = {"live": found.live, "side": backup.manifest_path, "previous": previous, "xid": ""}
    elif found is not None:
        database = {
            "live": found.live,
            "side": target.derived_name(found.live, f"_restore_{timestamp}"),
            "previous": target.derived_name(found.live, f"_before_{timestamp}") if found.exists else "",
        }
    if directory:
        files = {
            "live": directory,
            "side": f"{directory}_restore_{timestamp}",
            "previous": f"{directory}_before_{timestamp}" if os.path.lexists(directory) else "",
        }
    return database, files


def confirmation(backup: Backup) -> str:
    """The words that allow a backup of another origin to be restored on this host."""
    return f"{backup.id}@{socket.gethostname()}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _count(rows: Optional[int]) -> str:
    return "no" if rows is None else str(rows)
