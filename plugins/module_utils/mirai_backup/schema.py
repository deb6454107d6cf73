# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An inventory of a database's schema: every object by name, with a short digest of its definition."""

from __future__ import annotations

import hashlib
import re

from .postgres import Session
from .schema_classes import CLASSES, DEPARSED, ONE_MAJOR

# A server prints ARRAY['a'::varchar]::text[] as ARRAY[('a'::varchar)::text] once it has been dumped and restored.
_CAST = re.compile(
    r"::(?:\"[^\"]+\"|[a-z_][a-z_0-9.]*)(?: varying| precision| with(?:out)? time zone)?(?:\(\d+(?:,\d+)?\))?(?:\[\])*"
)
_NOISE = re.compile(r"[\s()]+")


def inventory(session: Session) -> dict:
    """Every object as ``class name`` → 16 hex digits of its definition's SHA-256."""
    found = {}
    for kind, sql in CLASSES.items():
        for row in session.query(sql):
            definition = row["definition"] or ""
            if kind in DEPARSED:
                definition = _NOISE.sub("", _CAST.sub("", definition))
            digest = hashlib.sha256(definition.encode("utf-8", "surrogateescape"))
            found[f"{kind} {row['name']}"] = digest.hexdigest()[:16]
    return found


def differences(expected: dict, found: dict, same_major: bool) -> list[str]:
    """The objects that are missing, new or defined otherwise.

    Between majors the definitions that a server prints do not count, nor do classes that the other one lacks.
    """
    lines = [f"{name} is missing" for name in sorted(set(expected) - set(found))]
    lines += [f"{name} is there, but was not in the snapshot" for name in sorted(set(found) - set(expected))]
    for name in sorted(set(expected) & set(found)):
        if expected[name] != found[name] and (same_major or name.split(" ", 1)[0] not in ONE_MAJOR):
            lines.append(f"{name} is defined otherwise")
    return lines
