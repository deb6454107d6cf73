# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The configuration: one JSON file, checked key by key before anything is done with it."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
import stat
from dataclasses import dataclass, field

from .errors import ConfigError

KINDS = ("full", "database", "json")
COMPRESSIONS = ("auto", "igzip", "pigz", "gzip", "zlib", "zstd")
FINGERPRINTS = ("full", "counts", "off")
SECRET_KEYS = ("database_url", "admin_url", "drill_url")
DEFAULT_PATH = "/etc/mirai-backup/config.json"
DEFAULT_LOG = "/var/log/mirai-backup.log"
DEFAULT_APP_DIR = "/opt/Mirai-Knowledge-Systems"


@dataclass(frozen=True)
class Retention:
    """How long backups of one kind are kept: ``days``, and never fewer than ``keep_min`` good ones."""

    days: int
    keep_min: int = 1


@dataclass(frozen=True)
class Schedule:
    """When a backup of ``kind`` starts: ``cron`` holds the five fields of crontab(5)."""

    kind: str
    cron: str


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
    retention: dict = field(
        default_factory=lambda: {
            "full": Retention(14),
            "database": Retention(30),
            "json": Retention(7),
        }
    )
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

    def document(self, masked: bool = True) -> dict:
        """The configuration as plain JSON values; secrets become ``********`` unless ``masked`` is false."""
        plain = dataclasses.asdict(self)
        if masked:
            plain.update({key: "********" for key in SECRET_KEYS if plain[key]})
        return plain


def load(path: str) -> Config:
    """Read and check the configuration file at ``path``. Raises ConfigError that names the key."""
    try:
        with open(path, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read()
    except OSError as error:
        raise ConfigError(
            f"configuration {path} cannot be read: {error.strerror}",
            "run playbooks/setup.yml, or name the file with --config",
        ) from error
    if mode & 0o077:
        raise ConfigError(f"configuration {path} has mode {mode:04o}, but may hold secrets", f"chmod 0600 {path}")
    try:
        values = json.loads(raw, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"configuration {path} is not valid JSON: {error}", "mend the file, or run playbooks/setup.yml again"
        ) from error
    return from_mapping(values)


def from_mapping(values: object) -> Config:
    """Check ``values`` (as read from JSON) and fill in the defaults. Raises ConfigError that names the key."""
    if not isinstance(values, dict):
        raise ConfigError("the configuration must be a JSON object", "see docs/variables.md")
    known = {one.name for one in dataclasses.fields(Config)}
    for key in values:
        _known_key(key, known, "")
    checked = {key: _CHECKS[key](key, value) for key, value in values.items()}
    return _completed(Config(**checked))


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


def _known_key(key: str, known: set, where: str) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, sorted(known), 1)
        raise ConfigError(
            f"configuration key {where}{key} is unknown",
            f"did you mean {where}{near[0]}?" if near else f"known are {', '.join(sorted(known))}",
        )


def _wrong(key: str, value: object, wanted: str) -> ConfigError:
    shown = "********" if key in SECRET_KEYS else repr(value)
    return ConfigError(f"configuration key {key} is {shown}, but must be {wanted}", f"correct {key}")


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or "\0" in value or "\n" in value or not _is_unicode(value):
        raise _wrong(key, value, "a text of one line")
    return value


def _is_unicode(value: str) -> bool:
    """Whether it can be written at all; JSON's ``\\ud800`` alone cannot."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _path(key: str, value: object) -> str:
    if _text(key, value) and not os.path.isabs(value):
        raise _wrong(key, value, "an absolute path")
    return os.path.normpath(value) if value else value


def _required_path(key: str, value: object) -> str:
    if not _path(key, value):
        raise _wrong(key, value, "an absolute path")
    return os.path.normpath(value)


def _choice(*allowed: str):
    def check(key: str, value: object) -> str:
        if value not in allowed:
            raise _wrong(key, value, f"one of {', '.join(allowed)}")
        return value

    return check


def _number(low: int, high: int):
    def check(key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _wrong(key, value, f"a whole number from {low} to {high}")
        return value

    return check


def _texts(key: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise _wrong(key, value, "a list of texts")
    return tuple(_text(f"{key}[{index}]", one) for index, one in enumerate(value))


def _schedules(key: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise _wrong(key, value, "a list of schedules, each with kind and cron")
    return tuple(_schedule(f"{key}[{index}]", one) for index, one in enumerate(value))


def _schedule(key: str, value: object) -> Schedule:
    if not isinstance(value, dict) or set(value) != {"kind", "cron"}:
        raise _wrong(key, value, "an object with kind and cron")
    return Schedule(_choice(*KINDS)(f"{key}.kind", value["kind"]), _cron(f"{key}.cron", value["cron"]))


def _cron(key: str, value: object) -> str:
    fields = _text(key, value).split()
    if len(fields) != 5:
        raise _wrong(key, value, "five fields as in crontab(5)")
    return " ".join(fields)


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, value, "true or false")
    return value


def _assertions(key: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise _wrong(key, value, "a list of assertions, each with name, sql and expect")
    for index, one in enumerate(value):
        if not isinstance(one, dict) or set(one) != {"name", "sql", "expect"}:
            raise _wrong(f"{key}[{index}]", one, "an object with name, sql and expect")
        for name, part in one.items():
            if not isinstance(part, str) or not part.strip() or "\0" in part:
                raise _wrong(f"{key}[{index}].{name}", part, "a text")
    return tuple(dict(one) for one in value)


def _retention(key: str, value: object) -> dict:
    if not isinstance(value, dict):
        raise _wrong(key, value, "an object of kinds, each with days and keep_min")
    policies = dict(Config().retention)
    for kind, policy in value.items():
        _known_key(kind, set(KINDS), f"{key}.")
        if not isinstance(policy, dict):
            raise _wrong(f"{key}.{kind}", policy, "an object with days and keep_min")
        for name in policy:
            _known_key(name, {"days", "keep_min"}, f"{key}.{kind}.")
        policies[kind] = Retention(
            days=_number(1, 36500)(f"{key}.{kind}.days", policy.get("days", policies[kind].days)),
            keep_min=_number(1, 10000)(f"{key}.{kind}.keep_min", policy.get("keep_min", 1)),
        )
    return policies


def _smoke(key: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise _wrong(key, value, "a list of smoke tests, each with name and command, or with name, sql and expect")
    for index, one in enumerate(value):
        if isinstance(one, dict) and set(one) == {"name", "command"}:
            if not _texts(f"{key}[{index}].command", one["command"]):
                raise _wrong(f"{key}[{index}].command", one["command"], "a list of a program and its arguments")
        else:
            _assertions(key, value[index : index + 1])
    return tuple(dict(one) for one in value)


_CHECKS = {
    "app_dir": _required_path,
    "application": _text,
    "env_file": _path,
    "database_url": _text,
    "admin_url": _text,
    "data_dir": _path,
    "repository": _path,
    "user": _text,
    "schedules": _schedules,
    "retention": _retention,
    "compression": _choice(*COMPRESSIONS),
    "fingerprint": _choice(*FINGERPRINTS),
    "log": _required_path,
    "pg_bindir": _path,
    "lock_timeout": _number(1, 86400),
    "jobs": _number(1, 64),
    "app_services": _texts,
    "keep_previous": _number(0, 100),
    "restore_smoke": _smoke,
    "restore_smoke_timeout": _number(0, 3600),
    "drill": _flag,
    "drill_schedule": _cron,
    "drill_assertions": _assertions,
    "drill_dir": _required_path,
    "drill_user": _text,
    "drill_url": _text,
    "drill_max_age": _number(1, 36500),
    "drill_rto_target": _number(0, 10**7),
    "drill_rpo_target": _number(0, 10**8),
}
