"""partial: single files and tables come beside the live ones, and nothing else is there afterwards."""

import os

import pytest
from mirai_backup import backup, partial, process, repository, restore, restores, side
from mirai_backup.errors import EngineError, MismatchError, NotFoundError, PreflightError, ProcessError
from mirai_backup.restore import Request
from stand_in import Answers, Target


@pytest.fixture
def settings(settings_of):
    return settings_of()


@pytest.fixture
def data(settings, tmp_path):
    """Three files in two directories, backed up; returns the data directory."""
    root = tmp_path / "app/backend/data"
    (root / "sub").mkdir()
    (root / "empty").mkdir()
    for name in ("a.json", "sub/b.json", "sub/c.txt"):
        (root / name).write_text(name)
    backup.run(settings, "json")
    return root


def test_the_files_that_match_and_no_others(settings, data, contents):
    before = contents(data)
    outcome = restore.run(settings, Request(files=("b.*",)))
    directory = outcome.document["directory"]
    assert outcome.document["files"] == ["sub/b.json"]
    assert contents(directory) == {"sub": None, "sub/b.json": b"sub/b.json"}
    assert outcome.lines[-1] == f"  file   {directory}/sub/b.json"
    assert contents(data) == before
    assert restores.journals(settings.repository) == []


@pytest.mark.parametrize(
    ("pattern", "files"),
    [("*.json", ["a.json", "sub/b.json"]), ("sub/*", ["sub/b.json", "sub/c.txt"]), ("a.json", ["a.json"])],
)
def test_patterns_are_of_the_path_or_of_the_name(settings, data, pattern, files):
    plan = restore.plan(settings, Request(files=(pattern,)))
    assert sorted(plan.document["plan"]["files"]) == files
    assert all(f"file       {one}" in plan.lines for one in files)


def test_a_pattern_that_matches_nothing_is_an_error(settings, data):
    with pytest.raises(NotFoundError, match=r"holds no file \*.pdf") as caught:
        restore.run(settings, Request(files=("*.pdf",)))
    assert "in quotes" in caught.value.next_step


def test_files_that_came_out_otherwise_are_not_handed_out(settings, data, monkeypatch):
    monkeypatch.setattr(partial.filesproof, "differences", lambda *_arguments: ["data/a.json has other content"])
    with pytest.raises(MismatchError, match="not what was backed up: data/a.json has other content"):
        restore.run(settings, Request(files=("a.json",)))
    assert sorted(os.listdir(data.parent)) == ["backups", "data"]
    assert restores.journals(settings.repository) == []


@pytest.fixture
def tables_backup(repo, sealed, head_of):
    """A database backup whose fingerprint knows two tables."""
    tables = {"auth.users": {"rows": 1, "digest": "1"}, "public.knowledge": {"rows": 2, "digest": "2"}}
    found = {"mode": "full", "server_major": 15, "tables": tables, "sequences": {}, "large_objects": None, "schema": {}}
    database = {**head_of("database").database, "fingerprint": found}
    sealed("database", database=database)
    return repository.listing(repo).backups[0]


def test_an_unknown_table_is_answered_with_the_nearest(settings, tables_backup):
    with pytest.raises(NotFoundError, match="holds no table auth.user$") as caught:
        restore.plan(settings, Request(tables=("auth.user",)))
    assert "the nearest: auth.users" in caught.value.next_step
    with pytest.raises(NotFoundError) as caught:
        restore.plan(settings, Request(tables=("zzz",)))
    assert "auth.users, public.knowledge" in caught.value.next_step


def test_the_plan_names_the_tables(settings, tables_backup):
    plan = restore.plan(settings, Request(tables=("auth.users",)))
    assert plan.document["plan"]["tables"] == ["auth.users"]
    assert plan.lines == (f"backup     {tables_backup.id}", "table      auth.users")


def test_tables_take_the_right_to_make_a_side_database(settings, monkeypatch):
    monkeypatch.setattr(partial.targets, "find", lambda _config: Target(in_place=True))
    with pytest.raises(PreflightError, match="may not create databases, which restoring single tables needs"):
        partial._place(settings)
    monkeypatch.setattr(partial.targets, "find", lambda _config: Target())
    assert partial._place(settings).live == "mirai"


def test_a_journal_lets_a_dead_run_be_cleared(settings, tables_backup):
    journal = partial._journal(settings, tables_backup, "20261124_020000", Target(), True)
    assert journal.verb == "copy"
    assert journal.database == {"live": "mirai", "side": "mirai_restore_20261124_020000", "previous": ""}
    assert journal.data_dir["live"].endswith("data_restored_20261124_020000")


@pytest.fixture
def place():
    """A server whose side database has two tables of one name."""
    rows = [{"schema": "auth", "name": "log"}, {"schema": "audit", "name": "log"}, {"schema": "auth", "name": "users"}]
    return Target(answers=Answers({"relkind IN": rows, "AS owner": [{"owner": "app"}]}))


def test_two_tables_of_one_name_are_told_apart(place):
    assert partial._gather(place, "side", "restored_x", ("auth.log", "audit.log")) == ["log", "audit.log"]
    assert place.answers.said[-1].splitlines() == [
        'CREATE SCHEMA "restored_x";',
        'CREATE TABLE "restored_x"."log" AS TABLE "auth"."log";',
        'CREATE TABLE "restored_x"."audit.log" AS TABLE "audit"."log"',
    ]


def test_a_table_that_is_not_in_the_dump_is_named(place):
    with pytest.raises(NotFoundError, match="auth.gone names 0 tables"):
        partial._gather(place, "side", "restored_x", ("auth.gone",))


@pytest.fixture
def pumped(monkeypatch):
    """The pipes that were run; ``fail`` lets the next one fail."""
    pipes = []
    monkeypatch.setattr(process, "pump", lambda commands, *_rest: pipes.append(commands))
    monkeypatch.setattr(partial.postgres.Clients, "path", lambda _clients, program: f"/bin/{program}")
    return pipes


def test_carried_over_in_one_transaction_for_the_owner_of_the_database(place, pumped):
    partial._carry(place, "side", "restored_x")
    ((dump, load),) = pumped
    assert dump.name == "pg_dump" and '--schema="restored_x"' in dump.argv
    assert {"--single-transaction", "--exit-on-error", "--no-owner", "--role=app"} <= set(load.argv)


def test_what_cannot_be_carried_over_changes_nothing(place, pumped, monkeypatch):
    def fail(*_arguments):
        raise ProcessError("pg_restore exited with status 1")

    monkeypatch.setattr(process, "pump", fail)
    with pytest.raises(EngineError, match="could not be carried into mirai: pg_restore") as caught:
        partial._carry(place, "side", "restored_x")
    assert caught.value.next_step == "nothing was changed"


def test_the_whole_dump_is_proven_before_a_table_of_it_is_used(settings, tables_backup, place, pumped, monkeypatch):
    steps = []
    for name in ("unpack", "require_readable", "create_database", "load", "prove"):
        monkeypatch.setattr(side, name, lambda *_arguments, name=name, **_options: steps.append(name))
    journal = partial._journal(settings, tables_backup, "20261124_020000", place, False)
    names = partial._tables(settings, tables_backup, ("auth.users",), place, journal, "restored_x", "/scratch", ())
    assert names == ["users"]
    assert steps == ["unpack", "require_readable", "create_database", "load", "prove"]
    assert len(pumped) == 1


def test_there_must_be_a_database_to_put_them_beside(settings, tables_backup):
    nowhere = Target(exists=False)
    journal = partial._journal(settings, tables_backup, "20261124_020000", nowhere, False)
    with pytest.raises(NotFoundError, match="no database mirai to restore tables into"):
        partial._tables(settings, tables_backup, ("auth.users",), nowhere, journal, "x", "/scratch", ())


def test_a_link_to_a_directory_that_was_not_asked_for_does_not_stay(settings, data, contents):
    (data / "elsewhere").symlink_to("sub")
    (data / "links").mkdir()
    (data / "links" / "sub").symlink_to("../sub")
    backup.run(settings, "json")
    directory = restore.run(settings, Request(files=("a.json",))).document["directory"]
    assert sorted(os.listdir(directory)) == ["a.json"]
