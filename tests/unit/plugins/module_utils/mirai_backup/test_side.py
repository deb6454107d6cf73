"""side: what is made beside the live halves, and proven before anything is swapped."""

import io
import os
import threading
from dataclasses import replace

import pytest
from mirai_backup import backup, clients, fingerprint, postgres, process, repository, side
from mirai_backup.errors import DatabaseError, EngineError, MismatchError, ProcessError
from stand_in import Answers, Session, Target, server

PROPERTIES = {
    "encoding": "UTF8",
    "collate": "C",
    "ctype": "C",
    "owner": 'a"b',
    "locale_provider": "c",
    "locale": None,
    "has_public": True,
    "extensions": [{"name": "plpgsql"}],
    "settings": None,
    "comment": None,
    "acl": None,
    "connection_limit": -1,
}


def told(act, *arguments, place=None):
    """The statements that ``act`` has the target carry out."""
    place = replace(place or Target(), answers=Answers())
    act(place, *arguments)
    return place.answers.said


def test_a_database_like_the_one_that_was_backed_up():
    (one,) = told(side.create_database, "side", PROPERTIES)
    assert one.startswith("CREATE DATABASE \"side\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
    assert one.endswith('OWNER "a""b"')


def test_nobody_else_is_made_its_owner_without_the_right_to():
    humble = Target(server=server(is_superuser=False, user="app"))
    assert "OWNER" not in told(side.create_database, "side", PROPERTIES, place=humble)[0]
    assert 'OWNER "app"' in told(side.create_database, "side", {**PROPERTIES, "owner": "app"}, place=humble)[0]


@pytest.mark.parametrize(
    ("provider", "words"),
    [("i", "LOCALE_PROVIDER icu ICU_LOCALE 'ja'"), ("b", "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'ja'")],
)
def test_its_locale_comes_from_the_same_provider(provider, words):
    (one,) = told(side.create_database, "side", {**PROPERTIES, "locale_provider": provider, "locale": "ja"})
    assert one.endswith(words)


def test_what_was_dropped_from_it_is_dropped():
    said = told(side.create_database, "side", {**PROPERTIES, "has_public": False, "extensions": None})
    assert said[1:] == ["DROP SCHEMA public", "DROP EXTENSION plpgsql"]


def test_dressed_with_what_a_dump_does_not_carry():
    (said,) = told(
        side.dress,
        "side",
        {
            **PROPERTIES,
            "comment": "it's ours",
            "settings": [
                {"role": None, "settings": ["search_path=auth, public", "work_mem=8MB"]},
                {"role": "app", "settings": ["search_path="]},
            ],
            "acl": [
                {"grantee": "app", "privilege": "CONNECT", "grantable": True},
                {"grantee": None, "privilege": "TEMPORARY", "grantable": True},
            ],
        },
    )
    for statement in (
        'ALTER DATABASE "side" CONNECTION LIMIT -1',
        'ALTER DATABASE "side" SET "search_path" TO auth, public',
        'ALTER DATABASE "side" SET "work_mem" TO \'8MB\'',
        'ALTER ROLE "app" IN DATABASE "side" SET "search_path" TO \'\'',
        "COMMENT ON DATABASE \"side\" IS 'it''s ours'",
        'REVOKE ALL ON DATABASE "side" FROM PUBLIC',
        'GRANT CONNECT ON DATABASE "side" TO "app" WITH GRANT OPTION',
        'GRANT TEMPORARY ON DATABASE "side" TO PUBLIC',
    ):
        assert statement in said
    assert "TO PUBLIC WITH GRANT OPTION" not in said


def test_plain_clothes():
    assert told(side.dress, "side", PROPERTIES) == ['ALTER DATABASE "side" CONNECTION LIMIT -1']


FINGERPRINT = {
    "mode": "full",
    "server_major": 15,
    "tables": {"t": {"rows": 3, "digest": "7"}},
    "sequences": {},
    "large_objects": {"count": 0, "digest": "0"},
    "schema": {"table t": "1"},
}


@pytest.fixture
def head(head_of):
    """A manifest with a fingerprint, or without."""

    def make(**changed):
        plain = head_of("database")
        return replace(plain, database={**plain.database, "fingerprint": FINGERPRINT, **changed})

    return make


def test_proven_table_by_table(head, monkeypatch):
    monkeypatch.setattr(postgres, "Session", Session.on(Answers()))
    monkeypatch.setattr(fingerprint, "take", lambda *_arguments: FINGERPRINT)
    assert side.prove(Target(), "side", head()) == {"verdict": "pass", "tables": 1, "rows": 3, "schema_differences": []}


def test_other_content_is_never_put_into_service(head):
    found = {**FINGERPRINT, "tables": {"t": {"rows": 2, "digest": "7"}}}
    with pytest.raises(MismatchError, match="table t has 2 rows instead of 3") as caught:
        side.judge(head(), found)
    assert caught.value.next_step == "nothing in service was touched; try another backup"


def test_a_schema_that_is_printed_otherwise_is_named_and_no_obstacle(head):
    proof = side.judge(head(), {**FINGERPRINT, "schema": {"table t": "2"}})
    assert (proof["verdict"], proof["schema_differences"]) == ("pass", ["table t is defined otherwise"])


def test_without_a_fingerprint_nothing_is_claimed(head):
    assert side.prove(Target(), "side", head(fingerprint=None))["verdict"] == "not_configured"
    assert side.judge(head(), None)["verdict"] == "not_configured"


@pytest.fixture
def loaded(tmp_path, head, monkeypatch):
    """Loads a dump with a stand-in for pg_restore; returns the command."""
    (tmp_path / side.DUMP).write_bytes(b"PGDMP")

    def load(run=lambda _command: b"", lz4=True, superuser=True, **values):
        commands = []
        monkeypatch.setattr(process, "run", lambda command: (commands.append(command), run(command)))
        monkeypatch.setattr(postgres.Clients, "path", lambda _clients, program: f"/bin/{program}")
        monkeypatch.setattr(postgres, "has_lz4", lambda *_arguments: lz4)
        server = replace(Target().server, is_superuser=superuser)
        side.load(Target(server=server), "side", str(tmp_path), 3, head(), **values)
        return commands[0]

    return load


def test_loaded_by_several_jobs_that_stop_at_the_first_error(loaded, tmp_path):
    command = loaded(extra=("--no-tablespaces",), toast="lz4")
    assert {"--jobs=3", "--exit-on-error", "--no-tablespaces"} <= set(command.argv)
    assert ("PGOPTIONS", "-c default_toast_compression=lz4 -c deadlock_timeout=50ms") in command.env
    assert not os.path.exists(tmp_path / side.DUMP)


TABLES = {"oid::regclass": [{"name": "a"}, {"name": "b"}]}


@pytest.fixture
def analyzing(monkeypatch):
    """``side.analyzing`` on a session that answers so."""

    def start(answers):
        monkeypatch.setattr(postgres, "Session", Session.on(answers))
        return side.analyzing(Target(), "side")

    return start


def test_statistics_are_gathered_while_something_else_is_done(analyzing):
    answers = Answers(TABLES)
    with analyzing(answers) as finish:
        finish()
    assert answers.said[1:] == ["ANALYZE (SKIP_LOCKED) a; COMMIT; BEGIN;\nANALYZE (SKIP_LOCKED) b", "COMMIT"]


def test_statistics_that_cannot_be_gathered_are_an_error(analyzing):
    answers = Answers({**TABLES, "ANALYZE": DatabaseError("index function of a: no such table")})
    with analyzing(answers) as finish:
        with pytest.raises(DatabaseError, match="index function of a"):
            finish()


def test_statistics_are_given_up_where_something_else_fails(analyzing):
    asked, ended = threading.Event(), threading.Event()
    answers = Answers({**TABLES, "ANALYZE": lambda _sql: asked.set() or ended.wait(60)})
    answers.end = ended.set
    with pytest.raises(KeyboardInterrupt):
        with analyzing(answers):
            assert asked.wait(60)
            raise KeyboardInterrupt
    assert ended.is_set() and "COMMIT" not in answers.said


@pytest.mark.parametrize("blocks", [(b"PGDMP...",), (b"P", b"", b"GDM", b"P...")])
def test_a_dump_is_written_however_its_beginning_is_cut(blocks):
    file = io.BytesIO()
    writer = side._DumpWriter("d", file)
    for block in blocks:
        writer.write(block)
    assert file.getvalue() == b"PGDMP..."


@pytest.mark.parametrize("blocks", [(b"\0" * 9,), (b"PGD", b"NO")])
def test_what_is_no_dump_is_not_written(blocks):
    writer = side._DumpWriter("d", io.BytesIO())
    with pytest.raises(MismatchError, match="it holds no dump of pg_dump's custom format"):
        for block in blocks:
            writer.write(block)


def test_what_pg_restore_cannot_read_is_found_out_before_it_is_loaded(tmp_path, files_backup):
    (tmp_path / side.DUMP).write_bytes(b"PGDMP and nothing else")
    for whole in (False, True):
        with pytest.raises(MismatchError, match=f"the dump of {files_backup.id} cannot be decoded: pg_restore exited"):
            side.require_readable(clients.newest(), str(tmp_path), files_backup, whole)


def test_lz4_only_where_it_is_wanted_and_known(loaded, tmp_path):
    assert "PGOPTIONS" not in dict(loaded(lz4=False, toast="lz4", superuser=False).env)


def test_a_short_wait_for_autovacuum_is_set_only_by_a_role_that_may(loaded):
    assert ("PGOPTIONS", "-c deadlock_timeout=50ms") in loaded().env


def test_an_error_of_pg_restore_leaves_what_is_in_service(loaded):
    def fail(_command):
        raise ProcessError("pg_restore exited with status 1: out of disk")

    with pytest.raises(EngineError, match="could not be restored into side: pg_restore exited") as caught:
        loaded(fail)
    assert caught.value.next_step == "nothing in service was touched"


@pytest.fixture
def files_backup(settings_of, tmp_path):
    (tmp_path / "app/backend/data/a.json").write_bytes(b"[1]")
    made = settings_of()
    backup.run(made, "json")
    return repository.listing(made.repository).backups[0]


def test_the_files_are_unpacked_into_a_new_directory(files_backup, tmp_path):
    side.unpack(files_backup, str(tmp_path), True, str(tmp_path / "staged"))
    assert (tmp_path / "staged/a.json").read_bytes() == b"[1]"
    assert not os.path.exists(tmp_path / side.DUMP)


def test_a_half_that_is_not_wanted_is_not_unpacked(files_backup, tmp_path):
    side.unpack(files_backup, str(tmp_path), True, None)
    assert not os.path.exists(tmp_path / "staged")


@pytest.mark.parametrize("damage", [b"\x00", b"\x1f\x8b"])
def test_damaged_files_are_named(files_backup, tmp_path, damage):
    with open(files_backup.path, "r+b") as file:
        file.seek(-6, os.SEEK_END)
        file.write(damage)
    with pytest.raises(MismatchError, match=f"of {files_backup.id} (cannot be decoded|is damaged)"):
        side.unpack(files_backup, str(tmp_path), False, str(tmp_path / "staged"))


def test_bytes_after_the_end_are_damage(files_backup, tmp_path):
    with open(files_backup.path, "ab") as file:
        file.write(b"\0" * 9)
    with pytest.raises(MismatchError, match="is damaged|cannot be decoded"):
        side.unpack(files_backup, str(tmp_path), False, str(tmp_path / "staged"))


def test_dropped_with_whoever_is_connected():
    assert told(side.drop_database, "side") == ['DROP DATABASE IF EXISTS "side" WITH (FORCE)']
