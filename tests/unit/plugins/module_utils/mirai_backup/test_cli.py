"""cli: one verb, one outcome, the documented exit code; JSON for programs, short lines for people."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from mirai_backup import __version__, adopt, cli, drill, lock, offsite, pull, push, restore, rollback
from mirai_backup.errors import UsageError
from mirai_backup.outcome import Outcome


@pytest.fixture(autouse=True)
def signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def config_file(settings_of, tmp_path):
    """A written configuration without a reachable database, and one JSON file to back up."""
    document = settings_of(database_url="postgresql://u:hunter2@127.0.0.1:1/none").document(masked=False)
    (tmp_path / "app/backend/data/a.json").write_bytes(b"{}")
    os.utime(tmp_path / "app/backend/data/a.json", (0, 0))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def call(config_file, capsys):
    """Runs the command; returns its exit code, stdout and stderr."""

    def run(*words, default_log="/nonexistent"):
        code = cli.main(["--config", config_file, *words], default_log=default_log)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def call_json(call):
    def run(*words):
        code, out, _err = call("--json", *words)
        return code, json.loads(out)

    return run


@pytest.fixture
def backed_up(call_json):
    """One backup of the JSON half; its ID."""
    code, document = call_json("backup", "--json-only")
    assert code == 0
    return document["backup"]["id"]


def test_version_help_and_usage(call):
    assert call("--version") == (0, f"mirai-backup {__version__}\n", "")
    code, out, _err = call("--help")
    assert (code, "Exit codes: 0 ok" in out) == (0, True)
    for words in ((), ("bakcup",), ("--colour", "list"), ("backup", "--db-only", "--json-only")):
        code, out, err = call(*words)
        assert (code, out, err[:6]) == (64, "", "usage:")


def test_backup_list_info_verify(call, call_json, backed_up):
    code, listed = call_json("list")
    assert (code, [one["id"] for one in listed["backups"]]) == (0, [backed_up])
    assert call_json("info")[1]["backup"]["id"] == backed_up
    code, verified = call_json("verify", "--all")
    assert (code, verified["verified"]) == (0, [{"id": backed_up, "verdict": "pass", "why": "", "sealed": True}])
    code, out, err = call("list", "--kind", "json")
    assert (code, out.split()[0], err) == (0, backed_up, "")


def test_a_damaged_backup_is_a_mismatch(call, call_json, backed_up):
    path = call_json("info")[1]["backup"]["path"]
    with open(path, "r+b") as file:
        file.seek(20)
        file.write(b"????")
    code, verified = call_json("verify")
    assert (code, verified["verified"][0]["verdict"]) == (2, "fail")
    code, out, err = call("--quiet", "verify")
    assert (code, out) == (2, "")
    assert f"{os.path.basename(path)} is damaged" in err


def test_a_plan_changes_nothing(call_json, contents, tmp_path):
    before = contents(tmp_path / "app")
    code, document = call_json("backup", "--json-only", "--plan")
    assert (code, document["plan"]["kind"]) == (0, "json")
    assert contents(tmp_path / "app") == before


def test_prune_keep_release(call, call_json, backed_up):
    assert call_json("keep", backed_up) == (0, {"id": backed_up, "pinned": True, "changed": True})
    assert call_json("prune", "--dry-run")[1]["reasons"] == {backed_up: "kept: pinned"}
    assert call_json("release", backed_up)[1]["pinned"] is False
    assert call("prune")[1] == f"{backed_up}  kept: younger than 7 d\n"


def test_check_fails_without_a_database_backup(call, backed_up):
    assert call("check")[0] == 1
    code, out, _err = call("check", "--nagios", "--max-age", "1h")
    assert (code, out[:21]) == (2, "MIRAI_BACKUP CRITICAL")


def test_a_monitoring_plugin_that_cannot_look_says_so_in_one_line(call, config_file):
    os.chmod(config_file, 0o644)
    unknown = f"MIRAI_BACKUP UNKNOWN - configuration {config_file} has mode 0644, but may hold secrets; next: chmod"
    code, out, err = call("check", "--nagios")
    assert (code, out.count("\n"), err) == (3, 1, "")
    assert out.startswith(unknown)
    os.unlink(config_file)
    code, out, err = call("check", "--nagios")
    assert (code, out.count("\n"), err) == (3, 1, "")
    assert call("check")[0] == 64


def test_a_monitoring_plugin_that_is_called_wrongly_says_so_too(call):
    code, out, err = call("check", "--nagios", "--max-age", "soon")
    assert (code, out.count("\n"), "argument --max-age" in err) == (3, 1, True)
    assert out.startswith("MIRAI_BACKUP UNKNOWN - the command was called wrongly")


def test_config_is_validated_and_shown_without_secrets(call, call_json, config_file):
    assert call("config", "validate") == (0, f"{config_file} is valid\n", "")
    code, out, _err = call("config", "show")
    assert (code, json.loads(out)["database_url"], "hunter2" in out) == (0, "********", False)
    assert call_json("config", "show")[1] == json.loads(out)


def test_errors_are_two_lines_with_a_next_step_and_a_code(call, call_json, config_file):
    code, out, err = call("info", "latest")
    assert (code, out) == (10, "")
    assert err.splitlines()[0].startswith("mirai-backup info: there is no repository at ")
    assert err.splitlines()[1].startswith("  next: ")
    code, document = call_json("info", "latest")
    assert (code, document["exit_code"], document["error_type"]) == (10, 10, "NotFoundError")
    code, _out, err = call("backup", "--db-only")
    assert code == 1
    assert "hunter2" not in err
    os.chmod(config_file, 0o644)
    assert call("list")[0] == 64


def test_a_traceback_only_when_it_is_asked_for(call):
    with pytest.raises(Exception, match="there is no repository"):
        call("--traceback", "list")


def test_what_the_system_refuses_is_an_error_that_names_the_file(call, backed_up, tmp_path):
    os.unlink(tmp_path / "app/backend/backups/.lock")
    os.symlink("x", tmp_path / "app/backend/backups/.lock")
    code, _out, err = call("prune")
    assert code == 1
    assert ".lock: Too many levels of symbolic links" in err
    with pytest.raises(OSError, match="symbolic links"):
        call("--traceback", "prune")


def test_a_configuration_that_cannot_be_read_is_in_the_log_since_cron_sees_no_screen(call, config_file, tmp_path):
    log = tmp_path / "default.log"
    log.touch()
    os.unlink(config_file)
    assert call("backup", default_log=str(log))[0] == 64
    assert "ERROR backup: FAILED: configuration" in log.read_text()
    assert call("list", default_log="/nonexistent")[0] == 64


def test_a_wrong_configuration_is_alerted_for_what_a_schedule_runs(call, config_file, tmp_path, monkeypatch):
    values = {**json.loads(open(config_file, encoding="utf-8").read()), "jobs": 0, "alert_mail": ["root"]}
    with open(config_file, "w", encoding="utf-8") as file:
        json.dump(values, file)
    (tmp_path / "sendmail").write_text(f"#!/bin/sh\ncat >> {tmp_path}/mails\n")
    (tmp_path / "sendmail").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "backup.log").touch()
    for words in (("list",), ("backup", "--plan"), ("restore", "latest")):
        assert call(*words)[0] == 64
    assert not (tmp_path / "mails").exists()
    assert call("backup")[0] == 64 and call("drill")[0] == 64
    assert (tmp_path / "mails").read_text().count("Subject: FAILED") == 2
    assert "ERROR drill: FAILED: configuration key jobs" in (tmp_path / "backup.log").read_text()


def test_alerts_are_tried(call_json):
    code, document = call_json("config", "test-alerts")
    assert (code, document) == (1, {"channels": [], "working": 0})


def test_locked_by_another_run(call, backed_up, settings_of, tmp_path):
    with lock.hold(str(tmp_path / "app/backend/backups"), "restore"):
        code, _out, err = call("backup", "--json-only")
    assert code == 11
    assert "another run: restore, process" in err


@pytest.fixture
def start(config_file):
    """Starts the command in a process of its own."""

    def run(*words):
        environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(cli.__file__))}
        argv = [sys.executable, "-m", "mirai_backup", "--config", config_file, *words]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    return run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted(start, backed_up, tmp_path, number):
    with lock.hold(str(tmp_path / "app/backend/backups"), "restore"):
        child = start("backup", "--json-only", "--wait", "60")
        while not holds_open(child.pid, ".lock"):
            assert child.poll() is None
            time.sleep(0.01)
        child.send_signal(number)
        _out, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert err.startswith("mirai-backup backup: ")
    assert "Traceback" not in err


def holds_open(pid, name):
    """Whether the process has a file of this name open."""
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            if os.path.basename(os.readlink(f"/proc/{pid}/fd/{descriptor}")) == name:
                return True
    return False


def test_a_reader_that_goes_away_is_no_error(start):
    child = start("config", "show")
    child.stdout.close()
    assert child.wait(20) == 0
    assert child.stderr.read() == ""
    child.stderr.close()


@pytest.mark.parametrize(
    ("words", "room", "function", "passed"),
    [
        ("restore latest --json-only --plan", restore, "plan", "components='json'"),
        ("restore latest --table auth.users", restore, "run", "tables=('auth.users',)"),
        ("rollback --plan", rollback, "plan", ""),
        ("rollback", rollback, "run", "Observer"),
        ("list --offsite --store a", offsite, "run", "'a'"),
        ("verify --offsite --store a", offsite, "verify", "'a'"),
        ("drill latest --key /k", drill, "run", "key_file='/k'"),
        ("push --store a", push, "run", "'a'"),
        ("pull latest", pull, "run", "'latest'"),
        ("adopt /old/x.tar.gz", adopt, "run", "('/old/x.tar.gz',)"),
    ],
)
def test_each_verb_is_a_rooms(call, monkeypatch, words, room, function, passed):
    said = []
    monkeypatch.setattr(room, function, lambda *arguments: said.append(repr(arguments)) or Outcome({}, ("done",), 3))
    assert call(*words.split())[:2] == (3, "done\n")
    assert passed in said[0]


def test_quiet_speaks_only_of_what_went_wrong(call, monkeypatch):
    monkeypatch.setattr(rollback, "run", lambda *_arguments: Outcome({}, ("done",), 3))
    assert call("--quiet", "rollback") == (3, "", "done\n")
    monkeypatch.setattr(rollback, "run", lambda *_arguments: Outcome({}, ("done",)))
    assert call("--quiet", "rollback") == (0, "", "")


def test_called_wrongly_is_a_document_too_where_one_is_wanted(call, call_json):
    wrong = UsageError("the command was called wrongly", "see mirai-backup --help")
    assert call_json("fly") == (64, wrong.document())
    code, _out, err = call("drill", "--store", "a")
    assert (code, "--store means nothing without --offsite" in err) == (64, True)


def test_an_interrupt_in_a_verb_is_code_130(call, monkeypatch):
    def interrupt(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(rollback, "plan", interrupt)
    code, _out, err = call("rollback", "--plan")
    assert (code, "the next run sweeps what was left" in err) == (130, True)


def test_a_system_error_is_raised_where_a_traceback_is_wanted(call, monkeypatch):
    def fail(*_arguments):
        raise OSError(5, "Input/output error", "/disk")

    monkeypatch.setattr(rollback, "plan", fail)
    assert call("rollback", "--plan")[2].startswith("mirai-backup rollback: /disk: Input/output error")
    with pytest.raises(OSError, match="Input/output"):
        call("--traceback", "rollback", "--plan")
