# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads one value out of an application's `.env` file, as data: nothing in it is ever executed."""

from __future__ import annotations

import re

from .errors import ConfigError

_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$")
_ESCAPES = dict(zip("abfnrtv'\"\\", "\a\b\f\n\r\t\v'\"\\"))


def read_value(path: str, key: str) -> str:
    """Return the value of ``key`` in the file at ``path``; the last assignment counts, as for the application.

    Raises ConfigError when the file cannot be read, lacks the key, or writes it in a way that could be
    understood in two ways. The value itself never appears in a message.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().split("\n")  # other characters that end lines elsewhere may be in a value
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(
            f"env file {path} cannot be read: {reason}", "correct env_file, or set database_url"
        ) from error
    value = None
    for number, line in enumerate(lines, 1):
        match = _ASSIGNMENT.match(line)
        if match and match.group(1) == key:
            value = _unquote(match.group(2).strip(), f"{path} line {number}, {key}")
    if value and re.search(r"\$\{[^}]*\}", value):
        raise ConfigError(
            f"env file {path}: {key} refers to another variable", "write the value out, or set database_url"
        )
    if not value:
        raise ConfigError(f"env file {path} has no {key}", f"add {key}=postgresql://…, or set database_url")
    return value


def _unquote(text: str, where: str) -> str:
    """Take off quotes and a trailing comment, as python-dotenv does. Raises ConfigError naming ``where``."""
    if text[:1] not in ("'", '"'):
        return re.split(r"\s#", text, maxsplit=1)[0].rstrip()
    quote = text[0]
    content = re.match(r"'((?:\\.|[^'\\])*)'" if quote == "'" else r'"((?:\\.|[^"\\])*)"', text)
    rest = text[content.end() :].strip() if content else ""
    if content is None or (rest and not rest.startswith("#")):
        raise ConfigError(f"{where}: the quotes do not match", "write the value in one pair of quotes")
    if quote == "'":
        return re.sub(r"\\(['\\])", r"\1", content.group(1))
    return re.sub(r"\\(.)", lambda one: _ESCAPES.get(one.group(1), one.group(0)), content.group(1))
