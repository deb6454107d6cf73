"""The application under test: a database, a data directory, a configuration, and the command run from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from server import Server

PACKAGE = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
PASSWORD = "p@ss/w:rd'% \\x#?&日本"


@dataclass
class Result:
    """What a run of the command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict:
        return json.loads(self.out)


class Application:
    """One application with a database of its own on the shared server."""

    def __init__(self, directory: Path, server: Server, name: str) -> None:
        self.directory = directory
        self.server = server
        self.database = name
        self.backend = directory / "app" / "backend"
        self.data = self.backend / "data"
        self.repository = self.backend / "backups"
        self.config_path = directory / "config.json"
        self.log = directory / "mirai-backup.log"
        self.settings: dict = {}

    def create(self, content: str = "") -> "Application":
        """The database with some content, its owner with a password full of special characters, the files."""
        literal = PASSWORD.replace("'", "''")
        self.server.psql(f"CREATE ROLE \"{self.database}\" LOGIN PASSWORD '{literal}'")
        self.server.psql(f'CREATE DATABASE "{self.database}" OWNER "{self.database}"')
        self.sql(content or (Path(__file__).parent / "content.sql").read_text())
        self.data.mkdir(parents=True)
        (self.data / "knowledge.json").write_text(json.dumps([{"id": 1, "title": "橋梁点検"}], ensure_ascii=False))
        (self.data / "experts.json").write_text('[{"id": 1, "name": "山田"}]')
        (self.data / "notifications.json").write_text("[]")
        (self.data / "empty").mkdir()
        (self.data / "latest.json").symlink_to("knowledge.json")
        self.write_env(self.url())
        self.configure()
        return self

    def url(self, **changes: object) -> str:
        """The application's DATABASE_URL, parts changed on request."""
        parts = {"user": self.database, "password": PASSWORD, "port": self.server.port, **changes}
        credentials = f"{quote(str(parts['user']), safe='')}:{quote(str(parts['password']), safe='')}"
        return f"postgresql+psycopg2://{credentials}@127.0.0.1:{parts['port']}/{quote(self.database)}"

    def write_env(self, url: str) -> None:
        (self.backend / ".env").write_text(f"FLASK_ENV=production\nDATABASE_URL={url}\n")

    def configure(self, **settings: object) -> None:
        """Write the configuration, with these settings from now on."""
        self.settings.update(settings)
        values = {
            "app_dir": str(self.directory / "app"),
            "admin_url": self.server.admin_url,
            "log": str(self.log),
            "pg_bindir": self.server.bindir,
            "alert_mail": [],
            **self.settings,
        }
        self.config_path.write_text(json.dumps(values))
        self.config_path.chmod(0o600)

    def sql(self, sql: str) -> str:
        """Run SQL as the application."""
        return self.server.psql(f'SET SESSION AUTHORIZATION "{self.database}";\n{sql}', self.database)

    def argv(self, *arguments: str) -> list:
        return [sys.executable, "-m", "mirai_backup", "--config", str(self.config_path), *arguments]

    def environment(self, **extra: str) -> dict:
        return {**os.environ, "PYTHONPATH": str(PACKAGE), **extra}

    def run(self, *arguments: str, timeout: float = 120, **extra: str) -> Result:
        """Run the command to its end."""
        done = subprocess.run(
            self.argv(*arguments),
            capture_output=True,
            text=True,
            env=self.environment(**extra),
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def succeed(self, *arguments: str) -> Result:
        """Run the command, which must succeed."""
        result = self.run(*arguments)
        assert result.code == 0, result.err + result.out
        return result

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start the command and do not wait."""
        return subprocess.Popen(
            self.argv(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
        )

    def ids(self) -> list:
        """The IDs of the backups, newest first."""
        return [one["id"] for one in self.succeed("--json", "list").document["backups"]]

    def files(self) -> dict:
        """Every file of the repository that a reader could take for a backup, with its content."""
        kinds = ("full", "database", "json")
        return {path: path.read_bytes() for kind in kinds for path in (self.repository / kind).glob("*")}

    def content(self) -> tuple:
        """What the application holds now: rows of its tables, and its files."""
        tables = self.sql(
            "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema IN ('public', 'auth', 'audit') ORDER BY 1"
        )
        rows = {name: self.sql(f"SELECT t::text FROM {name} t ORDER BY 1") for name in tables.splitlines()}
        return rows, {path.name: path.read_bytes() for path in self.data.rglob("*") if path.is_file()}
