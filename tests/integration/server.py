"""A throwaway PostgreSQL server for the tests: real, private, gone afterwards."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

SUPERUSER_PASSWORD = "super:user/secret"


def bindir() -> str:
    """The newest installed server's programs."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4]))
    assert found, "no PostgreSQL server is installed; tests/bootstrap.sh installs one"
    return os.path.dirname(found[-1])


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A cluster below ``directory``, run by an unprivileged account when the tests run as root."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.bindir = bindir()
        self.account = "postgres" if os.geteuid() == 0 else ""
        self.data = directory / "cluster"

    def create(self) -> "Server":
        """Make and start the cluster: passwords over TCP, none for its superuser on the socket."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.account:
            entry = pwd.getpwnam(self.account)
            os.chown(self.directory, entry.pw_uid, entry.pw_gid)
        self._run("initdb", "-D", self.data, "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8",
                  "--locale=C.UTF-8", "-U", "postgres", "--no-sync")  # fmt: skip
        self.start()
        return self

    def start(self) -> None:
        options = f"-p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", self.data, "-l", self.directory / "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory)

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Run SQL as superuser and return what psql prints, fields separated by ``|``."""
        argv = [f"{self.bindir}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-p", str(self.port)]
        argv += ["-U", "postgres", "-d", database]
        environment = {**os.environ, "PGCLIENTENCODING": "UTF8"}
        done = subprocess.run(argv, input=sql, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def admin_url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.directory}&port={self.port}"

    def _run(self, program: str, *arguments: object) -> None:
        argv = [f"{self.bindir}/{program}", *map(str, arguments)]
        if self.account:
            argv = ["setpriv", "--reuid", self.account, "--regid", self.account, "--init-groups", "--", *argv]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
        log = self.directory / "log"
        evidence = log.read_text()[-2000:] if done.returncode and log.exists() else ""
        assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}\n{evidence}"
