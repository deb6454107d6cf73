# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Takes secrets, in the encodings they are likely to appear in, and values of rows out of what people or logs see."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse

MASK = "********"
# Where a value that PostgreSQL's messages quote ends: with its line, and the lines that are no message of their own,
# or, where the lines were joined already, at the next " / ".
_MESSAGE = r"(?:ERROR|FATAL|PANIC|WARNING|NOTICE|DETAIL|HINT|CONTEXT|QUERY|STATEMENT|LOCATION|LINE \d+|Command was):"
_TO_NEXT = rf"[^\n]*(?:\n(?!{_MESSAGE}|pg_\w+:|psql:)[^\n]*)*"
_TO_SLASH = r"(?:(?! / |\n).)*"


def _rows(rest: str) -> tuple:
    """Where the messages quote what a row holds, to ``rest``, and what is left of them."""
    return (
        (re.compile(r"(Key \(.*?\)=)\(" + rest), r"\1(…)"),
        (re.compile(r"(Failing row contains )" + rest), r"\1(…)"),
        (re.compile(r"(COPY \S+, line \d+(?:, column [^:]*)?: )" + rest), r"\1…"),
        (re.compile(r"(invalid input (?:syntax|value) for (?:type )?[^:]*: )" + rest), r"\1…"),
        (re.compile(r'(value )"[^"]*"( is out of range)'), r"\1…\2"),
        (re.compile(r"(DETAIL:\s+Token )" + rest), r"\1…"),
        (re.compile(r"(unnamed portal with parameters: )" + rest), r"\1…"),
    )


_IN_LINES, _IN_WORDS = _rows(_TO_NEXT), _rows(_TO_SLASH)


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """Return ``text`` with every secret, plain or encoded, replaced by asterisks."""
    forms = set().union(*(_forms(secret) for secret in secrets))
    for form in sorted(forms, key=len, reverse=True):  # a secret may be a part of another one
        text = text.replace(form, MASK)
    return text


def without_rows(text: str, joined: bool = True) -> str:
    """Return ``text``, an error of PostgreSQL's, without the values of rows that it quotes.

    Its lines are as the server sent them, or ``joined`` with " / ", as after a first such call.
    """
    for pattern, kept in _IN_WORDS if joined else _IN_LINES:
        text = pattern.sub(kept, text)
    return text


def _forms(secret: str) -> set:
    """The spellings under which ``secret`` may turn up; too short ones would mangle innocent text."""
    raw = secret.encode("utf-8", "surrogateescape")
    forms = {
        secret,
        urllib.parse.quote(raw, safe=""),
        urllib.parse.quote(raw),
        urllib.parse.quote_plus(raw),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace("'", "''"),
        secret.replace("\\", "\\\\").replace("'", "\\'"),
        base64.b64encode(raw).decode("ascii"),
    }
    return {form for form in forms if len(form) >= 3}
