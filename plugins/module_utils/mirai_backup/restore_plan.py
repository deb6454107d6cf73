# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a restore is going to do, found out without changing a byte."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import socket
from dataclasses import dataclass, replace
from typing import Iterator, Optional

from . import (
    drill_history,
    filesproof,
    fingerprint,
    in_place,
    manifest,
    postgres,
    relations,
    repository,
    restore_terms,
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
from .repository import Backup, Listing
from .restore_terms import RestorePlan
from .target import DatabaseTarget

_PLACEHOLDER = "YYYYMMDD_HHMMSS"
_HEADROOM = 1.2
_LOCK_PATIENCE = "5s"
_MOUNTS = "/proc/self/mountinfo"


@dataclass(frozen=True)
class Request:
    """What the operator asked for; ``components`` is full, database or json.

    ``tables`` (schema.table) and ``files`` (patterns) ask for these alone, beside the live ones. ``offsite`` takes
    the backup from ``store``, or from the first store that has it.
    """

    backup: str = "latest"
    components: str = "full"
    to_database: str = ""
    to_dir: str = ""
    confirm: str = ""
    tables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    access: Access = OWN_KEYRING
    offsite: bool = False
    store: str = ""

    @property
    def is_partial(self) -> bool:
        """Whether only single tables or files are asked for."""
        return bool(self.tables or self.files)


def run(config: Config, request: Request, listing: Optional[Listing] = None) -> Outcome:
    """The plan as an outcome, for ``--plan`` and check mode."""
    plan = _compared(make(config, request, listing))
    return Outcome({"plan": plan.document()}, plan.lines())


def make(config: Config, request: Request, listing: Optional[Listing] = None) -> RestorePlan:
    """Resolve the backup, in the repository or in ``listing``, and look at the target.

    Raises NotFoundError, UsageError, DatabaseError.
    """
    beside = bool(request.to_database or request.to_dir)
    halves = components(request)
    listing = listing or repository.listing(config.repository)
    backup = selector.resolve(listing, request.backup, halves)
    signature.require(config, backup.manifest_path, request.access.accept_unsigned)
    head = backup.manifest
    found, connections = None, 0
    if "database" in halves:
        found = target.find(config, request.to_database)
        if request.to_database and found.exists:
            raise UsageError(f"database {request.to_database} is already there", "choose another name")
        connections = _connections(found)
    directory = ""
    if "json" in halves:
        directory = os.path.abspath(request.to_dir) if request.to_dir else target.real_directory(config)
        if request.to_dir and os.path.lexists(directory):
            raise UsageError(f"directory {directory} is already there", "choose a new one")
    strategy = "beside" if beside else "in_place" if found is not None and found.in_place else "swap"
    needed, free = _space(config, head, halves, directory, strategy)
    names = restore_terms.names(config, backup, found, directory, _PLACEHOLDER)
    touched = tuple(half for half, names_ in zip(("database", "data_dir"), names) if names_)
    return RestorePlan(
        backup=backup,
        strategy=strategy,
        database=found,
        directory=directory,
        missing=tuple(_missing(found, head)) if found is not None else (),
        missing_roles=roles.missing(found, head.database["roles"]) if found is not None else (),
        foreign="" if beside else _foreign(config, backup, found, directory),
        connections=connections,
        needed_bytes=needed,
        free_bytes=free,
        expected_seconds=_expected(config.repository),
        passed_over=selector.passed_over(listing, request.backup, backup, halves),
        previous=restores.Journal("", "restore", "", "", "", *names).names(),
        lets_go=tuple(
            one.names() for one in restores.surplus(config.repository, config.keep_previous, touched) if not beside
        ),
        keeps=config.keep_previous,
    )


def _compared(plan: RestorePlan) -> RestorePlan:
    """``plan`` with what is there held against what is in the backup."""
    tables, uncounted, files, strangers = (), "", {}, ()
    if plan.database is not None:
        tables, uncounted = _tables(plan.database, plan.backup.manifest)
    if plan.directory:
        strangers = _strangers(plan.backup)
        try:
            entries = manifest.read_entries(plan.backup.manifest_path, plan.backup.manifest)
            files = filesproof.changes(plan.directory, entries)
        except OSError as error:
            uncounted = uncounted or f"{error.filename}: {error.strerror}"
    return replace(plan, tables=tables, uncounted=uncounted, files=files, strangers=strangers)


def _missing(found: DatabaseTarget, head: manifest.Manifest) -> list[str]:
    """Everything that keeps the database half from being restored whole."""
    lines = target.missing(found, head.database)
    absent = roles.missing(found, head.database["roles"])
    if absent and not roles.may_create(found):
        lines += [f"role {name} is not there, and {found.server.user} may not create roles" for name in absent]
    return lines + (in_place.obstacles(found, head) if found.in_place else [])


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
    if plan.replaces and plan.directory and _is_mounted(plan.directory):
        raise PreflightError(
            f"data directory {plan.directory} is a mount point, which cannot be swapped",
            "restore with --to-dir beside it and copy, or mount the directory above it",
        )
    wanted = restore_terms.confirmation(plan.backup)
    if plan.foreign and confirm != wanted:
        raise PreflightError(plan.foreign, f"if that is meant, add --confirm {wanted} (playbook: -e confirm={wanted})")


def components(request: Request) -> frozenset:
    """The halves to restore: those asked for, and with --to-… only those that have a place to go."""
    asked = selector.COMPONENTS[request.components]
    if not (request.to_database or request.to_dir):
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
            with _patient(found) as session:
                now = fingerprint.take(session, "counts", found.server.version_num)["tables"]
        except DatabaseError as error:
            uncounted = error.message
    names = sorted(set(then) | set(now))
    rows = (
        {"table": one, "now": now.get(one, {}).get("rows"), "backup": then.get(one, {}).get("rows")} for one in names
    )
    return tuple(rows), uncounted


@contextlib.contextmanager
def _patient(found: DatabaseTarget) -> Iterator[postgres.Session]:
    """A session in the live database that waits for a lock, but not for long."""
    with postgres.Session(found.clients, found.on(found.live)) as session:
        session.execute(f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'")
        yield session


def _is_mounted(directory: str) -> bool:
    """Whether something is mounted there; it may be a directory of the same file system."""
    if os.path.ismount(directory):
        return True
    with contextlib.suppress(OSError), open(_MOUNTS, "rb") as file:
        points = (re.sub(rb"\\([0-7]{3})", lambda one: bytes((int(one[1], 8),)), line.split()[4]) for line in file)
        return os.fsencode(directory) in points
    return False


def _connections(found: DatabaseTarget) -> int:
    sql = f"SELECT count(*) AS n FROM pg_stat_activity WHERE datname = {postgres.literal(found.live)}"
    return found.query(sql)[0]["n"] if found.exists else 0


def _foreign(config: Config, backup: Backup, found: Optional[DatabaseTarget], directory: str) -> str:
    """Why this is not the place the backup was made at; empty when it is, or when nothing would be lost."""
    head = backup.manifest
    reasons = []
    if head.application != config.application:
        reasons.append(f"application {head.application}, here it is {config.application}")
    if head.host != socket.gethostname():
        reasons.append(f"host {head.host}, this is {socket.gethostname()}")
    if found is not None and head.database["system_identifier"] != found.server.system_identifier:
        reasons.append("another PostgreSQL cluster")
    if not reasons or not (_holds_tables(found) or _holds_files(directory)):
        return ""
    return f"{head.id} was made elsewhere: {'; '.join(reasons)}"


def _holds_tables(found: Optional[DatabaseTarget]) -> bool:
    """Whether the live database has tables; one that does not answer, or not in time, counts as one that has."""
    if found is None or not found.exists:
        return False
    try:
        with _patient(found) as session:
            return any(one["kind"] in "rpm" and not relations.why_excluded(one) for one in relations.find(session))
    except DatabaseError:
        return True


def _holds_files(directory: str) -> bool:
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
