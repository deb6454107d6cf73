# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a single value may be, whatever its key: each takes key and value, and returns the value as the engine uses it.

What does not fit is a ConfigError that names the key.
"""

from __future__ import annotations

import difflib
import os
import re
import urllib.parse

from .errors import ConfigError

# Whose values are not repeated.
SECRET_KEYS = ("database_url", "admin_url", "drill_url", "heartbeat_url", "drill_heartbeat_url")


def known_key(key: str, known: set, where: str) -> None:
    """Raise ConfigError unless ``key`` is one of ``known``; ``where`` is what leads to it, such as ``retention.``."""
    if key not in known:
        near = difflib.get_close_matches(key, sorted(known), 1)
        raise ConfigError(
            f"configuration key {where}{key} is unknown",
            f"did you mean {where}{near[0]}?" if near else f"known are {', '.join(sorted(known))}",
        )


def wrong(key: str, value: object, wanted: str) -> ConfigError:
    """The error for a value that is not what is ``wanted``; secrets are not repeated."""
    shown = "********" if key in SECRET_KEYS else repr(value)
    return ConfigError(f"configuration key {key} is {shown}, but must be {wanted}", f"correct {key}")


def text(key: str, value: object) -> str:
    if not isinstance(value, str) or "\0" in value or "\n" in value or not is_unicode(value):
        raise wrong(key, value, "a text of one line")
    return value


def is_unicode(value: str) -> bool:
    """Whether it can be written at all; JSON's ``\\ud800`` alone cannot."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def path(key: str, value: object) -> str:
    if text(key, value) and not os.path.isabs(value):
        raise wrong(key, value, "an absolute path")
    return os.path.normpath(value) if value else value


def required_path(key: str, value: object) -> str:
    if not path(key, value):
        raise wrong(key, value, "an absolute path")
    return os.path.normpath(value)


def choice(*allowed: str):
    def check(key: str, value: object) -> str:
        if value not in allowed:
            raise wrong(key, value, f"one of {', '.join(allowed)}")
        return value

    return check


def number(low: int, high: int):
    def check(key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise wrong(key, value, f"a whole number from {low} to {high}")
        return value

    return check


def texts(key: str, value: object) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise wrong(key, value, "a list of texts")
    return tuple(text(f"{key}[{index}]", one) for index, one in enumerate(value))


def flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise wrong(key, value, "true or false")
    return value


def cron(key: str, value: object) -> str:
    fields = text(key, value).split()
    if len(fields) != 5:
        raise wrong(key, value, "five fields as in crontab(5)")
    return " ".join(fields)


def optional_cron(key: str, value: object) -> str:
    return cron(key, value) if value else text(key, value)


def fingerprint(key: str, value: object) -> str:
    """A key's full fingerprint; short IDs can be forged, and names can be anybody's."""
    written = text(key, value).replace(" ", "").upper()
    if re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", written) is None:
        raise wrong(key, value, "a full fingerprint of 40 hexadecimal digits")
    return written


def optional_fingerprint(key: str, value: object) -> str:
    return fingerprint(key, value) if value != "" else ""


def fingerprints(key: str, value: object) -> tuple:
    found = tuple(fingerprint(f"{key}[{index}]", one) for index, one in enumerate(texts(key, value)))
    if len(set(found)) != len(found):
        raise wrong(key, value, "a list without repetitions")
    return found


def web_address(key: str, value: object) -> str:
    try:
        parts = urllib.parse.urlsplit(text(key, value))
        fits = not value or (parts.scheme in ("http", "https") and bool(parts.hostname) and value.isascii())
        fits = fits and not re.search(r"\s", value) and (parts.port is None or parts.port > 0)
    except ValueError:
        fits = False
    if not fits:
        raise wrong(key, value, "an http or https URL")
    return value
