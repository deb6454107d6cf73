# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replaces a database within itself, in one transaction, where nobody may create another: all or nothing."""

from __future__ import annotations

import os
import re
import time
from typing import Iterator

from . import fingerprint, process, repository, seal, side, swap
from .command import Command
from .config import Config
from .errors import DatabaseError, EngineError, MismatchError, NotFoundError
from .manifest import Manifest
from .postgres import Session, identifier
from .repository import Backup
from .target import DatabaseTarget

_PATIENCE = 30.0
_LOCK_PATIENCE = "30s"
_TAIL = 4096  # more than what pg_restore writes after the last object
_EXTENSION_MEMBER = "SELECT FROM pg_depend e WHERE e.classid = {0}::regclass AND e.objid = {1} AND e.deptype = 'e'"
_USERS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

_TABLES = f"""
SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {_USERS} AND pg_has_role(c.relowner, 'USAGE')
   AND NOT EXISTS ({_EXTENSION_MEMBER.format("'pg_class'", "c.oid")}) ORDER BY c.oid
"""
# Everything of ours, schemas first: what lies in them goes along. What an extension brought stays with it.
_OWNED = f"""
SELECT o.type, o.identity FROM pg_shdepend s, LATERAL pg_identify_object(s.classid, s.objid, 0) o
 WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o' AND s.classid <> 'pg_default_acl'::regclass
   AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND pg_has_role(s.refobjid, 'USAGE') AND NOT EXISTS ({_EXTENSION_MEMBER.format("s.classid", "s.objid")})
 ORDER BY o.type <> 'schema', o.type, o.identity
"""
_DEFAULTS = """
SELECT quote_ident(pg_get_userbyid(d.defaclrole)) AS role, quote_ident(n.nspname) AS schema,
       d.defaclobjtype::text AS type,
       (SELECT json_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
          FROM aclexplode(d.defaclacl) a) AS grantees
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace WHERE pg_has_role(d.defaclrole, 'USAGE')
"""
_DEFAULT_TYPES = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS"}
# As pg_identify_object says it, and as DROP wants it.
_KINDS = {
    "composite type": "TYPE",
    "function": "ROUTINE",
    "procedure": "ROUTINE",
    "aggregate": "ROUTINE",
    "statistics object": "STATISTICS",
    "foreign-data wrapper": "FOREIGN DATA WRAPPER",
}
_OF_OTHERS = f"""
SELECT 'schema ' || quote_ident(n.nspname) AS name, pg_get_userbyid(n.nspowner) AS owner FROM pg_namespace n
 WHERE {_USERS} AND n.nspname <> 'public' AND NOT pg_has_role(n.nspowner, 'USAGE')
   AND NOT EXISTS ({_EXTENSION_MEMBER.format("'pg_namespace'", "n.oid")})
UNION ALL
SELECT 'table ' || c.oid::regclass, pg_get_userbyid(c.relowner) FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {_USERS} AND NOT pg_has_role(c.relowner, 'USAGE')
   AND NOT EXISTS ({_EXTENSION_MEMBER.format("'pg_class'", "c.oid")})
UNION ALL
SELECT 'function ' || p.oid::regprocedure, pg_get_userbyid(p.proowner) FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE {_USERS} AND NOT pg_has_role(p.proowner, 'USAGE')
   AND NOT EXISTS ({_EXTENSION_MEMBER.format("'pg_proc'", "p.oid")})
ORDER BY 1
"""
# Only an extension's owner may comment on it; where it stays, its comment does, too.
_FOREIGN_ENTRY = re.compile(rb"\d+; \d+ \d+ COMMENT - EXTENSION ")


def obstacles(place: DatabaseTarget, head: Manifest) -> list[str]:
    """Why the database cannot be replaced within itself by the role we are, each in words."""
    found = [
        f"{row['name']} belongs to {row['owner']}, which only {row['owner']} can replace"
        for row in place.query(_OF_OTHERS, place.live)
    ]
    (facts,) = place.query(
        "SELECT pg_encoding_to_char(encoding) AS encoding, has_database_privilege(oid, 'CREATE') AS may_create,"
        " (SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc p"
        " WHERE p.proname = 'pg_logical_emit_message' AND p.proargtypes[1] = 'text'::regtype"
        " AND p.proargtypes[2] = 'text'::regtype) AS may_log"
        " FROM pg_database WHERE datname = current_database()",
        place.live,
    )
    wanted = head.database["properties"]["encoding"]
    if facts["encoding"] != wanted:
        found.append(f"database {place.live} is encoded in {facts['encoding']}, the backup in {wanted}")
    if not facts["may_log"]:
        found.append(f"role {place.server.user} may not call pg_logical_emit_message in {place.live}")
    if not facts["may_create"]:
        found.append(f"role {place.server.user} may not create schemas in {place.live}")
    return found


def begin(place: DatabaseTarget) -> Session:
    """End our sessions, open the transaction, and keep every writer out from here on: the tables can be read only.

    Raises DatabaseError naming the table whose lock does not come.
    """
    swap.end_sessions(place, [place.live])
    session = Session(place.clients, place.on(place.live), writable=True)
    try:
        session.execute(f"SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'")
        tables = [row["name"] for row in session.query(_TABLES)]
        session.execute("; ".join(f"LOCK TABLE ONLY {one} IN EXCLUSIVE MODE" for one in tables) or "SELECT")
    except BaseException:
        session.close()
        raise
    return session


def load(place: DatabaseTarget, session: Session, work: str, head: Manifest) -> dict:
    """Drop what is there, load ``work``/dump, prove it; all inside the transaction, which the caller commits.

    Returns the proof. Raises EngineError or MismatchError; then the session is to be closed, and nothing happened.
    """
    path = os.path.join(work, side.DUMP)
    kept = {extension["name"] for extension in head.database["properties"]["extensions"] or []}
    try:
        session.execute(";\n".join(_clearing(session, kept, head)) or "SELECT")
        session.execute("SET LOCAL lock_timeout = 0")
        before = number(session)
        with process.reading((_script(place, path, work),)) as stream:
            session.feed(_without_commit(iter(lambda: stream.read(process.PIPE_BYTES), b"")))
        if number(session) != before:
            raise EngineError("the dump ended the transaction by itself")
        tables = [row["name"] for row in session.query(side.ANALYZED)]
        session.execute(";\n".join(f"ANALYZE {one}" for one in tables) or "SELECT")
    except EngineError as error:
        raise EngineError(
            f"{head.id} could not be restored into {place.live}: {error.message}", "nothing was changed"
        ) from error
    side.discard_dump(work)
    expected = head.database["fingerprint"]
    found = fingerprint.take_again(session, expected, place.server.version_num) if expected else None
    proof = side.judge(head, found)
    left = [line for line in proof["schema_differences"] if not line.endswith("is defined otherwise")]
    if left:  # rows are proven, but something of the old state stayed, or something of the new did not come
        raise MismatchError(
            f"what was restored from {head.id} into {place.live} is not what the snapshot held: {'; '.join(left[:10])}",
            "nothing was changed; a role with CREATEDB in admin_url restores beside and swaps",
        )
    return proof


def number(session: Session) -> str:
    """The transaction's number, by which its fate can be asked for later."""
    return session.query("SELECT txid_current()::text AS number")[0]["number"]


def number_for_good(place: DatabaseTarget, session: Session) -> str:
    """The transaction's number, which the server gives to no other even after a crash.

    It remembers numbers that are in the write-ahead log: here by a later transaction that is forced to disk.
    """
    found = number(session)
    place.execute("SELECT pg_logical_emit_message(true, 'mirai_backup', '')", place.live)
    return found


def committed(place: DatabaseTarget, xid: str, system: str) -> bool:
    """Whether the transaction ``xid`` of the cluster ``system`` was committed; one that a dead run left is waited for.

    ``system`` is empty in older journals. Raises DatabaseError where that cannot be told.
    """
    if xid and system and system != place.server.system_identifier:
        raise DatabaseError(
            f"the restore into {place.live} was on another cluster ({system}): what became of it is not known here",
            "see which state is in service, then move the journal in .restore away",
        )
    deadline = time.monotonic() + _PATIENCE
    while xid:
        # A server that crashed, or was set back, before anything of the transaction was on disk has never heard of it.
        known = f"CASE WHEN {int(xid)} < txid_current() THEN txid_status({int(xid)}) ELSE 'aborted' END"
        status = place.query(f"SELECT {known} AS status", place.live)[0]["status"]
        if status in ("committed", "aborted"):
            return status == "committed"
        if status is None or time.monotonic() > deadline:
            raise DatabaseError(
                f"transaction {xid} of the restore into {place.live} is {status or 'forgotten by the server'}",
                "end its session (pg_stat_activity), then try again",
            )
        time.sleep(0.2)
    return False


def safety_backup(directory: str) -> Backup:
    """The backup that was made of the database before it was replaced. Raises NotFoundError."""
    found = repository.listing(directory).good()
    if not found:
        raise NotFoundError(f"there is no good safety backup in {directory}", "see mirai-backup list for backups")
    return found[-1]


def bring_back(config: Config, place: DatabaseTarget, directory: str) -> None:
    """Load the safety backup of ``directory``, in one transaction again. May be done twice."""
    backup = safety_backup(directory)
    with seal.staging(config.repository) as work:
        side.unpack(backup, work, True, None)
        session = begin(place)
        try:
            load(place, session, work, backup.manifest)
            session.commit()
        finally:
            session.close()


def _clearing(session: Session, extensions: set, head: Manifest) -> list[str]:
    """The statements that take away everything of ours, but the extensions that the backup has, too."""
    statements = []
    for row in session.query(_DEFAULTS):
        within = f" IN SCHEMA {row['schema']}" if row["schema"] else ""
        where = f"ALTER DEFAULT PRIVILEGES FOR ROLE {row['role']}{within}"
        what = _DEFAULT_TYPES[row["type"]]
        statements += [f"{where} REVOKE ALL ON {what} FROM {one}" for one in row["grantees"] or []]
        if not row["schema"]:  # back to what a server does by itself
            statements.append(f"{where} GRANT ALL ON {what} TO {row['role']}")
            statements += [f"{where} GRANT ALL ON {what} TO PUBLIC"] if row["type"] in "fT" else []
    for row in session.query(_OWNED):
        if row["type"] == "large object":
            statements.append(f"SELECT lo_unlink({int(row['identity'])})")
        elif row["type"] == "extension" and row["identity"] in {identifier(one) for one in extensions} | extensions:
            continue
        elif row["type"] == "schema" and row["identity"] == "public" and head.database["properties"]["has_public"]:
            continue
        else:
            kind = _KINDS.get(row["type"], row["type"].upper())
            statements.append(f"DROP {kind} IF EXISTS {row['identity']} CASCADE")
    return statements


def _script(place: DatabaseTarget, path: str, work: str) -> Command:
    """The program that turns the dump into a script."""
    program = place.clients.path("pg_restore")
    listed = process.run(Command((program, "--list", path))).splitlines(keepends=True)
    contents = os.path.join(work, "contents")
    with open(contents, "xb") as file:
        file.writelines(line for line in listed if not _FOREIGN_ENTRY.match(line))
    return Command((program, "--single-transaction", "--file=-", f"--use-list={contents}", path))


def _without_commit(script: Iterator[bytes]) -> Iterator[bytes]:
    """The script but for the COMMIT in its last lines: that is ours, after the proof.

    pg_restore's own transaction is asked for all the same, since without it each large object gets one of its own.
    """
    held = b""
    for block in script:
        held += block
        yield held[:-_TAIL]
        held = held[-_TAIL:]
    head, commit, rest = held.rpartition(b"\nCOMMIT;\n")
    if not commit:
        raise EngineError("the script that pg_restore wrote has no end")
    yield head + b"\n" + rest
