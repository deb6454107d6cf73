"""Where the cases are tried: a PostgreSQL server of their own, applications on it, and the installed command."""

from __future__ import annotations

import glob
import json
import os
import pwd
import shlex
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
BASE = Path(os.environ.get("BENCH_BASE", "/var/tmp/mirai-bench"))
COMMAND = shlex.split(os.environ.get("BENCH_COMMAND", "mirai-backup"))
ACCOUNT = "postgres"
PORT = 54999
SERVER = BASE / "server"
# The files of an index are reached on disk, not in memory: the sabotage of index_corrupted counts on it.
SETTINGS = "-c listen_addresses= -c fsync=off -c shared_buffers=128kB -c max_connections=30 -c autovacuum=off"


def bindir() -> str:
    """The newest installed server's programs."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    return os.path.dirname(max(found, key=lambda path: int(path.split("/")[4])))


def call(argv: list, **options: object) -> str:
    """Run a program that must succeed; returns what it printed."""
    done = subprocess.run([str(one) for one in argv], capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{argv[0]}: exit {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


def extension_files() -> dict:
    """Where the files of our extension belong, by path."""
    share = Path(call([f"{bindir()}/pg_config", "--sharedir"]).strip()) / "extension"
    return {
        share / "mirai_bench.control": HERE / "mirai_bench.control",
        share / "mirai_bench--1.sql": HERE / "mirai_bench.sql",
    }


def start() -> None:
    """Make and start the server, anew, with an extension that has tables."""
    for path, source in extension_files().items():
        shutil.copyfile(source, path)
    shutil.rmtree(BASE, ignore_errors=True)
    SERVER.mkdir(parents=True)
    entry = pwd.getpwnam(ACCOUNT)
    os.chown(SERVER, entry.pw_uid, entry.pw_gid)
    as_account = ["runuser", "-u", ACCOUNT, "--"]
    data = SERVER / "data"
    initdb = ["-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    call([*as_account, f"{bindir()}/initdb", *initdb], cwd="/")
    options = f"-p {PORT} -k {SERVER} {SETTINGS}"
    call([*as_account, f"{bindir()}/pg_ctl", "-D", data, "-l", SERVER / "log", "-w", "-o", options, "start"], cwd="/")
    psql("CREATE ROLE bench LOGIN")


def stop() -> None:
    """Stop the server and remove everything."""
    call(
        ["runuser", "-u", ACCOUNT, "--", f"{bindir()}/pg_ctl", "-D", SERVER / "data", "-m", "immediate", "stop"],
        cwd="/",
    )
    for path in extension_files():
        path.unlink()
    shutil.rmtree(BASE)


def url(database: str, user: str = "postgres") -> str:
    return f"postgresql://{user}@/{database}?host={SERVER}&port={PORT}"


def psql(sql: str, database: str = "postgres") -> str:
    """Run SQL as superuser."""
    return call([f"{bindir()}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-f", "-"], input=sql)


class Application:
    """An application of its own below the base: database, data directory, configuration, repository."""

    def __init__(self, name: str, database: str = "") -> None:
        self.path = BASE / name
        self.database = database or f"bench {name}"
        self.data = self.path / "app/backend/data"
        self.repository = self.path / "app/backend/backups"
        self.config = self.path / "config.json"

    def create(self, sql: str, superuser_sql: str = "", options: str = "", **settings: object) -> "Application":
        """Make all of it; ``sql`` is run as the application, ``superuser_sql`` before it as superuser."""
        self.data.mkdir(parents=True)
        psql(f'CREATE DATABASE "{self.database}" OWNER bench {options}')
        psql(superuser_sql, self.database)
        prelude = "SET default_transaction_read_only TO off; SET search_path TO public; SET SESSION AUTHORIZATION bench"
        psql(f"{prelude};\n{sql}", self.database)
        return self.configure(**settings)

    def configure(self, **settings: object) -> "Application":
        """Write the configuration."""
        self.repository.parent.mkdir(parents=True, exist_ok=True)
        values = {
            "app_dir": str(self.path / "app"),
            "application": "bench",
            "database_url": url(self.database.replace(" ", "%20"), "bench"),
            "admin_url": url("postgres"),
            "log": str(self.path / "log"),
            "drill_dir": str(self.path),
            **settings,
        }
        self.path.chmod(0o711)
        self.config.write_text(json.dumps(values))
        self.config.chmod(0o600)
        return self

    def run(self, *words: str) -> tuple[int, dict]:
        """Run the command; returns its exit status and document."""
        argv = [*COMMAND, "--config", str(self.config), "--json", *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise RuntimeError(f"{argv}: exit {done.returncode}: {done.stderr}") from None

    def backup(self, *flags: str) -> str:
        """Make a backup, which must succeed; returns its ID."""
        status, document = self.run("backup", *flags)
        if status:
            raise RuntimeError(f"backup: exit {status}: {document}")
        return document["backup"]["id"]

    def remove(self) -> None:
        """Drop the database and remove the files."""
        psql(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
        shutil.rmtree(self.path)
