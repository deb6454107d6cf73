# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each key of the configuration may be: a check per key, which returns the value as the engine uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Union

from .language import LANGUAGES
from .validators import (
    choice,
    cron,
    fingerprints,
    flag,
    known_key,
    number,
    optional_cron,
    optional_fingerprint,
    path,
    required_path,
    text,
    texts,
    web_address,
    wrong,
)

KINDS = ("full", "database", "json")
COMPRESSIONS = ("auto", "igzip", "pigz", "gzip", "zlib", "zstd")
HOOK_POINTS = ("before_backup", "after_backup", "before_restore", "after_restore")
FINGERPRINTS = ("full", "counts", "off")


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
class Store:
    """A place off this machine: ``name`` is a section of rclone's configuration, ``path`` a directory there.

    ``retention`` is a policy by kind, or ``none`` where the store itself rules; empty is the repository's own.
    ``timeout`` is in seconds without an answer, ``retries`` are tries after the first.
    """

    name: str
    path: str = ""
    retention: Union[dict, str] = ""
    bandwidth_limit: str = ""
    write_only: bool = False
    timeout: int = 300
    retries: int = 3


DEFAULT_RETENTION = {"full": Retention(14), "database": Retention(30), "json": Retention(7)}


def schedules(key: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise wrong(key, value, "a list of schedules, each with kind and cron")
    return tuple(schedule(f"{key}[{index}]", one) for index, one in enumerate(value))


def schedule(key: str, value: object) -> Schedule:
    if not isinstance(value, dict) or set(value) != {"kind", "cron"}:
        raise wrong(key, value, "an object with kind and cron")
    return Schedule(choice(*KINDS)(f"{key}.kind", value["kind"]), cron(f"{key}.cron", value["cron"]))


def assertions(key: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise wrong(key, value, "a list of assertions, each with name, sql and expect")
    for index, one in enumerate(value):
        if not isinstance(one, dict) or set(one) != {"name", "sql", "expect"}:
            raise wrong(f"{key}[{index}]", one, "an object with name, sql and expect")
        for name, part in one.items():
            if not isinstance(part, str) or not part.strip() or "\0" in part:
                raise wrong(f"{key}[{index}].{name}", part, "a text")
    return tuple(dict(one) for one in value)


def retention(key: str, value: object) -> dict:
    if not isinstance(value, dict):
        raise wrong(key, value, "an object of kinds, each with days and keep_min")
    policies = dict(DEFAULT_RETENTION)
    for kind, policy in value.items():
        known_key(kind, set(KINDS), f"{key}.")
        if not isinstance(policy, dict):
            raise wrong(f"{key}.{kind}", policy, "an object with days and keep_min")
        for name in policy:
            known_key(name, {"days", "keep_min"}, f"{key}.{kind}.")
        policies[kind] = Retention(
            days=number(1, 36500)(f"{key}.{kind}.days", policy.get("days", policies[kind].days)),
            keep_min=number(1, 10000)(f"{key}.{kind}.keep_min", policy.get("keep_min", 1)),
        )
    return policies


def smoke(key: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise wrong(key, value, "a list of smoke tests, each with name and command, or with name, sql and expect")
    for index, one in enumerate(value):
        if isinstance(one, dict) and set(one) == {"name", "command"}:
            if not texts(f"{key}[{index}].command", one["command"]):
                raise wrong(f"{key}[{index}].command", one["command"], "a list of a program and its arguments")
        else:
            assertions(key, value[index : index + 1])
    return tuple(dict(one) for one in value)


def hooks(key: str, value: object) -> dict:
    if not isinstance(value, dict):
        raise wrong(key, value, f"an object with {', '.join(HOOK_POINTS)}")
    for point in value:
        known_key(point, set(HOOK_POINTS), f"{key}.")
    return {point: _hook_list(f"{key}.{point}", point, found) for point, found in value.items()}


def _hook_list(key: str, point: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise wrong(key, value, "a list of hooks, each with command, timeout and on_failure")
    policies = ("abort", "warn") if point.startswith("before_") else ("warn",)
    found = []
    for index, one in enumerate(value):
        where = f"{key}[{index}]"
        if not isinstance(one, dict) or "command" not in one:
            raise wrong(where, one, "an object with command, and maybe timeout and on_failure")
        for name in one:
            known_key(name, {"command", "timeout", "on_failure"}, f"{where}.")
        command = texts(f"{where}.command", one["command"])
        if not command or not command[0]:
            raise wrong(f"{where}.command", one["command"], "a list of a program and its arguments")
        timeout = number(1, 86400)(f"{where}.timeout", one.get("timeout", 60))
        policy = choice(*policies)(f"{where}.on_failure", one.get("on_failure", policies[0]))
        found.append({"command": command, "timeout": timeout, "on_failure": policy})
    return tuple(found)


def stores(key: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise wrong(key, value, "a list of stores, each with name and path")
    checked = tuple(store(f"{key}[{index}]", one) for index, one in enumerate(value))
    names = [one.name for one in checked]
    for name in names:
        if names.count(name) > 1:
            raise wrong(key, names, "a list of stores with different names")
    return checked


def store(key: str, value: object) -> Store:
    if not isinstance(value, dict) or "name" not in value:
        raise wrong(key, value, "an object with name and path")
    for name in value:
        known_key(name, set(_STORE), f"{key}.")
    checked = Store(**{name: _STORE[name](f"{key}.{name}", part) for name, part in value.items()})
    if checked.write_only and isinstance(checked.retention, dict):
        raise wrong(
            f"{key}.retention", value["retention"], "none where write_only is true: nothing can be listed there"
        )
    return checked


def store_name(key: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", value):
        raise wrong(key, value, "a name of at most 32 small letters, digits, _ and -, a letter first")
    return value


def store_path(key: str, value: object) -> str:
    if text(key, value) and ("\\" in value or ".." in value.split("/") or value != value.strip()):
        raise wrong(key, value, "a path without .. and \\")
    return value.rstrip("/") if value != "/" else value


def store_retention(key: str, value: object) -> Union[dict, str]:
    return value if value in ("", "none") else retention(key, value)


def bandwidth(key: str, value: object) -> str:
    """As rclone's --bwlimit: a rate such as 10M, up:down, or a timetable."""
    if text(key, value) and not re.fullmatch(r"[A-Za-z0-9.:,\- ]+", value):
        raise wrong(key, value, "a rate such as 10M (bytes per second), or a timetable as rclone's --bwlimit takes it")
    return value


_STORE = {
    "name": store_name,
    "path": store_path,
    "retention": store_retention,
    "bandwidth_limit": bandwidth,
    "write_only": flag,
    "timeout": number(1, 86400),
    "retries": number(0, 20),
}

CHECKS = {
    "app_dir": required_path,
    "application": text,
    "env_file": path,
    "database_url": text,
    "admin_url": text,
    "data_dir": path,
    "repository": path,
    "user": text,
    "schedules": schedules,
    "retention": retention,
    "compression": choice(*COMPRESSIONS),
    "fingerprint": choice(*FINGERPRINTS),
    "log": required_path,
    "pg_bindir": path,
    "lock_timeout": number(1, 86400),
    "jobs": number(1, 64),
    "app_services": texts,
    "keep_previous": number(0, 100),
    "restore_smoke": smoke,
    "restore_smoke_timeout": number(0, 3600),
    "drill": flag,
    "drill_schedule": optional_cron,
    "drill_assertions": assertions,
    "drill_dir": required_path,
    "drill_user": text,
    "drill_url": text,
    "drill_max_age": number(1, 36500),
    "drill_rto_target": number(0, 10**7),
    "drill_rpo_target": number(0, 10**8),
    "gpg_recipients": fingerprints,
    "gpg_sign_key": optional_fingerprint,
    "gpg_former_sign_keys": fingerprints,
    "gpg_home": required_path,
    "hooks": hooks,
    "alerts_config": path,
    "alert_mail": texts,
    "alert_success": flag,
    "heartbeat_url": web_address,
    "drill_heartbeat_url": web_address,
    "metrics_textfile": path,
    "nice": number(0, 19),
    "ionice": choice("", "idle", "best-effort"),
    "restore_toast_compression": choice("default", "lz4"),
    "offsite": stores,
    "rclone": path,
    "rclone_config": required_path,
    "language": choice("auto", *LANGUAGES),
}
