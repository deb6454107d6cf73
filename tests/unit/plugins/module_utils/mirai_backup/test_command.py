"""command: what a program is started with is ours to say, and no secret of it shows."""

import getpass
import os
import pwd

import pytest
from mirai_backup import process
from mirai_backup.command import Command
from mirai_backup.errors import ProcessError


def test_the_environment_is_our_own(monkeypatch):
    for key, value in {"PGPASSWORD": "x", "PGHOST": "y", "LC_MESSAGES": "de_DE", "LANGUAGE": "de", "PATH": ""}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("HOME", raising=False)
    said = process.run(Command(("env",), env=(("PGPASSFILE", "/f"),))).decode().splitlines()
    found = dict(line.split("=", 1) for line in said)
    assert {key for key in found if key.startswith(("PG", "LC_", "LANG"))} == {"PGPASSFILE", "LC_ALL"}
    assert (found["LC_ALL"], found["HOME"]) == ("C.UTF-8", "/")
    assert found["PATH"].split(":")[0] == "/usr/local/sbin"


def test_it_runs_as_another_account():
    account = pwd.getpwnam(getpass.getuser() if os.geteuid() else "nobody")
    assert process.run(Command(("id", "-u"), user=account.pw_name)) == b"%d\n" % account.pw_uid
    with pytest.raises(ProcessError, match="id cannot be started: there is no account no-such-account"):
        process.run(Command(("id",), user="no-such-account"))


def test_a_secret_does_not_show():
    assert "hunter2" not in repr(Command(("x",), secrets=("hunter2",)))


def test_a_command_is_named_by_its_program():
    assert Command(("/usr/lib/postgresql/15/bin/psql", "-X")).name == "psql"
