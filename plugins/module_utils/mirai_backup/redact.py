# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Takes secrets out of text that people or logs will see, in the encodings they are likely to appear in."""

from __future__ import annotations

import base64
import json
import urllib.parse

MASK = "********"


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """Return ``text`` with every secret, plain or encoded, replaced by asterisks."""
    forms = set().union(*(_forms(secret) for secret in secrets))
    for form in sorted(forms, key=len, reverse=True):  # a secret may be a part of another one
        text = text.replace(form, MASK)
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
