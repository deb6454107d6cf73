# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a restore is going to do, found out without changing a byte."""

from __future__ import annotations

import datetime
import os
import shutil
import socket
from dataclasses import dataclass
from typing import Optional

from . import (
    drill_history,
    filesproof,
    fingerprint,
    manifest,
    postgres,
    repository,
    roles,
    selector,
    signature,
    target,
    text,
)
from .access import OWN_KEYRING, Access
from .config import Config
from .errors import DatabaseError, PreflightError, UsageError
from .outcome import Outcome
from .repository import Backup
from .target import DatabaseTarget

_HEADROOM = 1.2
_LOCK_PATIENCE = "5s"


@dataclass(frozen=True)
class Request:
    """What the operator asked for; ``components`` is full, database or json.

    ``tables`` (schema.table) and ``files`` (patterns) ask for these alone, beside the live ones.
    """

    backup: str = "latest"
    components: str = "full"
    to_database: str = ""
    to_dir: str = ""
    confirm: str = ""
    tables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    access: Access = OWN_KEYRING

    @property
    def is_partial(self) -> bool:
        """Whether only single tables or files are asked for."""
        return bool(self.tables or self.files)


@dataclass(frozen=True)
class RestorePlan:
    """A restore about to happen. A half that stays untouched has neither ``database`` nor ``directory``.

    ``swaps`` says that the halves replace what is in service; otherwise they are made beside it.
    """

    backup: Backup
    swaps: bool
    database: Optional[DatabaseTarget]
    directory: str
    tables: tuple[dict, ...]
    uncounted: str
    files: dict
    missing: tuple[str, ...]
    missing_roles: tuple[str, ...]
    foreign: str
    connections: int
    needed_bytes: int
    free_bytes: int
    expected_seconds: Optional[float]

    def document(self) -> dict:
        """The plan as JSON values."""
        return {
            "backup": self.backup.document(),
            "strategy": "swap" if self.swaps else "beside",
            "database": self.database.live if self.database else None,
            "database_exists": self.database.exists if self.database else None,
            "directory": self.directory or None,
            "tables": list(self.tables),
            "uncounted": self.uncounted,
            "files": self.files,
            "missing": list(self.missing),
            "missing_roles": list(self.missing_roles),
            "expected_seconds": self.expected_seconds,
            "foreign": self.foreign,
            "connections": self.connections,
            "needed_bytes": self.needed_bytes,
            "free_bytes": self.free_bytes,
        }

    def lines(self) -> tuple[str, ...]:
        """The plan for people."""
        head = self.backup.manifest
        age = (datetime.datetime.now(datetime.timezone.utc) - head.ended_at).total_seconds()
        lines = [
            f"backup     {head.id}, {text.duration(max(age, 0))} old, made on {head.host}",
            f"from       {self.backup.path}",
        ]
        if head.encryption is not None:
            lines.append(f"encrypted  to {', '.join(head.encryption['recipients'])}; takes one of their private keys")
        if self.database is not None:
            action = "replaces" if self.swaps and self.database.exists else "creates"
            lines.append(f"database   {action} {self.database.live}; {self.connections} connections will be ended")
        if self.uncounted:
            lines.append(f"  the rows of now could not be counted: {self.uncounted}")
        for table in () if self.uncounted else self.tables:
            if table["now"] != table["backup"]:
                lines.append(
                    f"  {table['table']}: {_count(table['now'])} rows now, {_count(table['backup'])} in the backup"
                )
        if self.directory:
            counts = ", ".join(f"{len(paths)} {what}" for what, paths in self.files.items())
            lines.append(f"files      {self.directory}: {counts}")
            for what, paths in self.files.items():
                lines += [f"  {what}: {path}" for path in paths[:20]]
                lines += [f"  … and {len(paths) - 20} more {what}"] if len(paths) > 20 else []
        lines.append(f"space      {text.size(self.needed_bytes)} needed, {text.size(self.free_bytes)} free")
        if self.expected_seconds is not None:
            lines.append(f"duration   about {text.duration(self.expected_seconds)}, as the last drill took")
        lines += [f"missing    {one}" for one in self.missing]
        lines += [f"creates    role {name}" for name in self.missing_roles]
        lines += [f"origin     {self.foreign}"] if self.foreign else []
        if self.swaps:
            lines.append(
                "afterwards the present state is kept beside the restored one; mirai-backup rollback returns to it"
            )
        return tuple(lines)


def run(config: Config, request: Request) -> Outcome:
    """The plan as an outcome, for ``--plan`` and check mode."""
    plan = make(config, request)
    return Outcome({"plan": plan.document()}, plan.lines())


def make(config: Config, request: Request) -> RestorePlan:
    """Resolve the backup and look at the target. Raises NotFoundError, UsageError, DatabaseError."""
    beside = bool(request.to_database or request.to_dir)
    components = _components(request, beside)
    backup = selector.resolve(repository.listing(config.repository), request.backup, components)
    signature.require(config, backup.manifest_path, request.access.accept_unsigned)
    head = backup.manifest
    found, tables, uncounted, connections = None, (), "", 0
    if "database" in components:
        found = target.find(config, request.to_database)
        if request.to_database and found.exists:
            raise UsageError(f"database {request.to_database} is already there", "choose another name")
        tables, uncounted = _tables(found, head)
        connections = _connections(found)
    directory, files = "", {}
    if "json" in components:
        directory = os.path.abspath(request.to_dir) if request.to_dir else target.real_directory(config)
        if request.to_dir and os.path.lexists(directory):
            raise UsageError(f"directory {directory} is already there", "choose a new one")
        try:
            files = filesproof.changes(directory, manifest.read_entries(backup.manifest_path, head))
        except OSError as error:
            uncounted = uncounted or f"{error.filename}: {error.strerror}"
    needed, free = _space(config, head, components, directory)
    return RestorePlan(
        backup=backup,
        swaps=not beside,
        database=found,
        directory=directory,
        tables=tables,
        uncounted=uncounted,
        files=files,
        missing=tuple(target.missing(found, head.database)) if found is not None else (),
        missing_roles=roles.missing(found, head.database["roles"]) if found is not None else (),
        foreign="" if beside else _foreign(config, backup, found, directory),
        connections=connections,
        needed_bytes=needed,
        free_bytes=free,
        expected_seconds=_expected(config.repository),
    )


def preflight(plan: RestorePlan, confirm: str) -> None:
    """Raise PreflightError for the first thing that stands in the way of the plan."""
    if plan.missing:
        raise PreflightError(
            f"{plan.backup.id} cannot be restored whole here: {'; '.join(plan.missing)}",
            "install what is missing, then try again",
        )
    if plan.free_bytes < plan.needed_bytes:
        raise PreflightError(
            f"the restore needs about {text.size(plan.needed_bytes)}, but {text.size(plan.free_bytes)} are free",
            "free space; nothing was changed",
        )
    if plan.swaps and plan.directory and os.path.ismount(plan.directory):
        raise PreflightError(
            f"data directory {plan.directory} is a mount point, which cannot be swapped",
            "restore with --to-dir beside it and copy, or mount the directory above it",
        )
    wanted = f"{plan.backup.id}@{socket.gethostname()}"
    if plan.foreign and confirm != wanted:
        raise PreflightError(plan.foreign, f"if that is meant, add --confirm {wanted} (playbook: -e confirm={wanted})")


def _components(request: Request, beside: bool) -> frozenset:
    """The halves to restore: those asked for, and with --to-… only those that have a place to go."""
    asked = selector.COMPONENTS[request.components]
    if not beside:
        return asked
    places = {"database"} if request.to_database else set()
    places |= {"json"} if request.to_dir else set()
    if not places <= asked:
        raise UsageError("a place is given for a half that is not restored", "drop --db-only or --json-only")
    return frozenset(places)


def _tables(found: DatabaseTarget, head: manifest.Manifest) -> tuple[tuple[dict, ...], str]:
    """Rows now and in the backup, by table, and why the live ones could not be counted, empty when they were.

    A live table that somebody holds locked must not hold up a restore.
    """
    then = (head.database["fingerprint"] or {}).get("tables", {})
    now, uncounted = {}, ""
    if found.exists:
        try:
            with postgres.Session(found.clients, found.on(found.live)) as session:
                session.execute(f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'")
                now = fingerprint.take(session, "counts", found.server.version_num)["tables"]
        except DatabaseError as error:
            uncounted = error.message
    names = sorted(set(then) | set(now))
    rows = (
        {"table": one, "now": now.get(one, {}).get("rows"), "backup": then.get(one, {}).get("rows")} for one in names
    )
    return tuple(rows), uncounted


def _connections(found: DatabaseTarget) -> int:
    sql = f"SELECT count(*) AS n FROM pg_stat_activity WHERE datname = {postgres.literal(found.live)}"
    return found.query(sql)[0]["n"] if found.exists else 0


def _foreign(config: Config, backup: Backup, found: Optional[DatabaseTarget], directory: str) -> str:
    """Why this is not the place the backup was made at; empty when it is, or when nothing would be replaced."""
    head = backup.manifest
    occupied = (found is not None and found.exists) or (directory and os.path.lexists(directory))
    reasons = []
    if head.application != config.application:
        reasons.append(f"application {head.application}, here it is {config.application}")
    if head.host != socket.gethostname():
        reasons.append(f"host {head.host}, this is {socket.gethostname()}")
    if found is not None and head.database["system_identifier"] != found.server.system_identifier:
        reasons.append("another PostgreSQL cluster")
    return f"{head.id} was made elsewhere: {'; '.join(reasons)}" if reasons and occupied else ""


def _expected(repository_path: str) -> Optional[float]:
    """The seconds until the data was back in the last drill that passed; None where there was none."""
    times = [row["rto_seconds"] for row in drill_history.rows(repository_path) if row["verdict"] == "pass"]
    return times[-1] if times else None


def _space(config: Config, head: manifest.Manifest, components: frozenset, directory: str) -> tuple[int, int]:
    """Bytes needed and free on the file system that has the least to spare; the server's own it cannot see."""
    wants: dict = {}
    if "database" in components:  # the decoded dump, while it is read
        wants[config.repository] = head.database["size"]
    if "json" in components:
        wants[os.path.dirname(directory)] = head.files["size"]
    devices: dict = {}
    for path, size in wants.items():
        place = _existing(path)
        needed, _free = devices.get(os.stat(place).st_dev, (0, 0))
        devices[os.stat(place).st_dev] = (needed + int(size * _HEADROOM), shutil.disk_usage(place).free)
    return min(devices.values(), key=lambda pair: pair[1] - pair[0])


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _count(rows: Optional[int]) -> str:
    return "no" if rows is None else str(rows)
