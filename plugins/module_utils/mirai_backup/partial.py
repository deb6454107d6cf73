# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Restores single tables and files beside the live ones, ready to compare and to copy from."""

from __future__ import annotations

import contextlib
import datetime
import difflib
import fnmatch
import os
from typing import Optional

from . import (
    exchange,
    filesproof,
    lock,
    manifest,
    postgres,
    process,
    records,
    relations,
    repository,
    restores,
    seal,
    selector,
    side,
    signature,
    text,
    unlock,
)
from . import target as targets
from .command import Command
from .config import Config
from .errors import EngineError, MismatchError, NotFoundError, PreflightError, ProcessError
from .outcome import Outcome
from .postgres import identifier, literal
from .repository import Backup, Listing
from .restore_plan import Request
from .restores import Journal
from .target import DatabaseTarget
from .watch import Observer


def run(config: Config, request: Request, observer: Observer) -> Outcome:
    """Restore ``request.tables`` into a new schema of the live database, ``request.files`` into a new directory.

    Nothing that is there is touched. Raises an EngineError; then nothing new is there either.
    """
    with lock.hold(config.repository, "restore"), contextlib.ExitStack() as cleanup:
        row = {"verb": "restore", "backup": request.backup}
        cleanup.enter_context(records.failures(config.repository, row, restores.interrupted("restore")))
        seal.sweep(config.repository)
        exchange.settle(config, observer)
        backup = _resolve(config, request)
        row["backup"] = backup.id
        decryption = cleanup.enter_context(unlock.unlocked(config, backup, request.access))
        timestamp = restores.new_timestamp(config.repository)
        name = f"restored_{timestamp}"
        place = _place(config) if request.tables else None
        journal = restores.write(config.repository, _journal(config, backup, timestamp, place, bool(request.files)))
        document = {"restored": backup.id, "schema": None, "tables": [], "directory": None, "files": []}
        try:
            with seal.staging(config.repository) as work:
                if request.files:
                    document["directory"] = journal.data_dir["live"]
                    document["files"] = _files(backup, request.files, journal.data_dir, work, decryption)
                if place is not None:
                    document["schema"] = name
                    document["tables"] = _tables(config, backup, request.tables, place, journal, name, work, decryption)
        finally:
            exchange.discard(config, journal, place)
    records.append(config.repository, {"verb": "restore", "result": "ok", **document})
    lines = [f"restored out of {backup.id}, beside what is there:"]
    lines += [f"  table  {name}.{table}" for table in document["tables"]]
    lines += [f"  file   {os.path.join(document['directory'], one)}" for one in document["files"]]
    return Outcome(document, tuple(lines))


def plan(config: Config, request: Request, listing: Optional[Listing] = None) -> Outcome:
    """Which tables and files would be restored, and whereto; the backup is in the repository or in ``listing``."""
    backup = _resolve(config, request, listing)
    files = _matching(backup, request.files) if request.files else []
    document = {"backup": backup.document(), "strategy": "beside", "tables": list(request.tables), "files": files}
    lines = [
        f"backup     {backup.id}",
        *(f"table      {one}" for one in request.tables),
        *(f"file       {one}" for one in files),
    ]
    return Outcome({"plan": document}, tuple(lines))


def _place(config: Config) -> DatabaseTarget:
    place = targets.find(config)
    if place.in_place:
        raise PreflightError(
            f"{place.admin.label} may not create databases, which restoring single tables needs",
            "set admin_url to a role with CREATEDB, or run as root beside the server",
        )
    return place


def components(request: Request) -> frozenset:
    """The halves that a backup must hold for ``request``."""
    return frozenset(({"database"} if request.tables else set()) | ({"json"} if request.files else set()))


def _resolve(config: Config, request: Request, listing: Optional[Listing] = None) -> Backup:
    """The backup, after every table asked for was found in it."""
    backup = selector.resolve(listing or repository.listing(config.repository), request.backup, components(request))
    signature.require(config, backup.manifest_path, request.access.accept_unsigned)
    known = ((backup.manifest.database or {}).get("fingerprint") or {}).get("tables")
    for table in request.tables if known is not None else ():
        if table not in known:
            near = ", ".join(difflib.get_close_matches(table, list(known), 3)) or ", ".join(list(known)[:5])
            raise NotFoundError(f"{backup.id} holds no table {table}", f"write schema.table; the nearest: {near}")
    return backup


def _matching(backup: Backup, patterns: tuple[str, ...]) -> list[str]:
    """The paths of the backup's files that match one of the patterns. Raises NotFoundError where none does."""
    paths = [
        one.path
        for one in manifest.read_entries(backup.manifest_path, backup.manifest)
        if one.type != "directory" and _matches(one.path, patterns)
    ]
    if not paths:
        raise NotFoundError(
            f"{backup.id} holds no file {', '.join(patterns)}",
            "correct the pattern; a shell leaves it alone in quotes: --file '*.json'",
        )
    return paths


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(path, one) or fnmatch.fnmatchcase(os.path.basename(path), one) for one in patterns)


def _journal(config: Config, backup: Backup, timestamp: str, place: Optional[DatabaseTarget], files: bool) -> Journal:
    """What is made on the way and goes again, so that a dead run can be cleared."""
    database = directory = None
    if place is not None:
        scratch = targets.derived_name(place.live, f"_restore_{timestamp}")
        database = {"live": place.live, "side": scratch, "previous": ""}
    if files:
        data_dir = targets.real_directory(config)
        directory = {
            "live": f"{data_dir}_restored_{timestamp}",
            "side": f"{data_dir}_restore_{timestamp}",
            "previous": "",
        }
    now = text.utc(datetime.datetime.now(datetime.timezone.utc))
    return Journal(timestamp, "copy", backup.id, now, "begun", database, directory)


def _files(
    backup: Backup, patterns: tuple[str, ...], names: dict, work: str, decryption: tuple[Command, ...]
) -> list[str]:
    """Unpack and prove all files, and keep those that match; returns their paths."""
    wanted = set(_matching(backup, patterns))
    staged = names["side"]
    side.unpack(backup, work, False, staged, decryption)
    lines = filesproof.differences(staged, manifest.read_entries(backup.manifest_path, backup.manifest))
    if lines:
        raise MismatchError(f"the files of {backup.id} are not what was backed up: {'; '.join(lines[:10])}")
    for directory, names_, files in os.walk(staged, topdown=False):
        for one in [*files, *(name for name in names_ if os.path.islink(os.path.join(directory, name)))]:
            if os.path.relpath(os.path.join(directory, one), staged) not in wanted:
                os.unlink(os.path.join(directory, one))
        if directory != staged and not os.listdir(directory):
            os.rmdir(directory)
    os.rename(staged, names["live"])
    return sorted(wanted)


def _tables(
    config: Config,
    backup: Backup,
    tables: tuple[str, ...],
    place: DatabaseTarget,
    journal: Journal,
    schema: str,
    work: str,
    decryption: tuple[Command, ...],
) -> list[str]:
    """Restore and prove the whole dump in a side database, then carry the tables over in one transaction."""
    if not place.exists:
        raise NotFoundError(f"there is no database {place.live} to restore tables into", "restore it whole")
    head, scratch = backup.manifest, journal.database["side"]
    side.unpack(backup, work, True, None, decryption)
    side.require_readable(place.clients, work, backup, whole=False)
    side.create_database(place, scratch, head.database["properties"])
    side.load(place, scratch, work, config.jobs, head)
    side.prove(place, scratch, head)
    names = _gather(place, scratch, schema, tables)
    _carry(place, scratch, schema)
    return names


def _gather(place: DatabaseTarget, scratch: str, schema: str, tables: tuple[str, ...]) -> list[str]:
    """Copy the tables into the schema within the side database; returns their names there."""
    known = place.query(
        "SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'm')",
        scratch,
    )
    statements, names = [f"CREATE SCHEMA {identifier(schema)}"], []
    for table in tables:
        rows = [row for row in known if relations.name(row) == table]
        if len(rows) != 1:
            raise NotFoundError(f"{table} names {len(rows)} tables", "write it as schema.table")
        name = rows[0]["name"] if rows[0]["name"] not in names else targets.derived_name(table, "")
        names.append(name)
        source = f"{identifier(rows[0]['schema'])}.{identifier(rows[0]['name'])}"
        statements.append(f"CREATE TABLE {identifier(schema)}.{identifier(name)} AS TABLE {source}")
    place.execute(";\n".join(statements), scratch)
    return names


def _carry(place: DatabaseTarget, scratch: str, schema: str) -> None:
    """Dump the schema out of the side database straight into the live one, all or nothing."""
    dump = postgres.command(place.clients, "pg_dump", place.on(scratch), "--format=custom", "--compress=0",
                            f"--schema={identifier(schema)}")  # fmt: skip
    owner: Optional[str] = place.query(
        f"SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = {literal(place.live)}"
    )[0]["owner"]
    options = ("--single-transaction", "--exit-on-error", "--no-owner", f"--role={owner}")
    load = postgres.command(place.clients, "pg_restore", place.on(place.live), *options)
    try:
        process.pump((dump, load), lambda _block: None)
    except ProcessError as error:
        raise EngineError(
            f"the tables could not be carried into {place.live}: {error.message}", "nothing was changed"
        ) from error
