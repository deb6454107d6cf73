# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Dumps the database out of one exported snapshot, and the roles it needs beside it."""

from __future__ import annotations

import re
from typing import Callable, Optional

from . import postgres
from .clients import Clients
from .compression import Compression
from .dburl import Connection
from .errors import DatabaseError, ProcessError
from .sinks import Artifact, write_compressed

# Everything that pg_dump's custom format leaves to pg_dumpall, and what a side database must be created with.
_PROPERTIES = """
SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
       d.datcollate AS collate, d.datctype AS ctype,
       coalesce(to_jsonb(d)->>'datlocprovider', 'c') AS locale_provider,
       coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale,
       d.datconnlimit AS connection_limit, shobj_description(d.oid, 'pg_database') AS comment,
       (SELECT json_agg(json_build_object('grantee', CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END,
                                          'privilege', a.privilege_type, 'grantable', a.is_grantable))
          FROM aclexplode(d.datacl) a) AS acl,
       EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public') AS has_public,
       (SELECT json_agg(json_build_object('role', CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END,
                                          'settings', s.setconfig))
          FROM pg_db_role_setting s WHERE s.setdatabase = d.oid) AS settings,
       (SELECT json_agg(json_build_object('name', e.extname, 'version', e.extversion) ORDER BY e.extname)
          FROM pg_extension e) AS extensions
  FROM pg_database d WHERE d.datname = current_database()
"""


# Whoever owns something in the database or is named in its grants: without them a restore cannot be whole.
_ROLES = """
SELECT r.rolname AS name FROM pg_roles r WHERE r.oid IN (
  SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass
     AND (dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          OR (classid = 'pg_database'::regclass
              AND objid = (SELECT oid FROM pg_database WHERE datname = current_database())))
  UNION SELECT setrole FROM pg_db_role_setting
   WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION SELECT datdba FROM pg_database WHERE datname = current_database())
 ORDER BY 1
"""


_TABLES = """
SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema'
   AND n.nspname !~ '^pg_' ORDER BY c.oid
"""


def lock_tables(session: postgres.Session, connection: Connection, lock_timeout: int) -> None:
    """Keep every table as the snapshot saw it until the session ends: TRUNCATE and rewrites ignore snapshots.

    Raises DatabaseError naming the table whose lock does not come within ``lock_timeout`` seconds.
    """
    tables = [
        f"{postgres.identifier(row['schema'])}.{postgres.identifier(row['name'])}" for row in session.query(_TABLES)
    ]
    try:
        session.lock(tables, lock_timeout)
    except DatabaseError as error:
        raise _dump_error(connection, error.message, lock_timeout) from error


def roles(session: postgres.Session) -> list[str]:
    """The roles that the database's objects and grants name."""
    return [row["name"] for row in session.query(_ROLES)]


def properties(session: postgres.Session) -> dict:
    """The database's own properties: name, owner, encoding, locale, comment, acl, settings, extensions."""
    (row,) = session.query(_PROPERTIES)
    return row


def dump(
    clients: Clients,
    connection: Connection,
    snapshot: str,
    encoding: str,
    lock_timeout: int,
    path: str,
    name: str,
    compression: Compression,
    progress: Optional[Callable[[int], object]] = None,
    lasting: bool = True,
) -> Artifact:
    """Write the whole database as it stood in ``snapshot`` to the new file ``path`` (custom format inside gzip).

    ``encoding`` is the database's own: a ``client_encoding`` that is set for the role would have it converted.
    ``lock_timeout`` in seconds; ``lasting`` as in ``sinks``. Raises DatabaseError naming the table whose lock did not
    come, ProcessError for whichever program of the pipe failed.
    """
    command = postgres.command(
        clients,
        "pg_dump",
        connection,
        "--format=custom",
        "--compress=0",
        f"--snapshot={snapshot}",
        f"--encoding={encoding}",
        f"--lock-wait-timeout={lock_timeout * 1000}",
    )
    try:
        return write_compressed(path, name, compression, stages=(command,), progress=progress, lasting=lasting)
    except ProcessError as error:
        raise _dump_error(connection, error.message, lock_timeout) from error


def dump_globals(
    clients: Clients,
    app: Connection,
    admin: Optional[Connection],
    path: str,
    name: str,
    compression: Compression,
) -> tuple[Artifact, str]:
    """Write roles and tablespaces to the new file ``path``; returns it and a warning, empty when complete.

    The administrative connection sees the roles' password hashes; the application's rarely does, and then the
    roles are written without.
    """
    arguments, warning = ("--globals-only", "--no-role-passwords"), "no administrative connection"
    connection = app
    server = postgres.server(clients, app)
    if server.is_superuser:
        arguments, warning = ("--globals-only",), ""
    elif admin is not None:
        try:
            administrator = postgres.server(clients, admin)
        except DatabaseError as error:
            warning = error.message
        else:
            if administrator.system_identifier != server.system_identifier:
                warning = f"{admin.label} is another cluster"
            elif not administrator.is_superuser:
                warning = f"{admin.user} is no superuser"
            else:
                connection, arguments, warning = admin, ("--globals-only",), ""
    command = postgres.command(clients, "pg_dumpall", connection, *arguments)
    artifact = write_compressed(path, name, compression, stages=(command,))
    return artifact, f"roles are backed up without their passwords: {warning}" if warning else ""


def _dump_error(connection: Connection, message: str, lock_timeout: int) -> DatabaseError:
    """Put pg_dump's complaint into words that name the object and the next step."""
    tables = re.findall(r"LOCK TABLE (?:ONLY )?(.*?) IN ACCESS SHARE", message)
    if tables and "timeout" in message:
        table = tables[0].replace('"', "")
        return DatabaseError(
            f"{connection.label}: table {table} stayed locked for {lock_timeout} s",
            "see pg_locks and pg_stat_activity for who holds it, or raise lock_timeout",
        )
    if "row-level security" in message or "row security" in message:
        hint = "back up as the tables' owner or as a role with BYPASSRLS: a filtered dump is no backup"
    elif "permission denied" in message:
        hint = "grant the role of DATABASE_URL the right to read it, or back up as the owner of the tables"
    else:
        hint = "read the message above; the server's log says more"
    return DatabaseError(f"{connection.label}: {message}", hint)
