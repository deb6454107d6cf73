"""database: dumps out of one snapshot, and words for what keeps a dump from being made."""

import gzip

import pytest
from mirai_backup import compression, database, postgres
from mirai_backup.clients import Clients
from mirai_backup.dburl import Connection
from mirai_backup.errors import DatabaseError
from stand_in import server

APP = Connection(host="db.example", user="app", database="mirai")
GZIP = compression.choose("zlib")
BOSS = Connection(host="db.example", user="boss", database="postgres")


def test_a_dump_of_one_snapshot_in_the_databases_own_encoding(postgresql, tmp_path):
    postgresql.client("pg_dump", 'echo "$@"')
    clients = Clients(postgresql.bindir, "15.14")
    path = tmp_path / "dump.sql"
    database.dump(clients, APP, "00000003-1", "LATIN1", 600, str(path), "x.sql.gz", GZIP)
    said = gzip.decompress(path.read_bytes()).decode()
    for option in ("--snapshot=00000003-1", "--encoding=LATIN1", "--lock-wait-timeout=600000", "--format=custom"):
        assert option in said


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        ("statement timeout: LOCK TABLE auth.users IN ACCESS SHARE MODE", "table auth.users stayed locked for 600 s",
         "pg_stat_activity"),
        ("query would be affected by row-level security policy", "row-level security", "BYPASSRLS"),
        ("permission denied for table users", "permission denied", "grant the role of DATABASE_URL"),
        ("out of memory", "out of memory", "server's log"),
    ],
)  # fmt: skip
def test_what_stopped_a_dump_is_named_with_the_next_step(postgresql, tmp_path, said, message, hint):
    postgresql.client("pg_dump", f"echo '{said}' >&2; exit 1")
    clients = Clients(postgresql.bindir, "15.14")
    with pytest.raises(DatabaseError) as caught:
        database.dump(clients, APP, "x", "UTF8", 600, str(tmp_path / "d"), "d", GZIP)
    assert message in caught.value.message and hint in caught.value.next_step


@pytest.fixture
def dumped(postgresql, tmp_path, monkeypatch):
    """Dumps the roles where ``app`` and ``boss`` are such servers; returns the options and the warning."""
    postgresql.client("pg_dumpall", 'echo "$@"')

    def dump(app, boss=None, admin=BOSS):
        def answer(_clients, connection):
            found = {"app": app, "boss": boss}[connection.user]
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(postgres, "server", answer)
        path = tmp_path / f"globals{len(list(tmp_path.iterdir()))}"
        clients = Clients(postgresql.bindir, "15.14")
        _artifact, warning = database.dump_globals(clients, APP, admin, str(path), "g.sql.gz", GZIP)
        return gzip.decompress(path.read_bytes()).decode(), warning

    return dump


HUMBLE = server(is_superuser=False)


def test_roles_with_their_passwords_where_a_superuser_is_at_hand(dumped):
    for said, warning in (dumped(server()), dumped(HUMBLE, server())):
        assert ("--no-role-passwords" in said, warning) == (False, "")


@pytest.mark.parametrize(
    ("boss", "admin", "why"),
    [
        (None, None, "no administrative connection"),
        (DatabaseError("connection refused"), BOSS, "connection refused"),
        (server(system_identifier="2"), BOSS, "is another cluster"),
        (HUMBLE, BOSS, "boss is no superuser"),
    ],
)
def test_else_without_them_and_why(dumped, boss, admin, why):
    said, warning = dumped(HUMBLE, boss, admin)
    assert "--no-role-passwords" in said
    assert warning.startswith("roles are backed up without their passwords: ") and why in warning
