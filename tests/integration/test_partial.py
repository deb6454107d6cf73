"""Single tables and files come back beside the live ones."""

from __future__ import annotations


def test_tables_come_back_in_a_schema_of_their_own(app):
    app.sql('CREATE TABLE auth."表.x" (id int, level public.severity); INSERT INTO auth."表.x" VALUES (1, \'重大\')')
    app.succeed("backup")
    before = app.sql("SELECT k::text FROM public.knowledge k ORDER BY id")
    app.sql("UPDATE public.knowledge SET title = 'x'")
    now = app.content()
    document = app.succeed(
        "--json", "restore", "latest", "--table", "public.knowledge", "--table", 'auth."表.x"'
    ).document
    assert app.content() == now
    schema = document["schema"]
    assert app.sql(f"SELECT k::text FROM {schema}.knowledge k ORDER BY id") == before
    assert app.sql(f'SELECT level FROM {schema}."表.x"') == "重大"
    app.sql(f"UPDATE public.knowledge k SET title = r.title FROM {schema}.knowledge r WHERE r.id = k.id")
    assert app.sql("SELECT k::text FROM public.knowledge k ORDER BY id") == before
    names = app.server.psql(f"SELECT datname FROM pg_database WHERE datname LIKE '{app.database}%'").splitlines()
    assert names == [app.database]


def test_files_come_back_in_a_directory_of_their_own(app):
    (app.data / "deep").mkdir()
    (app.data / "deep" / "e1.json").write_text("[1]")
    app.succeed("backup")
    (app.data / "experts.json").write_text("[]")
    document = app.succeed("--json", "restore", "latest", "--file", "e*.json").document
    assert document["files"] == ["deep/e1.json", "experts.json"]
    directory = app.backend / document["directory"].rsplit("/", 1)[1]
    assert (directory / "experts.json").read_text() != "[]"
    assert sorted(one.name for one in directory.rglob("*") if one.is_file()) == ["e1.json", "experts.json"]
    assert (app.data / "experts.json").read_text() == "[]"


def test_what_the_backup_does_not_hold_is_named(app):
    app.succeed("backup")
    table = app.run("restore", "latest", "--table", "public.knowlege")
    assert (table.code, "the nearest: public.knowledge" in table.err) == (10, True)
    assert app.run("restore", "latest", "--file", "nothing*").code == 10
    assert app.succeed("restore", "latest", "--table", "public.knowledge", "--plan").out.count("public.knowledge") == 1
