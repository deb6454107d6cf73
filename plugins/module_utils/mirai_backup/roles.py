# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings back roles that a server lacks, and only those, out of the globals that lie beside a dump."""

from __future__ import annotations

import re
from typing import Iterable

from . import compression, process, unlock, verify
from .command import Command
from .errors import MismatchError
from .hashed import HashedReader
from .postgres import identifier
from .repository import Backup
from .target import DatabaseTarget

# A statement of pg_dumpall on one line. Whatever holds a backslash could be a command to psql and is never run.
_ROLE = r'(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)'
_STATEMENT = re.compile(
    rf"(?:CREATE ROLE (?P<created>{_ROLE})|ALTER ROLE (?P<altered>{_ROLE}) WITH [^;]+"
    rf"|GRANT {_ROLE} TO (?P<member>{_ROLE})(?: WITH [A-Z, ]+)?)(?: GRANTED BY {_ROLE})?;"
)


def missing(target: DatabaseTarget, wanted: Iterable[str]) -> tuple[str, ...]:
    """The roles of ``wanted`` that the server does not have."""
    there = {row["name"] for row in target.query("SELECT rolname AS name FROM pg_roles")}
    return tuple(name for name in wanted if name not in there)


def may_create(target: DatabaseTarget) -> bool:
    """Whether the role that we are may create others."""
    sql = "SELECT rolsuper OR rolcreaterole AS may FROM pg_roles WHERE rolname = current_user"
    return target.query(sql)[0]["may"]


def statements(content: str, names: Iterable[str]) -> list[str]:
    """The statements of the globals ``content`` that make the roles ``names``; all others are left out."""
    wanted = set(names)
    chosen = []
    for line in content.splitlines():
        match = _STATEMENT.fullmatch(line)
        if match is None or "\\" in line:
            continue
        role = _unquoted(next(one for one in match.groupdict().values() if one is not None))
        if role in wanted:
            chosen.append(line)
    return chosen


def create(
    target: DatabaseTarget, backup: Backup, names: tuple[str, ...], decryption: tuple[Command, ...] = ()
) -> list[str]:
    """Create the roles ``names`` as the backup's globals describe them; returns what the operator must know.

    A role that the globals do not describe is made without the right to log in. ``decryption`` is what ``unlock``
    gives for the backup.
    """
    if not names:
        return []
    lines = statements(_globals(backup, decryption), names)
    described = {_unquoted(line.split(" ", 2)[2].rstrip(";")) for line in lines if line.startswith("CREATE ROLE ")}
    lines = [f"CREATE ROLE {identifier(name)};" for name in names if name not in described] + lines
    grants = [line for line in lines if line.startswith("GRANT ")]
    target.execute("BEGIN;\n" + "\n".join([line for line in lines if line not in grants] + grants) + "\nCOMMIT")
    with_password = {line.split(" WITH ")[0] for line in lines if " PASSWORD '" in line}
    return [
        f"role {name} was created" + ("" if _has_password(name, with_password) else " without a password: set one")
        for name in names
    ]


def _has_password(name: str, altered: set) -> bool:
    return any(_unquoted(one[len("ALTER ROLE ") :]) == name for one in altered)


def _globals(backup: Backup, decryption: tuple[Command, ...]) -> str:
    """The decoded globals of the backup."""
    part = backup.manifest.part("globals")
    if part is None:
        return ""
    blocks: list = []

    def decode(raw: HashedReader) -> None:
        stages, source = compression.decoded(part.name, raw.pour, decryption)
        process.pump(stages, blocks.append, source)
        if not raw.matches(part):
            raise MismatchError(f"{part.name} of {backup.id} is damaged: {raw.difference(part)}")

    if backup.manifest.kind != "full":
        with open(backup.artifact_path(part.name), "rb") as file:
            decode(HashedReader(file))
    else:
        with open(backup.path, "rb") as file:
            with unlock.opened(backup.path, HashedReader(file), decryption) as archive:
                for member, content in verify.members(archive, backup.manifest):
                    if member.role == "globals":
                        decode(HashedReader(content))
    return b"".join(blocks).decode("utf-8", "surrogateescape")


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
