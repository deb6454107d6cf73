"""target: where a restore goes, and what that place lacks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import postgres, target
from mirai_backup.errors import DatabaseError, PreflightError
from stand_in import CLIENTS, Answers, Target, server

PROPERTIES = {"extensions": [], "locale_provider": "c", "collate": "C.UTF-8", "ctype": "C.UTF-8"}
URL = "postgresql://app:secret@db.example/mirai"
ADMIN = "postgresql://boss:secret@db.example/postgres"


@pytest.fixture
def reached(settings_of, monkeypatch):
    """Finds the target: ``reached({"app": server(), "boss": server()})`` says who is there and what each may."""
    monkeypatch.setattr(target.client_programs, "newest", lambda _bindir: CLIENTS)
    monkeypatch.setattr(target.client_programs, "fitting", lambda *_arguments: CLIENTS)

    def find(servers, database="", admin=ADMIN, exists=True):
        def answer(_clients, connection):
            found = servers[connection.user]
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(postgres, "server", answer)
        monkeypatch.setattr(postgres, "query", lambda *_arguments: [{"one": 1}] if exists else [])
        return target.find(settings_of(database_url=URL, admin_url=admin), database)

    return find


def test_the_administrator_restores_beside_and_swaps(reached):
    found = reached({"boss": server(), "app": server(is_superuser=False, can_create_database=False)})
    assert (found.live, found.exists, found.in_place, found.admin.user) == ("mirai", True, False, "boss")


def test_the_application_itself_where_it_may_create_databases(reached):
    found = reached({"app": server(is_superuser=False)}, admin="")
    assert (found.admin.user, found.admin.database, found.in_place) == ("app", "postgres", False)


def test_where_nobody_may_create_databases_it_is_replaced_within_itself(reached):
    powerless = server(is_superuser=False, can_create_database=False)
    found = reached({"boss": powerless, "app": powerless})
    assert (found.in_place, found.exists, found.admin.user) == (True, True, "app")


def test_nor_can_another_database_be_made_then(reached):
    powerless = server(is_superuser=False, can_create_database=False)
    for servers, database in (({"boss": powerless, "app": powerless}, "copy"),
                              ({"boss": powerless, "app": DatabaseError("gone")}, "")):  # fmt: skip
        with pytest.raises(PreflightError, match="may not create databases") as caught:
            reached(servers, database)
        assert "admin_url" in caught.value.next_step


def test_an_administrator_of_another_server_is_refused(reached):
    with pytest.raises(PreflightError, match="are two different clusters"):
        reached({"boss": server(system_identifier="2"), "app": server(can_create_database=False)})


def test_a_lost_database_is_no_reason(reached):
    gone = {"boss": server(), "app": DatabaseError("database mirai does not exist")}
    assert not reached(gone, exists=False).exists
    assert reached(gone).exists


@given(st.text(min_size=1, max_size=80), st.sampled_from(["_restore_20261124_020000", "_before_20261124_020000", ""]))
def test_derived_names_fit_and_end_as_they_should(name, suffix):
    made = target.derived_name(name, suffix)
    assert len(made.encode("utf-8")) <= 63
    assert made.endswith(suffix)
    assert name.startswith(made[: len(made) - len(suffix)])


def lacking(answers=None, place=None, version="15.14", **properties):
    place = place or Target()
    extensions = [
        {"name": "plpgsql", "anyone": False},
        {"name": "pg_trgm", "anyone": True},
        {"name": "c", "anyone": False},
    ]
    place = replace(place, answers=Answers({**(answers or {}), "pg_available_extension": extensions}))
    return target.missing(place, {"properties": {**PROPERTIES, **properties}, "server_version": version})


def test_a_server_that_has_everything_lacks_nothing():
    assert lacking(extensions=[{"name": "plpgsql"}, {"name": "pg_trgm"}]) == []
    assert lacking(extensions=None) == []


def test_extensions_that_are_not_there_or_not_for_us():
    assert lacking(extensions=[{"name": "postgis"}]) == ["extension postgis is not installed on the server"]
    humble = Target(server=server(is_superuser=False, user="app"))
    assert lacking(place=humble, extensions=[{"name": "c"}, {"name": "pg_trgm"}, {"name": "plpgsql"}]) == [
        "extension c can only be created by a superuser, which app is not"
    ]


def test_within_itself_what_is_installed_stays_and_locales_do_not_matter():
    humble = Target(server=server(is_superuser=False), in_place=True)
    answers = {"FROM pg_extension": [{"name": "c"}]}
    assert lacking(answers, humble, extensions=[{"name": "c"}], locale_provider="i") == []


def test_an_older_server_and_providers_it_does_not_know():
    assert lacking(version="17.6") == ["the server is PostgreSQL 15.14, older than the backup's 17"]
    assert lacking(locale_provider="b") == ["the builtin locale provider came with PostgreSQL 17"]
    assert lacking(locale_provider="i") == ["the server was built without ICU, which the database's locale needs"]
    assert lacking({"collprovider": [{"one": 1}]}, locale_provider="i") == []


def test_a_locale_that_the_servers_machine_lacks():
    (line,) = lacking({"lc_time": DatabaseError("invalid value")}, collate="ja_JP.UTF-8", ctype="ja_JP.UTF-8")
    assert line.startswith("locale ja_JP.UTF-8 is not there")
    with pytest.raises(DatabaseError, match="connection to server"):
        lacking({"lc_time": DatabaseError("connection to server was lost")})


def test_statements_go_to_the_database_they_are_for(monkeypatch):
    asked = []
    monkeypatch.setattr(postgres, "execute", lambda _clients, where, sql: asked.append((where.database, sql)))
    monkeypatch.setattr(postgres, "query", lambda _clients, where, sql: asked.append((where.database, sql)))
    place = target.DatabaseTarget(Target().admin, CLIENTS, server(), "mirai", True)
    place.execute("A")
    place.execute("B", "side")
    place.query("C", "side")
    assert asked == [("postgres", "A"), ("side", "B"), ("side", "C")]


def test_a_data_directory_behind_a_symlink(settings_of, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    assert target.real_directory(settings_of(data_dir=str(tmp_path / "link"))) == str(tmp_path / "disk")
