# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The program rclone: what it is told, what it answers, and what its failures mean.

It reads a configuration file of its own, so that no credential is in an argument or in the environment.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import stat
import urllib.parse
from dataclasses import dataclass, field
from typing import Callable, Optional

from . import process
from .command import Command, environment
from .config import Config, Store
from .errors import ConfigError, NotFoundError, PreflightError, ProcessError, StoreError

# Objects of S3 up to this size are sent in one request; then the ETag is the MD5 that the server computed.
SINGLE_REQUEST_BYTES = 1 << 30
_NO_SUCH_DIRECTORY, _NO_SUCH_FILE = 3, 4
_SECRET = re.compile(r"pass|secret|token|key(?!_file)|credential|sas_url")
# Nothing of this is listed, read or asked for: a credential that may only put is enough.
_PUT_ONLY = ("--s3-no-head", "--s3-no-head-object", "--no-check-dest", "--no-traverse")


@dataclass(frozen=True)
class File:
    """A file of a store: ``path`` relative to the store's, ``size`` in bytes, ``modified`` as ISO 8601, and the
    MD5 that the store gives, where it was asked for and gives one."""

    path: str
    size: int
    modified: str
    md5: str = ""


@dataclass(frozen=True)
class Remote:
    """A store as rclone reaches it. ``backend`` is rclone's word for its type, ``secrets`` never reach a message."""

    program: str
    config: str
    store: Store
    backend: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def at(self, path: str = "") -> str:
        """How rclone names ``path`` in the store."""
        root = self.store.path
        return f"{self.store.name}:{root}{'/' if root and path and root != '/' else ''}{path}"


def remote(config: Config, store: Store) -> Remote:
    """The remote of ``store``. Raises PreflightError without rclone, ConfigError when its section is not right."""
    program = config.rclone or shutil.which("rclone", path=environment()["PATH"])
    if not program or not os.access(program, os.X_OK):
        raise PreflightError(
            f"{program or 'rclone'}: command not found, but offsite names {store.name}", "install rclone, or set rclone"
        )
    section = _section(config.rclone_config, store.name)
    backend = section.get("type", "")
    if store.write_only and backend != "s3":
        raise ConfigError(
            f"offsite store {store.name} is write_only, but of type {backend}",
            "write_only is for S3, where the server checks the MD5 of what it is sent",
        )
    if backend == "local" and not store.path.startswith("/"):
        raise ConfigError(f"offsite store {store.name} is a directory, but its path is not absolute", "correct path")
    return Remote(program, config.rclone_config, store, backend, _secrets(section))


def files(where: Remote) -> tuple[File, ...]:
    """Every file in the directories of the three kinds. Raises StoreError, NotFoundError without the path itself."""
    argv = ("lsjson", "--recursive", "--files-only", "--use-server-modtime", *_kinds("*"), where.at())
    try:
        found = json.loads(_run(where, argv))
    except StoreError as error:
        if _status(error) == _NO_SUCH_DIRECTORY:
            raise NotFoundError(
                f"offsite store {where.store.name}: there is no {where.store.path or 'such account'}",
                "create the bucket or directory, or mount it",
            ) from error
        raise
    return tuple(File(one["Path"], one["Size"], one["ModTime"]) for one in found)


def look(where: Remote, path: str) -> Optional[File]:
    """The file ``path`` as the store has it now, None where it has none."""
    argv = ["lsjson", "--stat"] + (["--hash", "--hash-type", "md5"] if where.backend == "s3" else [])
    try:
        found = json.loads(_run(where, (*argv, where.at(path))))
    except StoreError as error:
        if _status(error) in (_NO_SUCH_DIRECTORY, _NO_SUCH_FILE):
            return None
        raise
    if not found or found["IsDir"]:
        return None
    return File(path, found["Size"], found["ModTime"], found.get("Hashes", {}).get("md5", ""))


def can_move(where: Remote) -> bool:
    """Whether a file can get its final name at one instant."""
    return bool(json.loads(_run(where, ("backend", "features", where.at())))["Features"].get("Move"))


def put(where: Remote, local: str, path: str) -> None:
    """Upload the file ``local`` as ``path``, over what may be there."""
    options = _PUT_ONLY if where.store.write_only else ("--ignore-times",)
    _run(where, ("copyto", *options, local, where.at(path)), patience=None)


def move(where: Remote, path: str, target: str) -> None:
    """Give ``path`` the name ``target``, over what may be there."""
    _run(where, ("moveto", "--ignore-times", where.at(path), where.at(target)))


def delete(where: Remote, path: str) -> None:
    """Delete ``path``; that it is not there is no error."""
    try:
        _run(where, ("deletefile", where.at(path)))
    except StoreError as error:
        gone = _status(error) in (_NO_SUCH_DIRECTORY, _NO_SUCH_FILE) or "doesn't exist" in error.message
        if not gone or look(where, path) is not None:  # rclone 1.60 ends with 1 for both
            raise


def read(where: Remote, path: str, write: Callable[[bytes], object]) -> None:
    """Hand the content of ``path`` to ``write``. What is not there may be an empty content: look at what came."""
    try:
        process.pump((_command(where, ("cat", where.at(path))),), write)
    except ProcessError as error:
        raise _store_error(where, error) from error


def mirror(where: Remote, pattern: str, directory: str) -> None:
    """Make the files of the local ``directory`` that match ``pattern`` those of the store; by size alone."""
    _run(where, ("sync", "--size-only", *_kinds(pattern), where.at(), directory))


def _kinds(pattern: str) -> tuple[str, str]:
    return "--include", f"/{{full,database,json}}/{pattern}"


def _command(where: Remote, argv: tuple) -> Command:
    store = where.store
    options = (
        f"--config={where.config}",
        "--ask-password=false",
        "--auto-confirm",
        "--log-level=NOTICE",
        "--retries=1",
        "--low-level-retries=3",
        f"--contimeout={min(store.timeout, 60)}s",
        f"--timeout={store.timeout}s",
        f"--s3-upload-cutoff={SINGLE_REQUEST_BYTES}B",
        "--s3-no-check-bucket",  # a bucket is never made
        # Over SFTP nothing is run on the other side, so that an account that may do nothing else is enough; else
        # rclone would try, and write into its configuration what it found.
        "--sftp-shell-type=none",
        "--sftp-disable-hashcheck",
    )
    if store.bandwidth_limit:
        options += (f"--bwlimit={store.bandwidth_limit}",)
    return Command((where.program, *options, *argv), secrets=where.secrets)


def _run(where: Remote, argv: tuple, patience: Optional[float] = 4.0) -> bytes:
    """Run rclone; ``patience`` times the store's timeout at most, since its own bounds each silence only."""
    try:
        timeout = None if patience is None else where.store.timeout * patience + 60
        return process.run(_command(where, argv), timeout=timeout)
    except ProcessError as error:
        raise _store_error(where, error) from error


def _store_error(where: Remote, error: ProcessError) -> StoreError:
    said = re.sub(r"(?:^| )\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", " ", error.message)
    said = " / ".join(one for one in said.split(" / ") if "No host key validation" not in one)
    return StoreError(f"offsite store {where.store.name}: {said}", "see its section of rclone's configuration")


def _status(error: StoreError) -> int:
    cause = error.__cause__
    return cause.status if isinstance(cause, ProcessError) else -1


def _secrets(section: dict) -> tuple[str, ...]:
    """The values of a remote's options that may not be seen, a password in an URL among them."""
    found = {value for key, value in section.items() if _SECRET.search(key)}
    found |= {urllib.parse.urlsplit(value).password or "" for value in section.values() if "://" in value}
    return tuple(sorted(one for one in found if len(one) >= 4 and one not in ("true", "false")))


def _section(path: str, name: str) -> dict:
    """The options of the remote ``name``. Raises ConfigError."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#", ";"))
    try:
        with open(path, encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            parser.read_file(file)
    except OSError as error:
        raise ConfigError(f"rclone_config {path} cannot be read: {error.strerror}", "run mirai.backup.setup") from error
    except (configparser.Error, UnicodeDecodeError) as error:  # its message would show the line
        raise ConfigError(f"rclone_config {path} is not as rclone writes it", "run mirai.backup.setup") from error
    if mode & 0o077:
        raise ConfigError(f"rclone_config {path} has mode {mode:04o}, but holds credentials", f"chmod 0600 {path}")
    if not parser.has_section(name):
        raise ConfigError(f"rclone_config {path} has no section [{name}]", f"describe the store {name} in it")
    return dict(parser.items(name))
