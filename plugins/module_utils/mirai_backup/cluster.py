# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A throwaway PostgreSQL server for drills: private socket, no TCP, bounded memory, gone when the drill ends.

The server is our child and ends with us, however we end. Its directory is marked by a lock that only a living
drill holds, so that the next drill clears what a killed one left.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import pwd
import shutil
import signal
import stat
import tempfile
import time
from dataclasses import dataclass
from typing import Iterator, Optional

from . import clients as client_programs
from . import postgres, process
from .clients import Clients
from .command import Command
from .dburl import Connection
from .errors import CouldNotVerifyError, EngineError, ProcessError
from .target import DatabaseTarget

_PREFIX = "mirai-drill-"
# The path of a socket has to fit into some 100 bytes, wherever the drill's directory lies.
_SOCKETS = "/tmp/mirai-socket-"
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "64MB",
    "max_connections": "20",
    "max_wal_size": "1GB",
    "logging_collector": "off",
}
_PATIENCE = 60.0


@dataclass(frozen=True)
class Room:
    """The drill's own directory: ``work`` is ours alone, ``cluster`` belongs to ``account`` (empty: ourselves)."""

    path: str
    account: str

    @property
    def work(self) -> str:
        """Where the dump and the files are unpacked."""
        return os.path.join(self.path, "work")

    @property
    def cluster(self) -> str:
        """The server's data directory."""
        return os.path.join(self.path, "cluster")

    @property
    def sockets(self) -> str:
        """The directory of the server's socket."""
        return _sockets(self.path)


@contextlib.contextmanager
def room(base: str, account: str) -> Iterator[Room]:
    """A directory for one drill below ``base``; what killed drills left there is cleared first.

    Raises CouldNotVerifyError where there is no such account.
    """
    account = account if os.geteuid() == 0 else ""
    owner = _owner(account)
    with _one_at_a_time(base):
        sweep(base)
        path = tempfile.mkdtemp(prefix=_PREFIX, dir=base)
        lock = _take(path)
    try:
        os.chmod(path, 0o711)  # the account passes through; what is inside is private
        os.mkdir(os.path.join(path, "work"), 0o700)
        os.mkdir(os.path.join(path, "cluster"), 0o700)
        os.mkdir(_sockets(path), 0o700)
        if owner is not None:
            for one in (os.path.join(path, "cluster"), _sockets(path)):
                os.chown(one, owner.pw_uid, owner.pw_gid)
        yield Room(path, account)
    finally:
        with _one_at_a_time(base):
            _remove(path)
        os.close(lock)


def sweep(base: str) -> list[str]:
    """Clear the directories of dead drills below ``base``; returns them."""
    gone = []
    for path in glob.glob(os.path.join(glob.escape(base), _PREFIX + "*")):
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            continue  # not a drill's, whoever gave it the name
        lock = _take(path)
        if lock is None:
            continue
        try:
            _end_server(os.path.join(path, "cluster"))
            _remove(path)
            gone.append(path)
        finally:
            os.close(lock)
    return gone


def _sockets(path: str) -> str:
    """The directory of the socket of the drill in ``path``, called after it, so that a sweep finds it."""
    return _SOCKETS + os.path.basename(path)[len(_PREFIX) :]


def _remove(path: str) -> None:
    """Remove a drill's directory; that of the socket goes first, since only this one leads to it."""
    sockets = _sockets(path)
    if os.path.isdir(sockets) and not os.path.islink(sockets):
        shutil.rmtree(sockets)
    shutil.rmtree(path)


@contextlib.contextmanager
def _one_at_a_time(base: str) -> Iterator[None]:
    """Make, sweep and remove while no other drill does: between two steps of one, another would take it for dead."""
    descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _owner(account: str) -> Optional[pwd.struct_passwd]:
    if not account:
        return None
    try:
        return pwd.getpwnam(account)
    except KeyError as error:
        raise CouldNotVerifyError(
            f"there is no account {account} to run the drill's server as", "set drill_user"
        ) from error


def programs(major: int, pg_bindir: str = "") -> Clients:
    """The installation with a server of ``major`` or the nearest newer one. Raises CouldNotVerifyError."""
    found = [
        one
        for one in client_programs.installed(pg_bindir)
        if one.major >= major
        and all(os.access(os.path.join(one.bindir, name), os.X_OK) for name in ("initdb", "postgres"))
    ]
    if not found:
        raise CouldNotVerifyError(
            f"no PostgreSQL server of version {major} or newer is installed to drill on",
            f"install the package postgresql-{major} or newer (mirai_backup_drill: true does), or set drill_url",
        )
    return min(found, key=lambda one: one.major)


@contextlib.contextmanager
def running(place: Room, installation: Clients) -> Iterator[DatabaseTarget]:
    """A running server in the room, as a target whose databases may be made at will."""
    _initialize(place, installation)
    command = Command(
        (
            installation.path("postgres"),
            "-D",
            place.cluster,
            "-k",
            place.sockets,
            *(f"--{name}={value}" for name, value in _SETTINGS.items()),
        ),
        user=place.account,
        end_signal=signal.SIGQUIT,
    )
    with open(os.devnull, "r+b", buffering=0) as nothing:
        server = process.Child(command, nothing, nothing)
    try:
        admin = Connection(host=place.sockets, user="postgres", database="postgres", os_user=place.account)
        facts = _wait(server, installation, admin)
        target = DatabaseTarget(admin, installation, facts, live="", exists=False)
        _prefer_lz4(target)
        yield target
    finally:
        server.end()
        server.close()


def _initialize(place: Room, installation: Clients) -> None:
    arguments = ("-D", place.cluster, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    try:
        process.run(Command((installation.path("initdb"), *arguments), user=place.account), timeout=300)
    except ProcessError as error:
        raise CouldNotVerifyError(
            f"the drill's server could not be made: {error.message}", "see the message"
        ) from error


def _wait(server: process.Child, installation: Clients, admin: Connection) -> postgres.Server:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return postgres.server(installation, admin)
        except EngineError as error:
            status = server.popen.poll()
            if status is not None or time.monotonic() > deadline:
                said = server.complaint() or error.message
                raise CouldNotVerifyError(f"the drill's server did not start: {said}", "see the message") from error
        time.sleep(0.05)


def _prefer_lz4(target: DatabaseTarget) -> None:
    """Store columns with lz4 where the server can: it changes how they lie there, not what they hold."""
    if postgres.has_lz4(target.clients, target.admin):
        target.execute("ALTER SYSTEM SET default_toast_compression = 'lz4'; SELECT pg_reload_conf()")


def _take(path: str) -> "int | None":
    """The lock of a drill's directory, None when a living drill holds it."""
    descriptor = os.open(os.path.join(path, ".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _end_server(cluster: str) -> None:
    """End a server that a killed drill may have left in ``cluster``, and wait until it is gone."""
    try:
        with open(os.path.join(cluster, "postmaster.pid"), encoding="ascii") as file:
            pid = int(file.readline())
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            ours = os.fsencode(cluster) in file.read()
    except (OSError, ValueError):
        return
    if ours:
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + 10
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
            time.sleep(0.05)
