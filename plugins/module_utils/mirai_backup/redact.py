# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Takes secrets, in the encodings they are likely to appear in, and values of rows out of what people or logs see."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse

MASK = "********"
# Where PostgreSQL's messages quote what a row holds; a message of several lines may have been joined with " / ".
_REST = r"(?:(?! / |\n).)*"
_ROWS = (
    (re.compile(r"(Key \([^)]*\)=)\(" + _REST), r"\1(…)"),
    (re.compile(r"(Failing row contains )" + _REST), r"\1(…)"),
    (re.compile(r"(COPY \S+, line \d+(?:, column [^:]*)?: )" + _REST), r"\1…"),
    (re.compile(r"(invalid input (?:syntax|value) for (?:type )?[^:]*: )" + _REST), r"\1…"),
    (re.compile(r'(value )"[^"]*"( is out of range)'), r"\1…\2"),
    (re.compile(r"(DETAIL:\s+Token )" + _REST), r"\1…"),
    (re.compile(r"(unnamed portal with parameters: )" + _REST), r"\1…"),
)


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """Return ``text`` with every secret, plain or encoded, replaced by asterisks."""
    forms = set().union(*(_forms(secret) for secret in secrets))
    for form in sorted(forms, key=len, reverse=True):  # a secret may be a part of another one
        text = text.replace(form, MASK)
    return text


def without_rows(text: str) -> str:
    """Return ``text``, an error of PostgreSQL's, without the values of rows that it quotes."""
    for pattern, kept in _ROWS:
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
