"""cluster: a drill's own place, gone afterwards, whoever died in it."""

import os
import pwd
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from mirai_backup import cluster, postgres
from mirai_backup.clients import Clients
from mirai_backup.errors import CouldNotVerifyError, DatabaseError, ProcessError
from stand_in import Answers, Target, server


@pytest.fixture
def base(tmp_path):
    directory = tmp_path / "drills"
    directory.mkdir()
    return directory


def test_private_while_it_is_there_and_gone_afterwards(base):
    with cluster.room(str(base), "") as room:
        assert os.stat(room.work).st_mode & 0o777 == 0o700
        assert os.stat(room.cluster).st_mode & 0o777 == 0o700
        assert len(room.sockets) < 60
        assert os.path.isdir(room.sockets)
    assert os.listdir(base) == []
    assert not os.path.exists(room.sockets)


def test_the_servers_part_belongs_to_its_account_where_root_can_give_it_away(base):
    owner = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    with cluster.room(str(base), "nobody") as room:
        assert os.stat(room.cluster).st_uid == owner
        assert os.stat(room.work).st_uid == os.geteuid()


def test_an_account_that_is_not_there_is_named(base, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with (
        pytest.raises(CouldNotVerifyError, match="no account nosuch to run") as caught,
        cluster.room(str(base), "nosuch"),
    ):
        pass
    assert caught.value.next_step == "set drill_user"
    assert os.listdir(base) == []


def test_a_living_drill_is_left_alone_and_a_dead_one_cleared(base):
    code = (
        "import os, sys; from mirai_backup import cluster;"
        "manager = cluster.room(sys.argv[1], ''); print(manager.__enter__().sockets, flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    package = os.path.dirname(os.path.dirname(cluster.__file__))
    argv = [sys.executable, "-c", code, str(base)]
    done = subprocess.run(argv, check=False, env={**os.environ, "PYTHONPATH": package}, stdout=subprocess.PIPE)
    (dead,) = os.listdir(base)
    (base / "mirai-drill-notes").write_text("a file that somebody named so")
    with cluster.room(str(base), "") as room:
        assert not (base / dead).exists()
        assert not os.path.exists(done.stdout.decode().strip())
        assert cluster.sweep(str(base)) == []
        assert os.path.isdir(room.work)
    assert os.listdir(base) == ["mirai-drill-notes"]


def test_a_server_that_a_killed_drill_left_is_ended(base):
    left = base / "mirai-drill-left"
    (left / "cluster").mkdir(parents=True)
    server_ = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(left / "cluster")])
    (left / "cluster" / "postmaster.pid").write_text(f"{server_.pid}\n")
    reaper = threading.Thread(target=server_.wait)  # as init would
    reaper.start()
    assert cluster.sweep(str(base)) == [str(left)]
    reaper.join(10)
    assert server_.returncode == -signal.SIGQUIT


def test_another_process_of_that_number_is_not_harmed(base):
    left = base / "mirai-drill-left"
    (left / "cluster").mkdir(parents=True)
    (left / "cluster" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert cluster.sweep(str(base)) == [str(left)]


def installed(tmp_path, *versions):
    found = []
    for version in versions:
        place = tmp_path / version
        place.mkdir()
        for name in ("initdb", "postgres"):
            (place / name).write_text("")
            (place / name).chmod(0o755)
        found.append(Clients(str(place), version))
    return tuple(found)


def test_the_servers_major_or_the_nearest_newer_one(tmp_path, monkeypatch):
    found = installed(tmp_path, "18.1", "16.4", "13.2")
    monkeypatch.setattr(cluster.client_programs, "installed", lambda _bindir: found)
    assert cluster.programs(15).version == "16.4"
    assert cluster.programs(16).version == "16.4"
    with pytest.raises(CouldNotVerifyError, match="no PostgreSQL server of version 19 or newer") as caught:
        cluster.programs(19)
    assert "postgresql-19" in caught.value.next_step
    os.unlink(os.path.join(found[1].bindir, "initdb"))
    assert cluster.programs(15).version == "18.1"


class Child:
    """A server that says something and has a status, or lives."""

    def __init__(self, status=None, said=""):
        self.popen = SimpleNamespace(poll=lambda: status)
        self.complaint = lambda: said


def wait(monkeypatch, child, *answers):
    answers = list(answers)

    def ask(*_arguments):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(postgres, "server", ask)
    return cluster._wait(child, Target().clients, Target().admin)


def test_waited_for_until_it_answers(monkeypatch):
    assert wait(monkeypatch, Child(), DatabaseError("not yet"), server()) == server()


def test_a_server_that_ends_is_not_waited_for(monkeypatch):
    with pytest.raises(CouldNotVerifyError, match="did not start: FATAL: out of memory"):
        wait(monkeypatch, Child(1, "FATAL: out of memory"), DatabaseError("not yet"))
    with pytest.raises(CouldNotVerifyError, match="did not start: no socket"):
        wait(monkeypatch, Child(1), DatabaseError("no socket"))


def test_one_that_cannot_be_made_says_why(base, monkeypatch):
    def fail(*_arguments, **_options):
        raise ProcessError("initdb exited with status 1: no space")

    monkeypatch.setattr(cluster.process, "run", fail)
    monkeypatch.setattr(Clients, "path", lambda _clients, program: f"/bin/{program}")
    with pytest.raises(CouldNotVerifyError, match="could not be made: initdb exited"):
        with cluster.room(str(base), "") as room, cluster.running(room, Target().clients):
            pass


@pytest.mark.parametrize("there", [True, False])
def test_lz4_where_the_server_has_it(monkeypatch, there):
    monkeypatch.setattr(postgres, "has_lz4", lambda *_arguments: there)
    place = Target(answers=Answers())
    cluster._prefer_lz4(place)
    assert bool(place.answers.said) is there
