"""The digests of rows on a real server: what is a change and what is none, and those that older engines took."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
from mirai_backup import clients, dburl, fingerprint, postgres

TABLE = """
CREATE DOMAIN words AS text; CREATE TYPE pair AS (a text, b int);
CREATE TABLE parent (id int, note varchar(40)); ALTER TABLE parent DROP note; ALTER TABLE parent ADD note varchar(40);
CREATE TABLE child (more text) INHERITS (parent);
CREATE TABLE texts (id int, "Te xt" text, short varchar(9), fixed char(9), j json, jb jsonb, raw bytea, dom words,
                    list text[], two pair, at timestamptz, n numeric, "end" name);
INSERT INTO texts SELECT n, 'bridge ' || n, 'v' || n, 'c' || n, '{"n": 1}', '{"n": 1}', decode('00ff', 'hex'), 'd' || n,
  ARRAY['a,b', 'c"d', NULL], ('x', n)::pair, '2026-01-01', 1.50, 'n' FROM generate_series(1, 9) n;
INSERT INTO texts ("Te xt", fixed) VALUES (NULL, NULL), ('', '');
INSERT INTO child SELECT n, 'note', 'more' FROM generate_series(1, 9) n;
"""
CHANGES = {
    "NULL is not empty": """UPDATE texts SET "Te xt" = '' WHERE "Te xt" IS NULL""",
    "empty is not NULL": """UPDATE texts SET "Te xt" = NULL WHERE "Te xt" = ''""",
    "a space more": """UPDATE texts SET "Te xt" = "Te xt" || ' ' WHERE id = 1""",
    "two rows swap a text": """UPDATE texts SET "Te xt" = 'bridge ' || 3 - id WHERE id IN (1, 2)""",
    "two columns swap their texts": """UPDATE texts SET "Te xt" = short, short = "Te xt" WHERE id = 1""",
    "white space of json": "UPDATE texts SET j = '{\"n\":1}' WHERE id = 1",
    "a value of jsonb": "UPDATE texts SET jb = '{\"n\": 2}' WHERE id = 1",
    "a bit of bytea": "UPDATE texts SET raw = '\\x00fe' WHERE id = 1",
    "no bytes are not NULL": "UPDATE texts SET raw = '' WHERE raw IS NULL AND \"Te xt\" = ''",
    "a domain": "UPDATE texts SET dom = 'd' WHERE id = 1",
    "an array": "UPDATE texts SET list = ARRAY['a', 'b', 'c\"d', NULL] WHERE id = 1",
    "a composite": "UPDATE texts SET two = ('x ', 1)::pair WHERE id = 1",
    "a moment": "UPDATE texts SET at = at + interval '1 microsecond' WHERE id = 1",
    "a digit that is none": "UPDATE texts SET n = 1.5 WHERE id = 1",
    "a row twice, another never": 'UPDATE texts t SET (id, "Te xt", short, fixed, dom, two) ='
    ' (SELECT id, "Te xt", short, fixed, dom, two FROM texts WHERE id = 2) WHERE id = 1',
}
OLDER = """
import sys
from mirai_backup import cli, fingerprint
take = fingerprint.take
def older(session, mode, version_num, early=None):
    found = take(session, mode, version_num, early, 1)
    del found["formula"]
    return found
fingerprint.take = older
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture
def loaded(app):
    app.sql(TABLE)
    return app


def taken(app, formula: int) -> dict:
    connection = dataclasses.replace(dburl.parse(app.server.admin_url), database=app.database)
    with postgres.Session(clients.newest(app.server.bindir), connection) as session:
        return fingerprint.take(session, "full", 150000, None, formula)


@pytest.mark.parametrize("formula", [1, fingerprint.FORMULA])
def test_every_change_of_a_row_is_seen_and_nothing_else(loaded, formula):
    before = taken(loaded, formula)
    for change, statement in CHANGES.items():
        loaded.sql(f"CREATE TABLE kept AS SELECT * FROM texts; {statement}")
        after = taken(loaded, formula)
        after["tables"].pop("public.kept")
        after["schema"] = before["schema"]
        rows = before["tables"]["public.texts"]["rows"]
        seen = fingerprint.differences(before, after)
        assert seen == [f"table public.texts has other content in its {rows} rows"], change
        loaded.sql("TRUNCATE texts; INSERT INTO texts SELECT * FROM kept ORDER BY random(); DROP TABLE kept")
        assert fingerprint.differences(before, taken(loaded, formula)) == [], f"undone: {change}"


def test_columns_of_a_child_may_come_in_another_order(loaded):
    before = taken(loaded, fingerprint.FORMULA)
    loaded.sql(
        "CREATE TABLE kept AS SELECT * FROM child; DROP TABLE child; CREATE TABLE child (more text) INHERITS (parent);"
        " ALTER TABLE child NO INHERIT parent; ALTER TABLE child DROP id; ALTER TABLE child ADD id int;"
        " ALTER TABLE child INHERIT parent; INSERT INTO child (id, note, more) SELECT id, note, more FROM kept;"
        " DROP TABLE kept"
    )
    assert taken(loaded, fingerprint.FORMULA)["tables"] == before["tables"]


def test_a_backup_of_an_older_engine_is_restored_and_drilled_with_proof(loaded):
    argv = [sys.executable, "-c", OLDER, *loaded.argv("backup", "--db-only")[3:]]
    subprocess.run(argv, env=loaded.environment(), capture_output=True, timeout=60, check=True)
    restored = loaded.succeed("--json", "restore", "latest", "--db-only").document
    assert restored["proof"]["database"]["verdict"] == "pass"
    assert restored["proof"]["database"]["rows"] > 0
    drilled = loaded.succeed("--json", "drill", "latest").document
    assert {one["name"]: one["verdict"] for one in drilled["checks"]}["tables"] == "pass", drilled["checks"]
