# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Talks to a PostgreSQL server through psql: single queries, sessions that hold a snapshot, plain facts."""

from __future__ import annotations

import io
import json
import os
import pwd
import secrets
import signal
from dataclasses import dataclass
from typing import Callable, Iterable, Optional

from . import dburl, envfile, process
from .clients import Clients
from .command import Command
from .config import Config
from .dburl import Connection
from .errors import DatabaseError, ProcessError

# Only what we read and write ourselves is UTF-8; a dump keeps the encoding of its database. What we change is on disk
# when we are told so, also where the server's default is not to wait.
_SETTINGS = (
    "SET client_encoding='UTF8'; SET statement_timeout=0; SET idle_in_transaction_session_timeout=0;"
    " SET standard_conforming_strings=on;\n"
    "SELECT set_config(name, 'local', false) FROM pg_settings"
    " WHERE name = 'synchronous_commit' AND setting = 'off' \\g /dev/null\n"
)


@dataclass(frozen=True)
class Server:
    """What a server says of itself and of the database we are connected to. Sizes in bytes."""

    version: str
    version_num: int
    system_identifier: str
    database: str
    database_size: int
    is_superuser: bool
    can_create_database: bool
    user: str

    @property
    def major(self) -> int:
        """The major version, such as 15."""
        return self.version_num // 10000


def app_connection(config: Config) -> Connection:
    """The application's own connection: ``database_url``, else DATABASE_URL from its env file."""
    return dburl.parse(config.database_url or envfile.read_value(config.env_file, "DATABASE_URL"))


def admin_connection(config: Config, app: Connection) -> Optional[Connection]:
    """The connection that may create databases and read every role: ``admin_url``, else the local postgres
    account by peer where this process may become it, else None."""
    if config.admin_url:
        return dburl.parse(config.admin_url)
    if not app.is_local:
        return None
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        return None
    if os.geteuid() not in (0, account.pw_uid):
        return None
    os_user = "postgres" if os.geteuid() == 0 else ""
    socket = app.host if app.host.startswith("/") else ""
    return Connection(host=socket, port=app.port, user="postgres", database="postgres", os_user=os_user)


def literal(text: str) -> str:
    """``text`` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def command(
    clients: Clients,
    program: str,
    connection: Connection,
    *arguments: str,
    descriptors: tuple[int, ...] = (),
    settings: tuple[str, ...] = (),
) -> Command:
    """The command that runs a PostgreSQL client program on ``connection``, the password kept out of argv.

    ``settings`` are parameters of the session such as ``work_mem=1GB``, without blanks.
    """
    named = () if program == "pg_amcheck" else ("--dbname",)  # there it is the only argument without a name
    options = (("PGOPTIONS", " ".join(f"-c {one}" for one in settings)),) if settings else ()
    return Command(
        argv=(clients.path(program), "--no-password", *named, connection.conninfo(), *arguments),
        env=connection.environment() + options,
        user=connection.os_user,
        descriptors=descriptors,
        secrets=(connection.password,) if connection.password else (),
        end_signal=signal.SIGINT if program == "psql" else signal.SIGTERM,
    )


def query(clients: Clients, connection: Connection, sql: str) -> list[dict]:
    """Run one SELECT and return its rows as dicts of JSON values. Raises DatabaseError."""
    out = execute(clients, connection, _as_json(sql))
    return json.loads(out) if out.strip() else []


def execute(clients: Clients, connection: Connection, sql: str) -> str:
    """Run statements, each its own transaction unless they say otherwise. Raises DatabaseError."""
    script = f"{_SETTINGS}\n{sql};\n".encode("utf-8", "surrogateescape")
    try:
        return process.run(_psql(clients, connection), script).decode("utf-8", "surrogateescape")
    except ProcessError as error:
        raise _database_error(connection, error.message) from error


def has_lz4(clients: Clients, connection: Connection) -> bool:
    """Whether the server can store long values with lz4."""
    sql = "SELECT 1 AS one FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)"
    return bool(query(clients, connection, sql))


def server(clients: Clients, connection: Connection) -> Server:
    """Ask the server for its facts. Raises DatabaseError when it does not answer."""
    (row,) = query(
        clients,
        connection,
        "SELECT current_setting('server_version') AS version,"
        " current_setting('server_version_num')::int AS version_num,"
        " (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,"
        " current_database() AS database,"
        " pg_database_size(current_database()) AS database_size,"
        " r.rolsuper AS is_superuser, r.rolsuper OR r.rolcreatedb AS can_create_database,"
        ' current_user AS "user" FROM pg_roles r WHERE r.rolname = current_user',
    )
    row["version"] = row["version"].split(" ")[0]
    return Server(**row)


def _psql(clients: Clients, connection: Connection) -> Command:
    arguments = ("--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--file=-")
    return command(clients, "psql", connection, *arguments)


def _as_json(sql: str) -> str:
    return f"SELECT json_agg(row_to_json(q)) FROM ({sql}) q"


def _database_error(connection: Connection, message: str) -> DatabaseError:
    hint = "read the server's message; its log says more"
    if "connection to server" in message or "could not connect" in message or "could not translate" in message:
        hint = "start the server (systemctl start postgresql), or correct DATABASE_URL"
    if "authentication failed" in message or "no password supplied" in message:
        hint = "correct the user and password in DATABASE_URL"
    return DatabaseError(f"{connection.label}: {message}", hint)


class Session:
    """A psql that stays open in one transaction: read-only to hold a snapshot, or ``writable``.

    Use it as a context manager. ``snapshot`` is the name by which others join it; a writable one has none, and is
    undone as a whole unless it is committed.
    """

    def __init__(self, clients: Clients, connection: Connection, writable: bool = False) -> None:
        self._connection = connection
        read_end, self._stdin = process.wide_pipe()
        self._stdout, write_end = process.wide_pipe()
        with read_end, write_end:
            self._child = process.Child(_psql(clients, connection), read_end, write_end)
        self._reader = io.BufferedReader(self._stdout)
        try:
            if writable:
                self._send(f"{_SETTINGS} BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;")
                return
            self._send(f"{_SETTINGS} BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;")
            self.snapshot = self.query("SELECT pg_export_snapshot() AS name")[0]["name"]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def execute(self, sql: str) -> None:
        """Run statements without a result inside the transaction."""
        self._send(sql + ";")
        self._answer()

    def lock(self, tables: list[str], seconds: int) -> None:
        """Lock the tables (quoted names) against being emptied, rewritten or dropped, for the transaction's life.

        Raises DatabaseError naming the table whose lock does not come within ``seconds``.
        """
        self._send(f"SET LOCAL lock_timeout = '{seconds}s';\n\\set ECHO errors")
        for table in tables:
            self._send(f"LOCK TABLE ONLY {table} IN ACCESS SHARE MODE;")
        self.execute("\\set ECHO none\nSET LOCAL lock_timeout = 0")

    def query(self, sql: str, parse_float: Callable[[str], object] = float) -> list[dict]:
        """Run one SELECT inside the transaction and return its rows as dicts of JSON values."""
        self._send(_as_json(sql) + ";")
        out = self._answer()
        return json.loads(out, parse_float=parse_float) if out.strip() else []

    def feed(self, script: Iterable[bytes]) -> None:
        """Run a whole script inside the transaction; what its statements return is thrown away."""
        self._send("\\o /dev/null")
        for block in script:
            self._write(block)
        self._send("\\o")
        self._answer()
        self.execute("SET client_encoding='UTF8'")

    def commit(self) -> None:
        """Make what was done last."""
        self.execute("COMMIT")

    def end(self) -> None:
        """End the process, also while another thread waits for its answer: that one gets a DatabaseError."""
        self._stdin.close()
        self._child.end()

    def close(self) -> None:
        """End the transaction and the process."""
        self.end()
        self._child.close()
        self._reader.close()

    def _send(self, sql: str) -> None:
        self._write((sql + "\n").encode("utf-8", "surrogateescape"))

    def _write(self, block: bytes) -> None:
        data = memoryview(block)
        try:
            while data:
                data = data[self._stdin.write(data) :]
        except BrokenPipeError as error:
            raise self._lost() from error

    def _answer(self) -> str:
        """Everything psql printed up to now; an end of its output means that a statement failed."""
        mark = secrets.token_hex(16)
        self._send(f"\\echo {mark}")
        lines = []
        for line in self._reader:
            if line.rstrip(b"\n") == mark.encode():
                return b"".join(lines).decode("utf-8", "surrogateescape")
            lines.append(line)
        raise self._lost()

    def _lost(self) -> DatabaseError:
        status = self._child.wait(30)
        message = self._child.error(status).message
        return _database_error(self._connection, message)
