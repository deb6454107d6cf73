"""Whatever a real database has survives the round trip, and is proven; what changed meanwhile raises no alarm."""

from __future__ import annotations

import pytest

SOURCES = {
    "casts of varchar in a check": "CREATE TABLE t (s varchar(20) CHECK (s IN ('a', 'b')))",
    "casts of varchar in an index": "CREATE TABLE t (s varchar(9)); CREATE INDEX i ON t (s) WHERE s IN ('a', 'b')",
    "casts of varchar in a view": "CREATE TABLE t (s varchar(9));"
    " CREATE VIEW v AS SELECT 1 FROM t WHERE s IN ('a', 'b')",
    "casts of varchar in a domain": "CREATE DOMAIN d AS varchar(9) CHECK (VALUE IN ('a', 'b')); CREATE TABLE t (x d)",
    "a column that the parent got later": "CREATE TABLE p (a int); CREATE TABLE c (x int) INHERITS (p);"
    " ALTER TABLE p ADD b int; INSERT INTO c VALUES (1, 2, 3)",
    "a volatile materialized view": "CREATE TABLE t (a int); INSERT INTO t VALUES (1);"
    " CREATE MATERIALIZED VIEW m AS SELECT a, now() FROM t",
    "a materialized view of a stale one": "CREATE TABLE t (a int); INSERT INTO t VALUES (1);"
    " CREATE MATERIALIZED VIEW m1 AS SELECT a FROM t;"
    " CREATE MATERIALIZED VIEW m2 AS SELECT a FROM m1; INSERT INTO t VALUES (2)",
    "names that read alike": 'CREATE SCHEMA "a.b"; CREATE SCHEMA a; CREATE TABLE "a.b".c AS SELECT 1 x;'
    ' CREATE TABLE a."b.c" AS SELECT generate_series(1, 5) x',
    "no schema public": "DROP SCHEMA public CASCADE; CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 x",
    "a column named like our row": "CREATE TABLE t (mirai_row int, t text); INSERT INTO t VALUES (1, 'x')",
    "no columns": "CREATE TABLE t (); INSERT INTO t DEFAULT VALUES",
    "a descending sequence": "CREATE SEQUENCE s INCREMENT -3 MINVALUE -100 MAXVALUE 100 START 5; SELECT nextval('s')",
    "a rule, a policy, default rights": "CREATE TABLE t (a int); CREATE RULE r AS ON UPDATE TO t DO INSTEAD NOTHING;"
    " ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a > 1);"
    " ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_a_sound_source_is_restored_and_proven(app, source):
    app.server.psql(f'DROP OWNED BY "{app.database}" CASCADE', app.database)
    app.server.psql(f'ALTER SCHEMA public OWNER TO "{app.database}"', app.database)
    app.server.psql(f'GRANT ALL ON DATABASE "{app.database}" TO "{app.database}"')
    app.sql(source)
    app.succeed("backup", "--db-only")
    app.succeed("restore", "latest", "--db-only", "--to-database", f"{app.database} copy")


def test_sequences_and_functions_may_move_during_the_backup(app):
    app.sql("CREATE SEQUENCE public.moving; CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    app.sql("CREATE MATERIALIZED VIEW public.slow AS SELECT 1 AS x")
    run = app.start("backup", "--db-only")
    while run.poll() is None:
        app.sql("SELECT nextval('public.moving')")
    assert run.returncode == 0
    app.succeed("restore", "latest", "--db-only", "--to-database", f"{app.database} copy")


def test_thousands_of_tables_fit_into_the_servers_lock_table(app):
    for part in range(8):
        names = range(part * 250, part * 250 + 250)
        app.sql(";".join(f"CREATE TABLE public.t{n} (id int PRIMARY KEY, u int UNIQUE)" for n in names))
    app.succeed("backup", "--db-only")
    app.succeed("restore", "latest", "--db-only")


def test_two_file_names_that_look_alike(app):
    (app.data / "\\xff.json").write_text("[]")
    with open(bytes(app.data) + b"/\xff.json", "wb") as file:
        file.write(b"[1,")
    app.succeed("backup", "--json-only")
    app.succeed("verify")
    app.succeed("restore", "latest", "--json-only")


def test_a_failed_drill_takes_the_passed_one_back(app):
    app.succeed("backup")
    assert app.run("drill").code == 0, app.run("drill").out
    assert app.succeed("restore", "latest-verified", "--plan").code == 0
    artifact = next((app.repository / "full").glob("*.tar.gz"))
    content = bytearray(artifact.read_bytes())
    content[-100] ^= 1
    artifact.write_bytes(content)
    assert app.run("drill").code == 2
    assert app.run("restore", "latest-verified", "--plan").code == 10
    assert app.run("drill", "latest-verified").code == 10
