# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The negative control: a copy is damaged on purpose, and the drill's own checks must find it out."""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import replace
from typing import Iterator, Optional

from . import filesproof, fingerprint, manifest, postgres, relations, verify
from .command import Command
from .config import Config
from .errors import EngineError, MismatchError
from .postgres import identifier
from .repository import Backup
from .target import DatabaseTarget
from .watch import Observer

DAMAGES = ("truncation", "flipped_bytes", "row_changed", "file_dropped")
# What must be said of an artifact that was damaged at a byte.
_SEEN = {
    "truncation": lambda place: f"{place} bytes instead of",
    "flipped_bytes": lambda _place: "its SHA-256 is not the manifest's",
}


def run(
    config: Config,
    backup: Backup,
    work: str,
    turn: int,
    target: Optional[DatabaseTarget],
    database: str,
    staged: Optional[str],
    decryption: tuple[Command, ...] = (),
) -> dict:
    """Do one of ``DAMAGES``, another at every ``turn``, and look whether it is found.

    The restored database and directory are spoilt by it: call it last. Returns damage, where, verdict, found_by.
    """
    chance = random.Random(turn)
    for offset in range(len(DAMAGES)):
        damage = DAMAGES[(turn + offset) % len(DAMAGES)]
        if damage in ("truncation", "flipped_bytes"):
            return _artifact(config, backup, work, damage, chance, decryption)
        if damage == "row_changed" and target is not None and backup.manifest.database["fingerprint"] is not None:
            result = _row(backup, target, database, chance)
        elif damage == "file_dropped" and staged is not None:
            result = _file(backup, staged, chance)
        else:
            continue
        if result is not None:
            return result
    raise EngineError("no damage could be done for the negative control")


def _artifact(
    config: Config, backup: Backup, work: str, damage: str, chance: random.Random, decryption: tuple[Command, ...]
) -> dict:
    """Damage a copy of the main artifact and verify it."""
    copy = os.path.join(work, os.path.basename(backup.path))
    size = os.path.getsize(backup.path)
    place = chance.randrange(size)
    directory = os.path.dirname(copy)
    shutil.copyfile(backup.path, copy)
    for artifact in backup.manifest.artifacts[1:]:
        shutil.copyfile(backup.artifact_path(artifact.name), os.path.join(directory, artifact.name))
    shutil.copyfile(backup.manifest_path, copy + manifest.SUFFIX)
    if damage == "truncation":
        os.truncate(copy, place)
    else:
        with open(copy, "r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ (1 << chance.randrange(8))]))
    damaged = replace(backup, manifest_path=copy + manifest.SUFFIX)
    where = f"byte {place} of {size} of {os.path.basename(copy)}"
    try:
        verify.check(config, damaged, Observer(), decryption)
    except MismatchError as error:
        # Some other complaint would show nothing of the damage.
        found = error.message.startswith(f"{os.path.basename(copy)} is damaged: {_SEEN[damage](place)}")
        return _result(damage, where, error.message, found)
    finally:
        os.unlink(copy)
    return _result(damage, where, "", False)


def _row(backup: Backup, target: DatabaseTarget, database: str, chance: random.Random) -> Optional[dict]:
    """Change one value of one row in the restored database and take that table's fingerprint again."""
    expected = backup.manifest.database["fingerprint"]
    candidates = list(_columns(target, database, expected))
    chance.shuffle(candidates)
    for column in candidates[:50]:
        table = f"{identifier(column['schema'])}.{identifier(column['table'])}"
        name, value = identifier(column["column"]), column["changed"].format(identifier(column["column"]))
        try:
            changed = target.execute(
                "SET session_replication_role = replica; "
                f"UPDATE ONLY {table} SET {name} = {value}"
                f" WHERE ctid = (SELECT ctid FROM ONLY {table} WHERE {name} IS NOT NULL LIMIT 1) RETURNING 'changed'",
                database,
            )
        except EngineError:
            continue  # a constraint will not have it: try another column
        if "changed" not in changed:
            continue  # there are only NULLs in it
        with postgres.Session(target.clients, target.on(database)) as session:
            found = fingerprint.take_alone(session, expected, target.server.version_num)
        lines = [line for line in fingerprint.differences(expected, found) if column["table"] in line]
        where = f"one value of {column['schema']}.{column['table']}.{column['column']}"
        return _result("row_changed", where, lines[0] if lines else "", bool(lines))
    return None


def _columns(target: DatabaseTarget, database: str, expected: dict) -> Iterator[dict]:
    """Columns whose values are easily changed, in tables that have rows."""
    if expected["mode"] != "full":
        return
    sql = (
        "SELECT n.nspname AS schema, c.relname AS table, a.attname AS column,"
        " CASE t.typname WHEN 'text' THEN '{0} || ''x''' WHEN 'bool' THEN 'NOT {0}' ELSE '{0} + 1' END AS changed"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_type t ON t.oid = a.atttypid WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'"
        " AND a.attgenerated = '' AND t.typname IN ('text', 'bool', 'int4', 'int8') ORDER BY 1, 2, 3"
    )
    for row in target.query(sql, database):
        key = relations.name({"schema": row["schema"], "name": row["table"]})
        if expected["tables"].get(key, {}).get("rows"):
            yield row


def _file(backup: Backup, staged: str, chance: random.Random) -> Optional[dict]:
    """Remove one restored file and compare the directory again."""
    entries = manifest.read_entries(backup.manifest_path, backup.manifest)
    chosen = None
    for number, entry in enumerate(one for one in entries if one.type == "file"):
        if chance.randrange(number + 1) == 0:
            chosen = entry
    if chosen is None:
        return None
    os.unlink(os.path.join(staged, chosen.path))
    lines = filesproof.differences(staged, manifest.read_entries(backup.manifest_path, backup.manifest))
    found = [line for line in lines if chosen.shown in line]
    return _result("file_dropped", chosen.shown, found[0] if found else "", bool(found))


def _result(damage: str, where: str, said: str, found: bool) -> dict:
    """``said`` is what the checks said of the copy, ``found`` whether it is the damage that they named."""
    verdict = "pass" if found else "fail"
    return {"damage": damage, "where": where, "verdict": verdict, "found_by": said or "nothing found it"}
