"""Where cases take place: a PostgreSQL server, an application, a repository with good backups, the installed command.

Each worker has one. ``fresh`` brings it back to how it was, so that a case never depends on the one before.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional
from urllib.parse import quote

import content
import keychain
from alarms import Alerts
from findings import Finding, Leftover, need
from installed import Engine
from oracle import Oracle, Truth
from server import Server

PASSWORD = "C4nary-p@ss/w:rd'% \\x?&橋"
KINDS = ("full", "database", "json")
_OLD_DAYS = 60
_AS_MADE = "UPDATE marker SET n = 0; UPDATE knowledge SET body = repeat(md5('7'), 10) WHERE id = 7"


@dataclass
class Result:
    """What a run of the command left. ``code`` is negative when a signal ended it."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def document(self) -> dict:
        """What ``--json`` printed."""
        return json.loads(self.out)


class World:
    """One application with everything around it, below ``directory``."""

    def __init__(self, directory: Path, engine: Engine) -> None:
        self.directory = directory
        self.engine = engine
        self.server = Server(directory / "pg")
        self.name = "mirai_app"
        self.backend = directory / "app" / "backend"
        self.data = self.backend / "data"
        self.repository = self.backend / "backups"
        self.config_path = directory / "config.json"
        self.log = directory / "mirai-backup.log"
        self.token = f"gauntlet-{os.getpid()}-{time.time_ns()}"
        self.scratch = directory / "scratch"
        self.transcripts: list = []
        self.alerts: Optional[Alerts] = None
        self.watched = False
        self._keys: Optional[keychain.Keychain] = None
        self._keyring = Path(f"/dev/shm/{self.token}")  # short, for the agent's socket
        self._template = directory / "template"
        self._generation = 0
        self._dirty = False

    def create(self) -> "World":
        """The server, the application with some content, and its good backups: recent ones and expired ones."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)
        self.server.create()
        self.scratch.mkdir()
        self.oracle = Oracle(self.server.bindir, self.connection, self.scratch)
        literal = PASSWORD.replace("'", "''")
        self.server.psql(f"CREATE ROLE mirai_app LOGIN PASSWORD '{literal}'")
        self.server.psql("CREATE DATABASE template_app OWNER mirai_app")
        script = content.sql()
        self.server.psql(f"SET SESSION AUTHORIZATION mirai_app;\n{script}", "template_app")
        self.server.psql("CREATE DATABASE mirai_app TEMPLATE template_app OWNER mirai_app")
        content.write(self.data)
        self.configure(retention={kind: {"days": 3650} for kind in KINDS})
        for age, arguments in (
            (_OLD_DAYS, ()),
            (_OLD_DAYS - 1, ("--db-only",)),
            (_OLD_DAYS - 2, ("--json-only",)),
            (40, ()),
        ):
            self.succeed("backup", *arguments, prefix=("faketime", "-f", f"-{age}d"))
        for arguments in (("--db-only",), ("--json-only",), ()):
            self.succeed("backup", *arguments)
        self.expired = {
            path
            for path in self.held()
            if _stamp(path) < time.strftime("%Y%m%d", time.localtime(time.time() - 31 * 86400))
        }
        subprocess.run(["cp", "-a", self.backend, self._template], check=True)
        self.base_truth = self.truth()
        return self

    def remove(self) -> None:
        """Stop the server and take everything away."""
        self.server.remove()
        if self.alerts is not None:
            self.alerts.close()
        if self._keyring.exists():
            keychain.remove(self._keyring)
        shutil.rmtree(self.directory, ignore_errors=True)

    def watch(self, wanted: bool) -> None:
        """Whether somebody is to be told of runs that fail, from the next ``fresh`` on."""
        self.watched = wanted
        if wanted and self.alerts is None:
            self.alerts = Alerts(self.directory)

    def unwatch(self) -> None:
        """Nobody is told any more: what takes place now also hits those who would tell."""
        if self.watched:
            self.watched = False
            self._write_config({key: value for key, value in self._settings.items() if key != "alerts_config"})

    @property
    def keys(self) -> keychain.Keychain:
        """The keys of encrypted and signed backups, made when they are first asked for."""
        if self._keys is None:
            self._keys = keychain.make(self.directory / "keys", self._keyring)
            self.oracle.gpg_home = str(self._keyring)
        return self._keys

    @property
    def connection(self) -> list:
        """The options with which PostgreSQL's programs reach the server as superuser."""
        return ["-h", str(self.server.directory), "-p", str(self.server.port), "-U", "postgres"]

    def fresh(self, database: bool = False, **settings: object) -> "World":
        """Bring everything back to how it was made; the database only where a case changed more than rows."""
        self.transcripts.clear()
        if self.alerts is not None:
            self.alerts.reset()
        for path in self.backend.parent.parent.glob("app/backend*"):
            shutil.rmtree(path)
        subprocess.run(["cp", "-a", self._template, self.backend], check=True)
        for path in (self.log,):
            path.unlink(missing_ok=True)
        if database or self._dirty:
            self.reset_databases()
        self._generation = 0
        self.server.psql(_AS_MADE, self.name)
        self.repository = self.backend / "backups"
        self.configure(**settings)
        return self

    def dirty(self) -> None:
        """The database is going to be changed beyond its rows: make it anew for the next case."""
        self._dirty = True

    def reset_databases(self) -> None:
        """Drop every database but the template, and make the application's again."""
        for name in self.databases():
            self.server.psql(f'DROP DATABASE "{name}" WITH (FORCE)')
        self.server.psql("CREATE DATABASE mirai_app TEMPLATE template_app OWNER mirai_app")
        self._dirty = False

    def databases(self) -> list[str]:
        """Databases that are neither PostgreSQL's nor the template."""
        names = self.server.psql("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1").splitlines()
        return [name for name in names if name not in ("postgres", "template_app")]

    def advance(self) -> Truth:
        """Let the application write: every later backup differs from every earlier one. Returns the truth now."""
        self._generation += 1
        self.server.psql(
            f"UPDATE marker SET n = {self._generation};"
            f"UPDATE knowledge SET body = md5('{self._generation}') WHERE id = 7",
            self.name,
        )
        path = self.data / "generation.json"
        path.write_text(json.dumps({"generation": self._generation}))
        os.utime(path, (time.time() - 5, time.time() - 5))
        return self.truth()

    def truth(self) -> Truth:
        """What the application holds now."""
        return self.oracle.truth(self.name, self.data)

    def configure(self, **settings: object) -> None:
        """Write ``config.json`` and ``.env``; ``url`` replaces DATABASE_URL."""
        self.write_env(str(settings.pop("url", self.url())))
        values = {
            "app_dir": str(self.directory / "app"),
            "repository": str(self.repository),
            "admin_url": f"postgresql://postgres@/postgres?host={self.server.directory}&port={self.server.port}",
            "log": str(self.log),
            "pg_bindir": self.server.bindir,
            "lock_timeout": 20,
            "drill_dir": str(self.directory),
            **({"alerts_config": str(self.alerts.path)} if self.watched else {}),
            **settings,
        }
        self._write_config(values)

    def _write_config(self, values: dict) -> None:
        self._settings = values
        self.config_path.unlink(missing_ok=True)
        descriptor = os.open(self.config_path, os.O_WRONLY | os.O_CREAT, 0o600)
        with open(descriptor, "w") as file:
            json.dump(values, file)

    def url(self, port: Optional[int] = None, password: str = PASSWORD, database: str = "") -> str:
        """The application's DATABASE_URL."""
        name = quote(database or self.name)
        return f"postgresql://mirai_app:{quote(password, safe='')}@127.0.0.1:{port or self.server.port}/{name}"

    def write_env(self, url: str) -> None:
        """The application's ``.env``."""
        (self.backend / ".env").write_text(f"FLASK_ENV=production\nDATABASE_URL={url}\n")

    def environment(self, **extra: str) -> dict:
        """As bare as cron's, with a token by which processes are found again."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "MIRAI_GAUNTLET": self.token, **extra}
        if self.watched:
            environment["PATH"] = f"{self.alerts.directory}:{environment['PATH']}"
        return environment

    def argv(self, *arguments: str) -> list:
        """The command line of the installed command."""
        return [self.engine.command, "--config", str(self.config_path), *arguments]

    def start(self, *arguments: str, prefix: tuple = (), **extra: str) -> subprocess.Popen:
        """Start the command; ``prefix`` is what it is started through."""
        self._dirty = self._dirty or bool({"restore", "rollback"} & set(arguments))
        return subprocess.Popen(
            [*map(str, prefix), *self.argv(*arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(**extra),
            cwd="/",
        )

    def finish(self, process: subprocess.Popen, begun: float, timeout: float = 90) -> Result:
        """Wait for the end of a started command. A run that hangs is a finding."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.communicate()
            raise Finding(f"it hangs: {process.args[-3:]} did not end within {timeout:g} s") from error
        result = Result(
            process.returncode, out.decode(errors="replace"), err.decode(errors="replace"), time.monotonic() - begun
        )
        self.transcripts += [result.out, result.err]
        return result

    def run(self, *arguments: str, prefix: tuple = (), timeout: float = 90, **extra: str) -> Result:
        """Run the command to its end."""
        begun = time.monotonic()
        return self.finish(self.start(*arguments, prefix=prefix, **extra), begun, timeout)

    def succeed(self, *arguments: str, prefix: tuple = (), **extra: str) -> Result:
        """Run the command, which must exit with 0."""
        result = self.run(*arguments, prefix=prefix, **extra)
        need(result.code == 0, Finding, f"{arguments} exits with {result.code}: {result.err[-600:]}{result.out[-300:]}")
        return result

    def manifests(self) -> list[Path]:
        """The manifests under final names."""
        return sorted(path for kind in KINDS for path in (self.repository / kind).glob("mirai_*.manifest.json"))

    def held(self) -> dict:
        """Every file under a final name, and the pins: path to mode and digest."""
        found = {}
        for kind in (*KINDS, ".pins"):
            for path in (self.repository / kind).glob("*"):
                status = path.lstat()
                content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
                found[str(path)] = (stat.S_IMODE(status.st_mode), hashlib.sha256(content).hexdigest())
        return found

    def processes(self) -> list[str]:
        """What still runs of the commands that were started here, by argv."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if self.token.encode() in (entry / "environ").read_bytes():
                    argv = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                    found += [f"{entry.name} {argv}"] if state != "Z" else []
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found

    def sessions(self) -> list[str]:
        """The engine's sessions on the server."""
        return self.server.psql(
            "SELECT pid || ' ' || state || ' ' || left(query, 80) FROM pg_stat_activity"
            " WHERE application_name IN ('mirai-backup', 'pg_dump', 'pg_restore') OR usename = 'mirai_app'"
        ).splitlines()

    def settled(self, seconds: float = 10) -> None:
        """Nothing of a run may be left on the machine or on the server after ``seconds``."""
        deadline = time.monotonic() + seconds
        while True:
            left = self.processes() + self.sessions()
            if not left:
                return
            if time.monotonic() > deadline:
                for line in self.processes():
                    os.kill(int(line.split()[0]), signal.SIGKILL)
                raise Leftover(f"still there after {seconds:g} s: {left}")
            time.sleep(0.05)


def _stamp(path: str) -> str:
    """The day in the name of an artifact."""
    return re.search(r"_(\d{8})_\d{6}\.", path).group(1)
