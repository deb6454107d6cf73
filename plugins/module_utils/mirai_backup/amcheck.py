# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether indexes and tables of a database are sound, by PostgreSQL's own amcheck."""

from __future__ import annotations

from . import postgres, process
from .errors import CouldNotVerifyError, DatabaseError, EngineError, ProcessError
from .target import DatabaseTarget

_CORRUPT = 2  # exit status of pg_amcheck; 1: it could not do its work
_REFUSED = 3  # exit status of psql when a statement fails; any other: the server was not there to say so
_PROGRAM_SINCE = 140000
_INDEXES = """
SELECT %s.bt_index_check(index => c.oid, heapallindexed => true) FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am a ON a.oid = c.relam
  WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't' AND i.indisready AND i.indisvalid
"""


def check(target: DatabaseTarget, database: str) -> None:
    """Check every index of ``database``, and from PostgreSQL 14 on every table, each row in each index.

    Raises CouldNotVerifyError where the server has no amcheck, EngineError with what is corrupt.
    """
    try:
        if not target.query("SELECT 1 AS one FROM pg_available_extensions WHERE name = 'amcheck'"):
            raise CouldNotVerifyError("amcheck is not installed on the drill's server", "install postgresql-contrib")
        if target.server.version_num < _PROGRAM_SINCE:
            _by_statement(target, database)
        else:
            _by_program(target, database)
    except DatabaseError as error:
        raise CouldNotVerifyError(f"the indexes could not be checked: {error.message}", error.next_step) from error


def _by_statement(target: DatabaseTarget, database: str) -> None:
    target.execute("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA pg_catalog", database)
    # The backup may have brought it, in a schema of its own choice.
    (where,) = target.query(
        "SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'amcheck'",
        database,
    )
    try:
        target.execute(_INDEXES % postgres.identifier(where["schema"]), database)
    except DatabaseError as error:
        if getattr(error.__cause__, "status", None) == _REFUSED:
            raise EngineError(f"an index is corrupt: {error.message}") from error
        raise


def _by_program(target: DatabaseTarget, database: str) -> None:
    command = postgres.command(
        target.clients, "pg_amcheck", target.on(database), "--install-missing", "--heapallindexed"
    )
    said = []
    try:
        process.pump((command,), lambda block: said.append(bytes(block)))
    except ProcessError as error:
        if error.status != _CORRUPT:
            raise CouldNotVerifyError(
                f"indexes and tables could not be checked: {error.message}", "see the message"
            ) from error
        lines = b"".join(said).decode("utf-8", "replace").splitlines()
        found = " / ".join(line.strip() for line in lines[:6] if line.strip())
        raise EngineError(f"an index or a table is corrupt: {found or error.message}") from error
