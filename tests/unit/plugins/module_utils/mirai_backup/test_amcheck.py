"""amcheck: every index is held to its table, by PostgreSQL's program, or by statement where there is none yet."""

import pytest
from mirai_backup import amcheck, dburl
from mirai_backup.clients import Clients
from mirai_backup.errors import CouldNotVerifyError, DatabaseError, EngineError, ProcessError
from stand_in import Answers, Target, server

INSTALLED = {"pg_available_extensions": [{"one": 1}]}


@pytest.fixture
def program(monkeypatch):
    """Put a function in the place of pg_amcheck."""

    def become(pump) -> None:
        monkeypatch.setattr(amcheck.process, "pump", pump)
        monkeypatch.setattr(Clients, "path", lambda _clients, name: f"/bin/{name}")

    return become


def test_every_index_is_held_to_its_table(program):
    commands = []
    program(lambda argv, _sink: commands.extend(argv))
    amcheck.check(Target(answers=Answers(INSTALLED)), "side")
    (argv,) = [one.argv for one in commands]
    assert argv[0] == "/bin/pg_amcheck" and "--dbname" not in argv  # which it does not know
    assert {"--heapallindexed", "--install-missing"} <= set(argv)


def test_it_connects_as_everything_else_does(program):
    commands = []
    program(lambda argv, _sink: commands.extend(argv))
    admin = dburl.parse("postgresql://chief:hunter2@db.example:5433/postgres?sslmode=verify-full&sslrootcert=/ca.pem")
    target = Target(admin=admin, answers=Answers(INSTALLED))
    amcheck.check(target, "side's")
    (command,) = commands
    assert target.on("side's").conninfo() in command.argv
    assert "sslmode='verify-full' sslrootcert='/ca.pem'" in " ".join(command.argv)
    assert "dbname='side\\'s'" in " ".join(command.argv)
    assert command.env == (("PGPASSWORD", "hunter2"),) and "hunter2" not in " ".join(command.argv)


def test_where_amcheck_is_not_there_that_is_said():
    with pytest.raises(CouldNotVerifyError, match="amcheck is not installed"):
        amcheck.check(Target(), "side")


def test_a_corrupt_index_is_named(program):
    def complain(_commands, sink):
        sink(b"btree index auth.users_pkey:\n    ERROR: item order invariant violated\n")
        raise ProcessError("pg_amcheck exited with status 2", status=2)

    program(complain)
    with pytest.raises(EngineError, match="is corrupt: btree index auth.users_pkey: / ERROR: item order invariant"):
        amcheck.check(Target(answers=Answers(INSTALLED)), "side")


def before_there_was_a_program(**answers) -> Target:
    old = server(version="13.5", version_num=130005)
    return Target(server=old, answers=Answers({**answers, **INSTALLED, "pg_namespace": [{"schema": 'a"b'}]}))


def test_before_there_was_a_program_each_index_is_asked_for(program):
    program(lambda *_arguments: pytest.fail("PostgreSQL 13 has no pg_amcheck"))
    target = before_there_was_a_program()
    amcheck.check(target, "side")
    assert '"a""b".bt_index_check(index => c.oid, heapallindexed => true)' in target.answers.said[-1]


def test_a_corrupt_index_is_named_then_too():
    def refuse(_sql):
        raise DatabaseError("item order invariant violated for index t_a") from ProcessError("psql: 3", status=3)

    target = before_there_was_a_program(bt_index_check=refuse)
    with pytest.raises(EngineError, match="an index is corrupt: item order invariant violated for index t_a"):
        amcheck.check(target, "side")


def test_a_lost_server_says_nothing_of_an_index(program):
    def lose(_commands, _sink):
        raise ProcessError("pg_amcheck exited with status 1: server closed the connection", status=1)

    program(lose)
    with pytest.raises(CouldNotVerifyError, match="could not be checked: .*server closed the connection"):
        amcheck.check(Target(answers=Answers(INSTALLED)), "side")


def test_a_lost_server_says_nothing_of_an_index_then_too():
    def lose(_sql):
        raise DatabaseError("server closed the connection") from ProcessError("psql exited with status 2", status=2)

    with pytest.raises(CouldNotVerifyError, match="could not be checked: server closed the connection"):
        amcheck.check(before_there_was_a_program(bt_index_check=lose), "side")


def test_a_server_that_is_lost_before_says_nothing_either():
    with pytest.raises(CouldNotVerifyError, match="could not be checked: gone"):
        amcheck.check(Target(answers=Answers({"pg_available_extensions": DatabaseError("gone")})), "side")
