# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The configuration: one JSON file, checked key by key before anything is done with it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import stat
from dataclasses import dataclass, field
from typing import Optional

from .config_checks import CHECKS, DEFAULT_RETENTION, KINDS, Retention, Schedule, Store
from .errors import ConfigError, NotSetUpError
from .validators import SECRET_KEYS, known_key

__all__ = ["DEFAULT_PATH", "KINDS", "Config", "Retention", "Schedule", "Store", "from_mapping", "load"]

DEFAULT_PATH = "/etc/mirai-backup/config.json"
DEFAULT_RCLONE_CONFIG = "/etc/mirai-backup/rclone.conf"
DEFAULT_LOG = "/var/log/mirai-backup.log"
_WATCHING = {
    *("app_dir", "application", "env_file", "data_dir", "repository", "log"),
    *("alerts_config", "alert_mail", "heartbeat_url", "drill_heartbeat_url", "metrics_textfile", "language"),
}
DEFAULT_APP_DIR = "/opt/Mirai-Knowledge-Systems"


@dataclass(frozen=True)
class Config:
    """The checked configuration. Paths are absolute; sizes in bytes, times in seconds."""

    app_dir: str = DEFAULT_APP_DIR
    application: str = ""
    env_file: str = ""
    database_url: str = ""
    admin_url: str = ""
    data_dir: str = ""
    repository: str = ""
    user: str = "root"
    schedules: tuple[Schedule, ...] = (Schedule("full", "0 2 * * *"),)
    retention: dict = field(default_factory=lambda: dict(DEFAULT_RETENTION))
    compression: str = "auto"
    fingerprint: str = "full"
    log: str = DEFAULT_LOG
    pg_bindir: str = ""
    lock_timeout: int = 600
    jobs: int = 2
    app_services: tuple[str, ...] = ()
    keep_previous: int = 1
    restore_smoke: tuple[dict, ...] = ()
    restore_smoke_timeout: int = 30
    drill: bool = False
    drill_schedule: str = "0 4 1 * *"
    drill_assertions: tuple[dict, ...] = ()
    drill_dir: str = "/var/tmp"
    drill_user: str = "nobody"
    drill_url: str = ""
    drill_max_age: int = 35
    drill_rto_target: int = 0
    drill_rpo_target: int = 0
    gpg_recipients: tuple[str, ...] = ()
    gpg_sign_key: str = ""
    gpg_former_sign_keys: tuple[str, ...] = ()
    gpg_home: str = "/etc/mirai-backup/gnupg"
    hooks: dict = field(default_factory=dict)
    alerts_config: str = ""
    alert_mail: tuple[str, ...] = ("root",)
    alert_success: bool = False
    heartbeat_url: str = ""
    drill_heartbeat_url: str = ""
    metrics_textfile: str = ""
    nice: int = 0
    ionice: str = ""
    restore_toast_compression: str = "default"
    offsite: tuple[Store, ...] = ()
    rclone: str = ""
    rclone_config: str = DEFAULT_RCLONE_CONFIG
    language: str = "auto"

    def document(self, masked: bool = True) -> dict:
        """The configuration as plain JSON values; secrets become ``********`` unless ``masked`` is false."""
        plain = dataclasses.asdict(self)
        if masked:
            plain.update({key: "********" for key in SECRET_KEYS if plain[key]})
        return plain


def load(path: str) -> Config:
    """Read and check the configuration file at ``path``. Raises ConfigError that names the key, NotSetUpError where
    there is no such file."""
    try:
        with open(path, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read()
    except FileNotFoundError as error:
        raise NotSetUpError(
            f"configuration {path} does not exist",
            "set the server up with the playbook mirai.backup.setup, or name the file with --config",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"configuration {path} cannot be read: {error.strerror}",
            "run this as root (sudo), or as the account that makes the backups",
        ) from error
    if mode & 0o077:
        raise ConfigError(f"configuration {path} has mode {mode:04o}, but may hold secrets", f"chmod 0600 {path}")
    try:
        values = json.loads(raw, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"configuration {path} is not valid JSON: {error}",
            "mend the file, or run mirai.backup.setup again",
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(f"configuration {path} must hold a JSON object", "see docs/variables.md")
    return from_mapping(values)


def from_mapping(values: dict) -> Config:
    """Check ``values`` (as read from JSON) and fill in the defaults. Raises ConfigError that names the key."""
    known = {one.name for one in dataclasses.fields(Config)}
    for key in values:
        known_key(key, known, "")
    checked = {key: CHECKS[key](key, value) for key, value in values.items()}
    return _completed(Config(**checked))


def watching(path: str) -> Optional[Config]:
    """What a configuration file that is not valid still says on who is to be told of that; None if unreadable."""
    try:
        with open(path, "rb") as file:
            values = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None
    found = {}
    for key in _WATCHING & set(values if isinstance(values, dict) else ()):
        with contextlib.suppress(ConfigError):
            found[key] = CHECKS[key](key, values[key])
    try:
        return _completed(Config(**found))
    except ConfigError:
        return None


def elsewhere(config: Config, repository: Optional[str]) -> Config:
    """The configuration with another repository, such as one that was brought from another host; empty is none."""
    return dataclasses.replace(config, repository=os.path.abspath(repository)) if repository else config


def _completed(config: Config) -> Config:
    """Fill in what follows from other keys, and refuse combinations that cannot work."""
    backend = os.path.join(config.app_dir, "backend")
    config = dataclasses.replace(
        config,
        application=config.application or os.path.basename(config.app_dir.rstrip("/")),
        env_file=config.env_file or os.path.join(backend, ".env"),
        data_dir=config.data_dir or os.path.join(backend, "data"),
        repository=config.repository or os.path.join(backend, "backups"),
    )
    stores = tuple(
        one if one.retention else dataclasses.replace(one, retention="none" if one.write_only else config.retention)
        for one in config.offsite
    )
    config = dataclasses.replace(config, offsite=stores)
    data, repository = (os.path.realpath(one) for one in (config.data_dir, config.repository))
    if os.path.commonpath((data, repository)) in (data, repository):
        raise ConfigError(
            f"repository {config.repository} and data_dir {config.data_dir} lie inside each other",
            "choose a repository outside the data directory",
        )
    return config


def _without_duplicates(pairs: list) -> dict:
    """Build an object from ``pairs``; a key given twice is an error, since one of the two would be lost."""
    seen: dict = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"key {key!r} appears twice")
        seen[key] = value
    return seen
