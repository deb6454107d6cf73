# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a restore is going to do, found out without changing a byte."""

from __future__ import annotations

import datetime
import os
import pwd
import shutil
import socket
from dataclasses import dataclass
from typing import Optional

from . import (
    drill_history,
    filesproof,
    fingerprint,
    in_place,
    manifest,
    postgres,
    repository,
    restores,
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

_STRATEGIES = {
    "swap": "made beside, proven, then swapped in by renaming",
    "beside": "under new names; nothing in service is touched",
    "in_place": "in place, one transaction, all or nothing: no role at hand may create databases; nobody writes the"
    " database from the safety backup to the end, and nobody reads it while it is loaded and proven",
}
_PLACEHOLDER = "YYYYMMDD_HHMMSS"
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

    ``strategy`` is ``swap`` (made beside and renamed), ``in_place`` (the database within itself, in one transaction;
    the files as ever) or ``beside`` (under new names, nothing in service is touched). ``lets_go`` names the previous
    states that will not be kept any longer.
    """

    backup: Backup
    strategy: str
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
    previous: str
    lets_go: tuple[str, ...]
    keeps: int
    strangers: tuple[str, ...]

    @property
    def replaces(self) -> bool:
        """Whether the halves replace what is in service."""
        return self.strategy != "beside"

    def names(self, config: Config, timestamp: str) -> tuple[Optional[dict], Optional[dict]]:
        """How a journal names database and directory: live, side and previous."""
        return _names(config, self.backup, self.database, self.directory, timestamp)

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
        ]
        if head.encryption is not None:
            lines.append(f"encrypted  to {', '.join(head.encryption['recipients'])}; takes one of their private keys")
        if self.database is not None:
            action = "replaces" if self.replaces and self.database.exists else "creates"
            lines.append(f"database   {action} {self.database.live}; {self.connections} connections will be ended")
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
        return [
            f"  {table['table']}: {_count(table['now'])} rows now, {_count(table['backup'])} in the backup"
            for table in self.tables
            if table["now"] != table["backup"]
        ]

    def _afterwards(self) -> list[str]:
        """Where the present state will lie, how to come back to it, and what goes for it."""
        if not self.previous:
            lines = ["before     nothing is there that would be replaced"]
        elif self.keeps:
            lines = [f"before     the present state will be {self.previous}", "undo with  mirai-backup rollback"]
        else:
            lines = ["before     the present state will be deleted in the end: keep_previous is 0, no rollback"]
        return lines + [f"lets go    {one}, kept by an earlier restore" for one in self.lets_go]


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
    strategy = "beside" if beside else "in_place" if found is not None and found.in_place else "swap"
    needed, free = _space(config, head, components, directory, strategy)
    names = _names(config, backup, found, directory, _PLACEHOLDER)
    halves = tuple(half for half, names_ in zip(("database", "data_dir"), names) if names_)
    return RestorePlan(
        backup=backup,
        strategy=strategy,
        database=found,
        directory=directory,
        tables=tables,
        uncounted=uncounted,
        files=files,
        missing=tuple(_missing(found, head)) if found is not None else (),
        missing_roles=roles.missing(found, head.database["roles"]) if found is not None else (),
        foreign="" if beside else _foreign(config, backup, found, _occupied(tables, uncounted, directory)),
        connections=connections,
        needed_bytes=needed,
        free_bytes=free,
        expected_seconds=_expected(config.repository),
        previous=restores.Journal("", "restore", "", "", "", *names).names(),
        lets_go=tuple(
            one.names() for one in restores.surplus(config.repository, config.keep_previous, halves) if not beside
        ),
        keeps=config.keep_previous,
        strangers=_strangers(backup) if directory else (),
    )


def _names(
    config: Config, backup: Backup, found: Optional[DatabaseTarget], directory: str, timestamp: str
) -> tuple[Optional[dict], Optional[dict]]:
    """How a journal names the halves."""
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


def _missing(found: DatabaseTarget, head: manifest.Manifest) -> list[str]:
    """Everything that keeps the database half from being restored whole."""
    lines = target.missing(found, head.database)
    absent = roles.missing(found, head.database["roles"])
    if absent and not roles.may_create(found):
        lines += [f"role {name} is not there, and {found.server.user} may not create roles" for name in absent]
    return lines + (in_place.obstacles(found, head) if found.in_place else [])


def confirmation(backup: Backup) -> str:
    """The words that allow a backup of another origin to be restored on this host."""
    return f"{backup.id}@{socket.gethostname()}"


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
    if plan.replaces and plan.directory and os.path.ismount(plan.directory):
        raise PreflightError(
            f"data directory {plan.directory} is a mount point, which cannot be swapped",
            "restore with --to-dir beside it and copy, or mount the directory above it",
        )
    wanted = confirmation(plan.backup)
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


def _foreign(config: Config, backup: Backup, found: Optional[DatabaseTarget], occupied: bool) -> str:
    """Why this is not the place the backup was made at; empty when it is, or when nothing would be lost."""
    head = backup.manifest
    reasons = []
    if head.application != config.application:
        reasons.append(f"application {head.application}, here it is {config.application}")
    if head.host != socket.gethostname():
        reasons.append(f"host {head.host}, this is {socket.gethostname()}")
    if found is not None and head.database["system_identifier"] != found.server.system_identifier:
        reasons.append("another PostgreSQL cluster")
    return f"{head.id} was made elsewhere: {'; '.join(reasons)}" if reasons and occupied else ""


def _occupied(tables: tuple[dict, ...], uncounted: str, directory: str) -> bool:
    """Whether something would be replaced that holds anything: a table, or a file."""
    if uncounted or any(table["now"] is not None for table in tables):
        return True
    return bool(directory) and os.path.isdir(directory) and bool(os.listdir(directory))


def _strangers(backup: Backup) -> tuple[str, ...]:
    """The owners of files that this machine does not know by name: the files get their numbers."""
    if os.geteuid() != 0:
        return ()
    entries = manifest.read_entries(backup.manifest_path, backup.manifest)
    owners = {(one.owner, one.uid) for one in entries}
    return tuple(f"{name} (number {uid})" for name, uid in sorted(owners) if not _known(name))


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _expected(repository_path: str) -> Optional[float]:
    """The seconds until the data was back in the last drill that passed; None where there was none."""
    times = [row["rto_seconds"] for row in drill_history.rows(repository_path) if row["verdict"] == "pass"]
    return times[-1] if times else None


def _space(
    config: Config, head: manifest.Manifest, components: frozenset, directory: str, strategy: str
) -> tuple[int, int]:
    """Bytes needed and free on the file system that has the least to spare; the server's own it cannot see."""
    wants: dict = {}
    if "database" in components:  # the decoded dump, while it is read
        wants[config.repository] = head.database["size"] * (2 if strategy == "in_place" else 1)  # and a safety backup
    if "json" in components:
        place = os.path.dirname(directory)
        wants[place] = wants.get(place, 0) + head.files["size"]
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
