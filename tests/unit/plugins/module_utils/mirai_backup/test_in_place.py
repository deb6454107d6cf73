"""in_place: a database is replaced within itself, whole or not at all, where nobody may make another."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from fake_postgresql import SERVER
from mirai_backup import backup, in_place, restore, restores, rollback
from mirai_backup.clients import Clients
from mirai_backup.errors import DatabaseError, EngineError, MismatchError, NotFoundError
from mirai_backup.restore import Request
from stand_in import Answers, Session, Target

END = b"\nCOMMIT;\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n"


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
def test_only_the_last_commit_goes(size):
    script = b"BEGIN;\nCOPY t FROM stdin;\nCOMMIT;\n\\.\n" + b"x" * 10000 + END
    blocks = (script[start : start + size] for start in range(0, len(script), size))
    assert b"".join(in_place._without_commit(blocks)) == script[: -len(END)] + END.replace(b"COMMIT;\n", b"", 1)


def test_a_script_that_was_cut_off_is_refused():
    with pytest.raises(EngineError, match="no end"):
        list(in_place._without_commit(iter([b"BEGIN;\nCREATE TABLE t ();\n"])))


OWNED = [
    {"type": "schema", "identity": "auth"},
    {"type": "schema", "identity": "public"},
    {"type": "extension", "identity": "plpgsql"},
    {"type": "extension", "identity": "hstore"},
    {"type": "large object", "identity": "42"},
    {"type": "function", "identity": "public.f()"},
    {"type": "table", "identity": "public.t"},
]
DEFAULTS = [
    {"role": "app", "schema": "auth", "type": "r", "grantees": ["PUBLIC"]},
    {"role": "app", "schema": None, "type": "f", "grantees": None},
    {"role": "app", "schema": None, "type": "S", "grantees": ["app"]},
]


@pytest.fixture
def head(head_of):
    plain = head_of("database")
    properties = {"extensions": [{"name": "plpgsql"}], "has_public": True, "encoding": "UTF8"}
    return replace(plain, database={**plain.database, "properties": properties})


def test_everything_of_ours_is_cleared_but_what_the_backup_has_too(head):
    answers = Answers({"FROM pg_shdepend": OWNED, "FROM pg_default_acl": DEFAULTS})
    assert in_place._clearing(Session(answers), {"plpgsql"}, head) == [
        "ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA auth REVOKE ALL ON TABLES FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT ALL ON FUNCTIONS TO app",
        "ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT ALL ON FUNCTIONS TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES FOR ROLE app REVOKE ALL ON SEQUENCES FROM app",
        "ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT ALL ON SEQUENCES TO app",
        "DROP SCHEMA IF EXISTS auth CASCADE",
        "DROP EXTENSION IF EXISTS hstore CASCADE",
        "SELECT lo_unlink(42)",
        "DROP ROUTINE IF EXISTS public.f() CASCADE",
        "DROP TABLE IF EXISTS public.t CASCADE",
    ]


def obstacles(head, others=(), encoding="UTF8", may_create=True, may_log=True):
    facts = [{"encoding": encoding, "may_create": may_create, "may_log": may_log}]
    answers = Answers({"UNION ALL": list(others), "has_database_privilege": facts})
    return in_place.obstacles(Target(in_place=True, answers=answers), head)


def test_what_keeps_a_database_from_being_replaced(head):
    assert obstacles(head) == []
    assert obstacles(head, [{"name": "table auth.x", "owner": "boss"}], "LATIN1", False, False) == [
        "table auth.x belongs to boss, which only boss can replace",
        "database mirai is encoded in LATIN1, the backup in UTF8",
        "role postgres may not call pg_logical_emit_message in mirai",
        "role postgres may not create schemas in mirai",
    ]


def fate(*statuses, xid="7", system=""):
    """What is said of a transaction whose status is asked for again and again."""
    left = list(statuses)
    # As on a server that has not come to the number yet.
    known = "CASE WHEN 7 < txid_current() THEN txid_status(7) ELSE 'aborted' END AS status"
    return in_place.committed(Target(answers=Answers({known: lambda _sql: [{"status": left.pop(0)}]})), xid, system)


def test_the_fate_of_a_transaction_is_the_servers_to_tell(monkeypatch):
    assert fate("in progress", "committed") is True
    assert fate("aborted") is False
    assert fate(xid="") is False
    with pytest.raises(DatabaseError, match="transaction 7 .* is forgotten by the server"):
        fate(None)
    monkeypatch.setattr(in_place, "_PATIENCE", -1)
    with pytest.raises(DatabaseError, match="is in progress") as caught:
        fate("in progress")
    assert "pg_stat_activity" in caught.value.next_step


def test_on_another_cluster_nothing_is_known_of_it():
    assert fate("committed", system=SERVER["system_identifier"]) is True
    with pytest.raises(
        DatabaseError, match=r"was on another cluster \(4711\): what became of it is not known"
    ) as caught:
        fate(system="4711")
    assert "journal" in caught.value.next_step
    assert fate(xid="", system="4711") is False


def test_a_number_is_in_the_log_of_the_server_before_it_is_relied_on():
    session, place = Answers({"txid_current()": [{"number": "7"}]}), Target(answers=Answers())
    assert in_place.number_for_good(place, Session(session)) == "7"
    assert place.answers.said == ["SELECT pg_logical_emit_message(true, 'mirai_backup', '')"]


def test_without_a_safety_backup_there_is_no_way_back(repo, sealed):
    with pytest.raises(NotFoundError, match="no good safety backup in"):
        in_place.safety_backup(repo)
    sealed("database")
    assert in_place.safety_backup(repo).head.kind == "database"


POWERLESS = [{**SERVER, "is_superuser": False, "can_create_database": False, "user": "app"}]


@pytest.fixture
def settings(settings_of, postgresql):
    """A configuration where nobody may create databases, and a backup of the one that is there."""
    postgresql.answer(pg_control_system=POWERLESS)
    made = settings_of(database_url="postgresql://app:x@db.example/mirai", pg_bindir=postgresql.bindir)
    backup.run(made, "database")
    return made


def test_restored_in_one_transaction_after_a_safety_backup_and_rolled_back(settings, postgresql):
    outcome = restore.run(settings, Request(components="database"))
    assert (outcome.exit_code, outcome.document["strategy"]) == (0, "in_place")
    said = postgresql.said()
    assert "RENAME TO" not in said and "CREATE DATABASE" not in said
    assert "READ COMMITTED READ WRITE" in said and "COMMIT;" in said
    assert outcome.document["previous"].startswith("the safety backup in ")
    assert rollback.run(settings).document["undone"] == outcome.document["restored"]


def test_a_dump_that_ends_the_transaction_changes_nothing(settings, postgresql):
    numbers = Answers({"txid_current": lambda _sql: [{"number": str(len(numbers.said))}]})
    session = Session(numbers)
    session.feed = list
    place = replace(Target(), clients=Clients(postgresql.bindir, "15.14"))
    head = in_place.repository.listing(settings.repository).backups[0].manifest
    work = os.path.dirname(settings.repository)
    with open(os.path.join(work, "dump"), "w"), pytest.raises(EngineError, match="ended the transaction by itself"):
        in_place.load(place, session, work, head)


def test_something_old_that_stayed_is_a_failure(settings, postgresql, monkeypatch):
    proof = {"verdict": "pass", "tables": 1, "rows": 3, "schema_differences": ["table old is there, but was not"]}
    monkeypatch.setattr(in_place.side, "judge", lambda *_arguments: proof)
    with pytest.raises(MismatchError, match="is not what the snapshot held: table old is there"):
        restore.run(settings, Request(components="database"))
    assert restores.journals(settings.repository) == []


def test_the_table_that_somebody_holds_is_named(postgresql):
    tables = [{"name": "public.t"}]
    postgresql.answer({}, **{"SELECT c.oid::regclass": tables, "LOCK TABLE ONLY public.t": "lock timeout on public.t"})
    with pytest.raises(DatabaseError, match="lock timeout on public.t"):
        in_place.begin(replace(Target(), clients=Clients(postgresql.bindir, "15.14")))


def test_brought_back_out_of_the_safety_backup(settings, postgresql):
    place = replace(Target(in_place=True), clients=Clients(postgresql.bindir, "15.14"))
    in_place.bring_back(settings, place, settings.repository)
    said = postgresql.said()
    assert said.index("READ COMMITTED READ WRITE") < said.index("txid_current()") < said.index("COMMIT;")
