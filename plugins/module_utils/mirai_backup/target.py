# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The place a restore goes to: its server, the administrative connection, and what stands there now."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import Optional

from . import clients as client_programs
from . import postgres
from .clients import Clients
from .config import Config
from .dburl import Connection
from .errors import DatabaseError, PreflightError
from .postgres import Server, literal

_LONGEST_NAME = 63  # bytes in a PostgreSQL identifier


@dataclass(frozen=True)
class DatabaseTarget:
    """A server to restore to. ``admin`` may create databases there; ``live`` is the name to be replaced or made."""

    admin: Connection
    clients: Clients
    server: Server
    live: str
    exists: bool

    def on(self, database: str) -> Connection:
        """The administrative connection to another database of the server."""
        return dataclasses.replace(self.admin, database=database)

    def execute(self, sql: str, database: str = "") -> str:
        """Run statements as administrator."""
        return postgres.execute(self.clients, self.on(database) if database else self.admin, sql)

    def query(self, sql: str, database: str = "") -> list[dict]:
        """Run one SELECT as administrator."""
        return postgres.query(self.clients, self.on(database) if database else self.admin, sql)


def find(config: Config, database: str = "") -> DatabaseTarget:
    """Reach the server. Raises PreflightError when nobody we can be may create databases there."""
    app = postgres.app_connection(config)
    admin = postgres.admin_connection(config, app) or dataclasses.replace(app, database="postgres")
    found = reach(config, admin, database or app.database or app.user)
    if found.exists and not database:
        _require_same_cluster(found, app)
    return found


def _require_same_cluster(found: DatabaseTarget, app: Connection) -> None:
    """Raise PreflightError when the administrative connection leads to another server than the application's.

    An application whose server cannot be reached, or whose database is gone, is no reason: that is restored.
    """
    try:
        server = postgres.server(found.clients, app)
    except DatabaseError:
        return
    if server.system_identifier != found.server.system_identifier:
        raise PreflightError(
            f"{found.admin.label} and {app.label} are two different clusters",
            "set admin_url to the administrator of the application's server",
        )


def reach(config: Config, admin: Connection, live: str) -> DatabaseTarget:
    """The server behind ``admin`` with the database ``live`` to be replaced or made. Raises PreflightError."""
    any_client = client_programs.newest(config.pg_bindir)
    server = postgres.server(any_client, admin)
    if not server.can_create_database:
        raise PreflightError(
            f"{admin.label} may not create databases, which a restore needs",
            "set admin_url to a role with CREATEDB (superuser to keep owners), or run as root beside the server",
        )
    clients = client_programs.fitting(server.major, server.version, config.pg_bindir)
    found = DatabaseTarget(admin, clients, server, live, exists=False)
    return dataclasses.replace(found, exists=database_exists(found, live))


def database_exists(target: DatabaseTarget, name: str) -> bool:
    """Whether the server has a database of that name."""
    return bool(target.query(f"SELECT 1 AS one FROM pg_database WHERE datname = {literal(name)}"))


def derived_name(name: str, suffix: str) -> str:
    """``name`` with ``suffix``, the name shortened where PostgreSQL would cut the whole off."""
    room = _LONGEST_NAME - len(suffix.encode("utf-8"))
    return name.encode("utf-8")[:room].decode("utf-8", "ignore") + suffix


def missing(target: DatabaseTarget, database: Optional[dict]) -> list[str]:
    """What the target lacks that the backup needs, each named with its cure."""
    found = []
    available = {row["name"] for row in target.query("SELECT name FROM pg_available_extensions")}
    for extension in database["properties"]["extensions"] or []:
        if extension["name"] not in available:
            found.append(f"extension {extension['name']} is not installed on the server")
    major = int(database["server_version"].split(".")[0])
    if target.server.major < major:
        found.append(f"the server is PostgreSQL {target.server.version}, older than the backup's {major}")
    return found


def real_directory(config: Config) -> str:
    """The data directory itself, where ``data_dir`` may be a symlink to it."""
    return os.path.realpath(config.data_dir)
