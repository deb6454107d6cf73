"""postgres: what is said to psql, what comes back, and what a failure is called."""

import functools
import os
import pwd
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import postgres
from mirai_backup.clients import Clients
from mirai_backup.dburl import Connection
from mirai_backup.errors import ConfigError, DatabaseError, PreflightError

APP = Connection(host="db.example", port="5433", user="app", password="hunter2", database="mirai")
SNAPSHOT = {"pg_export_snapshot": [{"name": "00000003-1"}]}


@pytest.fixture
def psql(postgresql):
    """Clients whose psql answers as ``psql(word=rows)`` says and not otherwise; ``said`` is what it was told."""

    def make(**answers):
        postgresql.answer({}, **answers)
        return Clients(postgresql.bindir, "15.14")

    make.said = postgresql.said
    return make


@given(st.text())
def test_quoting_doubles_the_quotes(text):
    for quote, quoted in (("'", postgres.literal(text)), ('"', postgres.identifier(text))):
        assert quoted[0] == quoted[-1] == quote
        assert quoted[1:-1].replace(quote * 2, quote) == text
        assert quote not in quoted[1:-1].replace(quote * 2, "")


def test_no_password_is_in_the_command(psql):
    command = postgres.command(psql(), "psql", APP, "--quiet", settings=("work_mem=1GB", "jit=off"))
    assert "hunter2" not in " ".join(command.argv)
    assert command.secrets == ("hunter2",)
    assert ("PGOPTIONS", "-c work_mem=1GB -c jit=off") in command.env
    assert command.end_signal == signal.SIGINT


def test_other_programs_are_ended_as_programs_are(tmp_path):
    (tmp_path / "pg_dump").write_text("")
    (tmp_path / "pg_dump").chmod(0o755)
    command = postgres.command(Clients(str(tmp_path), "15.14"), "pg_dump", Connection(user="app"))
    assert (command.end_signal, command.secrets) == (signal.SIGTERM, ())


def test_a_program_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PreflightError, match=f"psql: command not found in {tmp_path}") as caught:
        postgres.query(Clients(str(tmp_path), "15.14"), APP, "SELECT 1")
    assert "pg_bindir" in caught.value.next_step


def test_rows_are_dicts(psql):
    clients = psql(users=[{"name": "現場", "n": 1}], nothing=[])
    assert postgres.query(clients, APP, "SELECT * FROM users") == [{"name": "現場", "n": 1}]
    assert postgres.query(clients, APP, "SELECT * FROM nothing") == []


def test_what_a_server_says_of_itself(psql):
    facts = {
        "version": "15.14 (Debian 15.14-1)",
        "version_num": 150014,
        "system_identifier": "7",
        "database": "mirai",
        "database_size": 9,
        "is_superuser": False,
        "can_create_database": True,
        "user": "app",
    }
    found = postgres.server(psql(server_version=[facts]), APP)
    assert (found.version, found.major, found.user) == ("15.14", 15, "app")


@pytest.mark.parametrize("there", [True, False])
def test_lz4_is_asked_for(psql, there):
    assert postgres.has_lz4(psql(lz4=[{"one": 1}] if there else []), APP) is there


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("connection to server at db.example failed", "start the server"),
        ("could not translate host name", "correct DATABASE_URL"),
        ("password authentication failed for user app", "correct the user and password"),
        ("fe_sendauth: no password supplied", "correct the user and password"),
        ("relation x does not exist", "read the server's message"),
    ],
)
def test_a_failure_names_the_server_and_the_next_step(psql, said, hint):
    with pytest.raises(DatabaseError) as caught:
        postgres.execute(psql(DROP=said), APP, "DROP TABLE x")
    assert said in caught.value.message
    assert "db.example" in caught.value.message and "hunter2" not in caught.value.words
    assert hint in caught.value.next_step


def test_a_session_exports_its_snapshot(psql):
    clients = psql(**SNAPSHOT, users=[{"n": 3}])
    with postgres.Session(clients, APP) as session:
        assert session.snapshot == "00000003-1"
        assert session.query("SELECT count(*) AS n FROM users") == [{"n": 3}]
        session.execute("SET LOCAL jit = off")
    said = psql.said()
    assert "ISOLATION LEVEL REPEATABLE READ READ ONLY" in said
    assert said.index("pg_export_snapshot") < said.index("SET LOCAL jit")


def test_a_writable_session_is_undone_unless_it_is_committed(psql):
    with postgres.Session(psql(), APP, writable=True) as session:
        session.feed(iter((b"CREATE TABLE t ();\n", b"SELECT 1;\n")))
        session.commit()
    said = psql.said()
    assert "READ COMMITTED READ WRITE" in said and "pg_export_snapshot" not in said
    assert said.index("\\o /dev/null") < said.index("CREATE TABLE t") < said.index("COMMIT;")


def test_tables_are_locked_and_a_lock_that_does_not_come_is_an_error(psql):
    with postgres.Session(psql(**SNAPSHOT), APP) as session:
        session.lock(['"auth"."users"'], 600)
    said = psql.said()
    assert "SET LOCAL lock_timeout = '600s'" in said
    assert 'LOCK TABLE ONLY "auth"."users" IN ACCESS SHARE MODE;' in said
    with postgres.Session(psql(users="canceling statement due to lock timeout", **SNAPSHOT), APP) as session:
        with pytest.raises(DatabaseError, match="lock timeout"):
            session.lock(['"auth"."users"'], 1)


def test_a_statement_that_fails_ends_the_session_with_the_servers_words(psql):
    with postgres.Session(psql(broken="division by zero", **SNAPSHOT), APP) as session:
        with pytest.raises(DatabaseError, match="division by zero"):
            session.query("SELECT broken")
        with pytest.raises(DatabaseError, match="division by zero"):
            session.feed(iter([b"x" * (1 << 20)]))


def test_a_session_that_cannot_begin_leaves_no_process(psql):
    with pytest.raises(DatabaseError, match="connection to server"):
        postgres.Session(psql(BEGIN="connection to server was refused"), APP)


def test_the_applications_connection(settings_of, tmp_path):
    given = settings_of(database_url="postgresql://app@h/d")
    assert postgres.app_connection(given).database == "d"
    (tmp_path / "env").write_text("DATABASE_URL=postgresql://app@h/other\n")
    read = postgres.app_connection(type(given)(env_file=str(tmp_path / "env")))
    assert read.database == "other"
    with pytest.raises(ConfigError):
        postgres.app_connection(type(given)(env_file=str(tmp_path / "none")))


def administrator(monkeypatch, uid, host="", url="", known=True):
    def getpwnam(name):
        if not known:
            raise KeyError(name)
        return type("Account", (), {"pw_uid": 105})

    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    return postgres.admin_connection(type("Settings", (), {"admin_url": url}), Connection(host=host, user="app"))


def test_who_may_create_databases(monkeypatch):
    """The one in admin_url; else, where the server is local, its own account, which root and it can be."""
    ask = functools.partial(administrator, monkeypatch)
    assert ask(0, url="postgresql://boss@h/d").user == "boss"
    assert ask(0).os_user == "postgres"
    assert (ask(105).os_user, ask(105).user) == ("", "postgres")
    assert ask(0, host="/run/pg").host == "/run/pg"
    assert ask(0, host="localhost").host == ""
    assert ask(1000) is None
    assert ask(0, host="db.example") is None
    assert ask(0, known=False) is None
