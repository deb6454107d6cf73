# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds PostgreSQL's client programs and picks the installation that fits the server."""

from __future__ import annotations

import glob
import os
import re
import shutil
from dataclasses import dataclass
from functools import lru_cache

from . import process
from .command import Command, environment
from .errors import PreflightError, ProcessError

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
_INSTALL = "install the package postgresql-client (Debian) or postgresql (RedHat), or set pg_bindir"


@dataclass(frozen=True)
class Clients:
    """One installation of the client programs: its directory and the version of its pg_dump."""

    bindir: str
    version: str

    @property
    def major(self) -> int:
        """The major version, such as 15."""
        return int(self.version.split(".", 1)[0])

    def path(self, program: str) -> str:
        """The path of ``program``. Raises PreflightError when this installation lacks it."""
        path = os.path.join(self.bindir, program)
        if not os.access(path, os.X_OK):
            raise PreflightError(f"{program}: command not found in {self.bindir}", _INSTALL)
        return path


def installed(pg_bindir: str = "") -> tuple[Clients, ...]:
    """Every usable installation, newest first; only the one in ``pg_bindir`` where that is set."""
    if pg_bindir:
        places = [pg_bindir]
    else:
        places = [place for pattern in _PLACES for place in glob.glob(pattern)]
        on_path = shutil.which("pg_dump", path=environment()["PATH"])
        places += [os.path.dirname(on_path)] if on_path else []
    found = {}
    for place in places:
        program = os.path.join(place, "pg_dump")
        if os.access(program, os.X_OK) and os.access(os.path.join(place, "psql"), os.X_OK):
            version = _version(program)
            if version:
                found.setdefault(version, Clients(place, version))
    return tuple(sorted(found.values(), key=lambda one: _numbers(one.version), reverse=True))


def newest(pg_bindir: str = "") -> Clients:
    """The newest installation, good enough to ask a server for its version."""
    found = installed(pg_bindir)
    if not found:
        where = pg_bindir or "any usual place"
        raise PreflightError(f"pg_dump: command not found in {where}", _INSTALL)
    return found[0]


def fitting(server_major: int, server_version: str, pg_bindir: str = "") -> Clients:
    """The client of the server's major, else the nearest newer one. Raises PreflightError naming both versions."""
    newest(pg_bindir)
    usable = [one for one in installed(pg_bindir) if one.major >= server_major]
    if not usable:
        best = newest(pg_bindir)
        raise PreflightError(
            f"pg_dump {best.version} ({best.bindir}) is older than the server, PostgreSQL {server_version}",
            f"install the package postgresql-client-{server_major} or newer",
        )
    return min(usable, key=lambda one: one.major)


def _version(program: str) -> str:
    """What ``program --version`` says, or nothing where the program does not run."""
    status = os.stat(program)
    return _version_of(program, status.st_ino, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _version_of(program: str, _inode: int, _mtime_ns: int) -> str:
    """A run asks several times, and a program does not change its version unless it is replaced."""
    try:
        said = process.run(Command((program, "--version")), timeout=20).decode("utf-8", "replace")
    except ProcessError:
        return ""
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", said)
    return match.group(1) if match else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
