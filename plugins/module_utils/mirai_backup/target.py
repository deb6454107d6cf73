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
# Whether a role that is no superuser may create the extension; trusted ones are known since PostgreSQL 13.
_EXTENSIONS = (
    "SELECT name, bool_or(NOT superuser OR coalesce((to_jsonb(v)->>'trusted')::boolean, false)) AS anyone"
    " FROM pg_available_extension_versions v GROUP BY name"
)
_INSTALLED = "SELECT extname AS name FROM pg_extension"


@dataclass(frozen=True)
class DatabaseTarget:
    """A server to restore to. ``admin`` may create databases there; ``live`` is the name to be replaced or made.

    ``in_place`` says that nobody we can be may create databases: then ``admin`` is the application's own connection,
    and the database can only be replaced within itself.
    """

    admin: Connection
    clients: Clients
    server: Server
    live: str
    exists: bool
    in_place: bool = False

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
    """Reach the server. Raises PreflightError where ``database`` is not the application's own, or is not there, and
    nobody we can be may create databases."""
    app = postgres.app_connection(config)
    own = app.database or app.user
    live = database or own
    admin = postgres.admin_connection(config, app)
    found = _without_rights(config, app, admin, live) if live == own else None
    if found is not None:
        return found
    found = reach(config, admin or dataclasses.replace(app, database="postgres"), live)
    if found.exists and not database:
        _require_same_cluster(found, app)
    return found


def _without_rights(
    config: Config, app: Connection, admin: Optional[Connection], live: str
) -> Optional[DatabaseTarget]:
    """The application's database as a target in itself; None where somebody may create databases, or it is gone."""
    any_client = client_programs.newest(config.pg_bindir)
    if admin is not None and postgres.server(any_client, admin).can_create_database:
        return None
    try:
        server = postgres.server(any_client, app)
    except DatabaseError:
        return None
    if server.can_create_database:
        return None
    clients = client_programs.fitting(server.major, server.version, config.pg_bindir)
    return DatabaseTarget(app, clients, server, live, exists=True, in_place=True)


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


def missing(target: DatabaseTarget, database: dict) -> list[str]:
    """What the target lacks that the backup needs, each named with its cure."""
    found = []
    available = {row["name"]: row["anyone"] for row in target.query(_EXTENSIONS)}
    present = {row["name"] for row in target.query(_INSTALLED, target.live)} if target.in_place else set()
    for extension in database["properties"]["extensions"] or []:
        name = extension["name"]
        if name not in available:
            found.append(f"extension {name} is not installed on the server")
        elif not (available[name] or target.server.is_superuser or name in present or name == "plpgsql"):
            found.append(f"extension {name} can only be created by a superuser, which {target.server.user} is not")
    major = int(database["server_version"].split(".")[0])
    if target.server.major < major:
        found.append(f"the server is PostgreSQL {target.server.version}, older than the backup's {major}")
    return found + ([] if target.in_place else _missing_locales(target, database["properties"]))


def _missing_locales(target: DatabaseTarget, properties: dict) -> list[str]:
    """The locales that a database like the backup's cannot be created with here."""
    provider, found = properties["locale_provider"], []
    if provider == "b" and target.server.major < 17:
        found.append("the builtin locale provider came with PostgreSQL 17")
    if provider == "i" and not target.query("SELECT 1 AS one FROM pg_collation WHERE collprovider = 'i' LIMIT 1"):
        found.append("the server was built without ICU, which the database's locale needs")
    for name in sorted({properties["collate"], properties["ctype"]}):
        try:
            target.execute(f"SET lc_time = {literal(name)}")  # the server looks whether its system has the locale
        except DatabaseError as error:
            if "connection to server" in error.message:
                raise
            found.append(f"locale {name} is not there on the server's machine (Debian: locales-all, or locale-gen)")
    return found


def real_directory(config: Config) -> str:
    """The data directory itself, where ``data_dir`` may be a symlink to it."""
    return os.path.realpath(config.data_dir)
