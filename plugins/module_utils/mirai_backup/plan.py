# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a backup is going to do, found out without changing anything. Check mode is this, and stops here."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, replace
from typing import Optional

from . import clients as client_programs
from . import compression, gpg, jsoncheck, keyring, postgres, signature, text, tree
from .clients import Clients
from .command import Command
from .compression import Compression
from .config import Config
from .dburl import Connection
from .errors import EngineError, NotFoundError, PreflightError
from .keyring import Key
from .outcome import Outcome
from .postgres import Server
from .repository import Backup, listing
from .selector import COMPONENTS

_HEADROOM = 1.2
_FIXED_BYTES = 16 << 20


@dataclass(frozen=True)
class Source:
    """The database half: how to reach it, with which programs, and what the server said. Shown without secrets."""

    app: Connection
    admin: Optional[Connection]
    clients: Clients
    server: Server


@dataclass(frozen=True)
class Plan:
    """A backup about to be made. ``source`` and ``data_dir`` are None for a half left out.

    ``checked`` is the path of a manifest whose JSON files were all found whole: what is the same need not be parsed;
    empty where there is none. Sizes in bytes. ``estimated_bytes`` is 0 where nobody has looked; ``needed_bytes`` is the
    most that it may be.
    """

    kind: str
    repository: str
    source: Optional[Source]
    data_dir: Optional[str]
    checked: str
    compression: Compression
    encryption: tuple[Command, ...]
    keys: tuple[Key, ...]
    fingerprint: str
    estimated_bytes: int
    needed_bytes: int
    free_bytes: int

    @property
    def outer(self) -> Compression:
        """How artifacts are written: compressed, and encrypted where there are recipients."""
        return replace(self.compression, encryption=self.encryption)

    @property
    def inner(self) -> Compression:
        """How the streams are written: as artifacts, or as parts of a full archive that is encrypted as a whole."""
        return self.compression if self.kind == "full" else self.outer

    def document(self) -> dict:
        """The plan as JSON values."""
        values = {
            "kind": self.kind,
            "repository": self.repository,
            "data_dir": self.data_dir,
            "compression": self.compression.name,
            "keys": [one.document() for one in self.keys],
            "fingerprint": self.fingerprint,
            "estimated_bytes": self.estimated_bytes,
            "needed_bytes": self.needed_bytes,
            "free_bytes": self.free_bytes,
            "database": None,
        }
        if self.source is not None:
            values["database"] = {
                "connection": self.source.app.label,
                "server_version": self.source.server.version,
                "client_version": self.source.clients.version,
                "size": self.source.server.database_size,
            }
        return values

    def lines(self) -> tuple[str, ...]:
        """The plan for people."""
        lines = [f"kind        {self.kind}", f"repository  {self.repository}"]
        if self.source is not None:
            lines.append(f"database    {self.source.app.label}, {text.size(self.source.server.database_size)}")
            lines.append(f"versions    server {self.source.server.version}, client {self.source.clients.version}")
        if self.data_dir is not None:
            lines.append(f"data        {self.data_dir}")
        lines.append(f"compression {self.compression.name}, fingerprint {self.fingerprint}")
        lines += [f"{one.purpose:<11} {one.fingerprint}" for one in self.keys]
        lines.append(f"space       {text.size(self.needed_bytes)} needed, {text.size(self.free_bytes)} free")
        return tuple(lines)


def make(config: Config, kind: str, exact: bool = False) -> Plan:
    """Look at everything a backup of ``kind`` needs. Raises an EngineError for the first thing that is missing.

    What a first backup needs is found by a look at every file; unless ``exact``, only where room may be short.
    """
    _repository_writable(config.repository)
    keys, encryption = _keys(config)
    components = COMPONENTS[kind]
    source = connect(config) if "database" in components else None
    if "json" in components:
        _data_readable(config.data_dir)
    free = _free(config.repository)
    good = _good(config.repository)
    estimate = most = next((one.head.size for one in reversed(good) if one.head.kind == kind), 0)
    if not estimate:
        in_database = source.server.database_size if source is not None else 0
        most = in_database + (_used(config.data_dir) if "json" in components else 0)
        if exact or free < _needed(kind, most):
            estimate = most = in_database + (_measured(config.data_dir) if "json" in components else 0)
    plan = Plan(
        kind=kind,
        repository=config.repository,
        source=source,
        data_dir=config.data_dir if "json" in components else None,
        checked=_without_torn_files(good) if "json" in components else "",
        compression=compression.choose(config.compression),
        encryption=encryption,
        keys=keys,
        fingerprint=config.fingerprint,
        estimated_bytes=estimate,
        needed_bytes=_needed(kind, most),
        free_bytes=free,
    )
    if plan.free_bytes < plan.needed_bytes:
        raise PreflightError(
            f"{config.repository} has {text.size(plan.free_bytes)} free, but the backup needs about "
            f"{text.size(plan.needed_bytes)}",
            "free space, shorten retention (mirai-backup prune --dry-run shows its effect), or move the repository",
        )
    return plan


def run(config: Config, kind: str) -> Outcome:
    """The plan as an outcome, for check mode."""
    plan = make(config, kind, exact=True)
    return Outcome({"plan": plan.document()}, plan.lines())


def connect(config: Config) -> Source:
    """Reach the application's server and pick the client programs that fit it."""
    app = postgres.app_connection(config)
    any_client = client_programs.newest(config.pg_bindir)
    server = postgres.server(any_client, app)
    fitting = client_programs.fitting(server.major, server.version, config.pg_bindir)
    return Source(app, postgres.admin_connection(config, app), fitting, server)


def _keys(config: Config) -> tuple[tuple[Key, ...], tuple[Command, ...]]:
    """The keys, all fit for use, and the command that encrypts; neither where the configuration names none."""
    keys = keyring.find(config)
    keyring.require(keys, config.gpg_home)
    if config.gpg_sign_key:
        signature.rehearse(config)
    if not config.gpg_recipients:
        return keys, ()
    return keys, (gpg.encrypting(config.gpg_home, config.gpg_recipients),)


def _repository_writable(path: str) -> None:
    """Raise PreflightError unless the repository, or the directory it will be made in, can be written."""
    existing = path
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        raise PreflightError(f"repository {path}: {existing} is not a directory", "correct repository")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PreflightError(f"repository {path} cannot be written by user {os.geteuid()}", f"see ls -ld {existing}")
    if os.statvfs(existing).f_flag & os.ST_RDONLY:
        raise PreflightError(f"repository {path} lies on a read-only file system", "mount it for writing")


def _data_readable(path: str) -> None:
    try:
        os.listdir(path)
    except OSError as error:
        raise PreflightError(
            f"data directory {path} cannot be read: {error.strerror}", "correct data_dir, or its owner and mode"
        ) from error


def _good(repository: str) -> tuple[Backup, ...]:
    """The good backups, oldest first; none where there is no repository yet."""
    try:
        return listing(repository).good()
    except NotFoundError:
        return ()


def _without_torn_files(good: tuple[Backup, ...]) -> str:
    """The newest manifest of files if each was found whole, by the rule that holds; else empty."""
    holders = [one for one in good if "json" in one.head.components]
    with contextlib.suppress(EngineError):
        for newest in holders[-1:]:
            files = newest.manifest.files
            if files.get("json_rule") == jsoncheck.RULE and not files["unparsable"]:
                return newest.manifest_path
    return ""


def _needed(kind: str, size: int) -> int:
    """The room for a backup of about that size."""
    copies = 2 if kind == "full" else 1  # the parts of a full archive lie beside it until it is whole
    return int(size * _HEADROOM * copies) + _FIXED_BYTES


def _measured(path: str) -> int:
    """What the files of a directory hold, by a look at each."""
    return tree.measure(os.fsencode(os.path.realpath(path)))[1]


def _used(path: str) -> int:
    """What the whole file system of ``path`` holds, so more than the directory itself."""
    return shutil.disk_usage(path).used


def _free(path: str) -> int:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free
