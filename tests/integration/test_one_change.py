"""One changed character anywhere in the restored content is found, and its table or file is named; nothing else is."""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from application import Application
from mirai_backup import clients, dburl, filesproof, fingerprint, manifest, postgres, relations, repository

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
CHANGES = 25

COLUMNS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname IN ('public', 'auth', 'audit') AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attgenerated = '' ORDER BY 1, 2, 3
"""
# Puts one other character into the text of one value; gives nothing back where that is no value of the type.
ATTEMPT = """
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.attempt(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE done text; BEGIN EXECUTE sql INTO done; RETURN done; EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$;
SELECT pg_temp.attempt($attempt$
  UPDATE ONLY {table} SET {column} = {changed} WHERE ctid = (SELECT ctid FROM ONLY {table} WHERE {column} IS NOT NULL
    OFFSET {draw} % greatest(1, (SELECT count({column}) FROM ONLY {table})) LIMIT 1)
    AND {changed}::text IS DISTINCT FROM {column}::text RETURNING 'changed'$attempt$)
"""
CHANGED = "overlay({column}::text placing '{put}' from 1 + {draw} % greatest(1, length({column}::text)) for 1)::{type}"


@pytest.fixture(scope="module")
def restored(tmp_path_factory, server):
    """A generated application's backup, restored beside it: the sealed backup, the database's name, the directory."""
    app = Application(tmp_path_factory.mktemp("one_change"), server, "mirai one change").create()
    sql, data = app.directory / "app.sql", app.data
    generate = [sys.executable, FIXTURES / "generate.py", "--scale", "300K", "--sql", sql, "--data-dir", data / "more"]
    subprocess.run([str(word) for word in generate], check=True)
    app.server.psql(f'DROP DATABASE "{app.database}"')
    app.server.psql(f'CREATE DATABASE "{app.database}" OWNER "{app.database}"')
    app.sql(sql.read_text())
    app.succeed("backup")
    copy, directory = f"{app.database} copy", app.directory / "copy"
    app.succeed("restore", "latest", "--to-database", copy, "--to-dir", str(directory))
    (backup,) = repository.listing(str(app.repository)).good()
    yield backup, copy, directory
    for name in (copy, app.database):
        server.psql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.psql(f'DROP ROLE "{app.database}"')


def differences(server, backup, database: str) -> list[str]:
    """What the proof says of the database."""
    expected = backup.manifest.database["fingerprint"]
    connection = dataclasses.replace(dburl.parse(server.admin_url), database=database)
    with postgres.Session(clients.newest(server.bindir), connection) as session:
        found = fingerprint.take(session, "full", expected["server_major"] * 10000)
    return fingerprint.differences(expected, found)


def test_unchanged_nothing_differs(server, restored):
    backup, database, directory = restored
    assert differences(server, backup, database) == []
    assert filesproof.differences(str(directory), manifest.read_entries(backup.manifest_path, backup.manifest)) == []


@pytest.mark.parametrize("seed", range(CHANGES))
def test_a_changed_character_of_a_value_is_found(server, restored, seed):
    backup, database, _directory = restored
    chance = random.Random(seed)
    name = f"{database} changed"
    server.psql(f'CREATE DATABASE "{name}" TEMPLATE "{database}"')
    try:
        table, place = change_one_value(server, name, chance)
        (found,) = differences(server, backup, name)
        rows = backup.manifest.database["fingerprint"]["tables"][table]["rows"]
        assert found == f"table {table} has other content in its {rows} rows", place
    finally:
        server.psql(f'DROP DATABASE "{name}"')


def change_one_value(server, database: str, chance: random.Random) -> tuple[str, str]:
    """Change one character of a value chosen by ``chance``; returns the table, and the place for the report."""
    columns = [line.split("|") for line in server.psql(COLUMNS, database).splitlines()]
    for _attempt in range(200):
        schema, table, column, kind = chance.choice(columns)
        words = {
            "table": f"{postgres.identifier(schema)}.{postgres.identifier(table)}",
            "column": postgres.identifier(column),
            "type": kind,
            "put": chance.choice("0123456789abcdefxyz橋 t"),
            "draw": chance.randrange(10**6),
        }
        if server.psql(ATTEMPT.format(**words, changed=CHANGED.format(**words)), database) == "changed":
            return relations.name({"schema": schema, "name": table}), f"{words}"
    raise AssertionError("no value could be changed")


@pytest.mark.parametrize("seed", range(CHANGES))
def test_a_changed_byte_of_a_file_is_found(restored, seed):
    backup, _database, directory = restored
    chance = random.Random(seed)
    entries = list(manifest.read_entries(backup.manifest_path, backup.manifest))
    entry = chance.choice([one for one in entries if one.type == "file" and one.size])
    path = directory / entry.path
    content, status = path.read_bytes(), path.stat()
    position = chance.randrange(len(content))
    flipped = bytes([content[position] ^ 1 << chance.randrange(8)])
    try:
        path.write_bytes(content[:position] + flipped + content[position + 1 :])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        (found,) = filesproof.differences(str(directory), iter(entries))
        assert entry.shown in found
        assert "sha256" in found
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
