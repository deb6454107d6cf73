"""What watches a run, against real counterparts: SMTP and HTTP servers, a sendmail, promtool."""

from __future__ import annotations

import base64
import email
import email.policy
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest
from application import PASSWORD
from sinks import HttpSink, SmtpSink, words_of

CANARY = "Canary-4711-row"


@pytest.fixture
def http():
    sink = HttpSink()
    yield sink
    sink.close()


@pytest.fixture
def smtp():
    sink = SmtpSink()
    yield sink
    sink.close()


@pytest.fixture
def watched(app, http, smtp):
    """The application with a mail channel and a webhook; apprise is the one beside this Python."""
    app.channels = [
        f"mailto://127.0.0.1:{smtp.port}/ops@example.org?from=backup@example.org",
        f"json://hookuser:hooksecret99@127.0.0.1:{http.port}/alerts",
    ]
    write_channels(app)
    app.path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    return app


def write_channels(app) -> None:
    path = app.directory / "alerts.conf"
    path.write_text("".join(f"channel{number}={url}\n" for number, url in enumerate(app.channels, 1)))
    path.chmod(0o600)
    app.configure(alerts_config=str(path))


def run(app, *arguments, **extra):
    return app.run(*arguments, PATH=app.path, **extra)


def break_it(app) -> None:
    app.write_env(app.url(port=1))


def mend(app) -> None:
    app.write_env(app.url())


def runs_of(app) -> list:
    return json.loads((app.repository / ".watch" / "runs.json").read_text())["runs"]


def test_failure_and_recovery_reach_every_channel_and_success_only_where_wanted(watched, http, smtp):
    host = os.uname().nodename
    assert run(watched, "backup").code == 0
    assert not smtp.mails and not http.requests
    break_it(watched)
    assert run(watched, "backup").code == 1
    assert run(watched, "backup").code == 1
    subjects = [mail["subject"] for mail in smtp.mails]
    assert len(subjects) == 2 and all(one.startswith(f"FAILED {host}: backup full: ") for one in subjects), subjects
    assert "port 1" in subjects[0]
    words = words_of(smtp.mails[0])
    good = watched.ids()[0]
    for expected in ("start the server", good, str(watched.log), "exit code 1"):
        assert expected in words, words
    assert [one.document["type"] for one in http.requests] == ["failure", "failure"]
    mend(watched)
    assert run(watched, "backup").code == 0
    assert run(watched, "backup").code == 0
    assert smtp.mails[2]["subject"].startswith(f"RECOVERED {host}: backup full") and len(smtp.mails) == 3
    assert http.requests[2].document["type"] == "success"
    watched.configure(alert_success=True)
    assert run(watched, "backup", "--json-only").code == 0
    assert smtp.mails[3]["subject"] == f"SUCCESS {host}: backup json"


def test_a_channel_that_refuses_or_hangs_holds_up_no_other_and_no_backup(watched, http, smtp):
    smtp.refusal = "550 no such user"
    watched.configure(alert_success=True)
    result = run(watched, "--json", "backup")
    assert result.code == 0
    assert len(http.requests) == 1
    (problem,) = result.document["watching"]
    assert problem.startswith("alert by channel1 (mailto)") and "Sending email" in problem
    assert "hooksecret99" not in watched.log.read_text()
    assert problem in watched.log.read_text()
    assert problem in run(watched, "check").out
    http.status = 500
    smtp.refusal = ""
    (problem,) = run(watched, "--json", "backup").document["watching"]
    assert problem.startswith("alert by channel2 (json)") and "hooksecret99" not in problem
    assert "500" in problem
    assert len(smtp.mails) == 1


def test_hanging_channel_is_given_up(watched, http, smtp):
    http.hangs = True
    watched.configure(alert_success=True)
    begun = time.monotonic()
    result = run(watched, "--json", "backup", "--json-only")
    assert result.code == 0 and time.monotonic() - begun < 60
    assert len(smtp.mails) == 1
    assert "channel2 (json)" in result.document["watching"][0]


def test_lockout_and_a_configuration_with_a_wrong_key_are_alerted(watched, smtp):
    assert run(watched, "backup").code == 0
    with open(watched.repository / ".lock", "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert run(watched, "backup").code == 11
    assert ".lock is held" in smtp.mails[0]["subject"]
    assert "locked out" in run(watched, "check").out
    watched.configure(jobs=0)
    assert run(watched, "backup").code == 64
    assert "jobs" in smtp.mails[1]["subject"] and smtp.mails[1]["subject"].startswith("FAILED")
    watched.configure(jobs=2)
    assert run(watched, "backup").code == 0
    assert smtp.mails[2]["subject"].startswith("RECOVERED")


def test_refused_restore_alerts_nobody_failed_restore_does(watched, smtp):
    assert run(watched, "backup").code == 0
    assert run(watched, "restore", "mirai_full_20000101_000000").code == 10
    assert not smtp.mails
    watched.configure(restore_smoke=[{"name": "never", "command": ["false"]}], restore_smoke_timeout=0)
    assert run(watched, "restore", "latest").code == 1
    assert ": restore full: smoke test never failed" in smtp.mails[0]["subject"]


def test_local_mail(app, tmp_path):
    sendmail = tmp_path / "bin" / "sendmail"
    sendmail.parent.mkdir()
    sendmail.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/mail\n')
    sendmail.chmod(0o755)
    app.configure(alert_mail=["root", "作業@example.org"])
    app.path = f"{sendmail.parent}:{os.environ['PATH']}"
    break_it(app)
    assert run(app, "backup").code == 1
    mail = email.message_from_bytes((tmp_path / "mail").read_bytes(), policy=email.policy.default)
    assert (tmp_path / "arguments").read_text() == "-oi -t\n"
    assert mail["subject"].startswith("FAILED") and "root" in mail["to"]
    assert "Next step:" in words_of(mail)
    sendmail.write_text("#!/bin/sh\necho queue is full >&2\nexit 75\n")
    assert run(app, "backup").code == 1
    assert "alert by mail: sendmail exited with status 75: queue is full" in app.log.read_text()


def test_test_alerts_names_what_does_not_work(watched, http, smtp):
    result = run(watched, "--json", "config", "test-alerts")
    assert result.code == 0, result.out
    assert [one["works"] for one in result.document["channels"]] == [True, True]
    assert smtp.mails[0]["subject"].startswith("TEST") and len(http.requests) == 1
    smtp.refusal = "550 no"
    result = run(watched, "--json", "config", "test-alerts")
    assert result.code == 1 and result.document["working"] == 1
    watched.configure(alerts_config="")
    assert run(watched, "config", "test-alerts").code == 1


def test_heartbeat_pings_start_and_exit_status_under_one_run_id(app, http):
    app.configure(heartbeat_url=f"http://127.0.0.1:{http.port}/ping/3c1f7a30-key?create=1")
    assert app.run("backup").code == 0
    break_it(app)
    assert app.run("backup").code == 1
    paths = [urllib.parse.urlsplit(one) for one in http.paths()]
    assert [one.path.rsplit("/", 1)[1] for one in paths] == ["start", "0", "start", "1"]
    ids = [urllib.parse.parse_qs(one.query)["rid"][0] for one in paths]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert all("create=1" in one.query for one in paths)
    assert "port 1" in http.requests[3].body
    assert app.run("check").code == 0
    assert len(http.requests) == 4


def test_heartbeat_that_fails_changes_nothing_and_shows_no_key(app, http):
    app.configure(heartbeat_url=f"http://127.0.0.1:{http.port}/ping/3c1f7a30-key")
    http.status = 503
    result = app.run("--json", "backup")
    assert result.code == 0 and len(http.requests) == 4
    assert len(result.document["watching"]) == 2 and "503" in result.document["watching"][0]
    assert "3c1f7a30-key" not in app.log.read_text()


def test_after_hook_that_fails_changes_no_result_but_is_alerted(watched, smtp):
    watched.configure(hooks={"after_backup": [{"command": ["false"]}]})
    result = run(watched, "--json", "backup")
    assert result.code == 0 and "after_backup[0] (false) failed" in result.document["watching"][0]
    assert smtp.mails[0]["subject"].startswith("FAILED") and "hook after_backup[0]" in smtp.mails[0]["subject"]


def test_metrics_are_whole_readable_and_what_prometheus_reads(app, tmp_path):
    path = tmp_path / "textfile" / "mirai_backup.prom"
    path.parent.mkdir()
    app.configure(metrics_textfile=str(path))
    before = time.time()
    app.succeed("backup")
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == [path.name]
    values = parsed(path)
    assert before - 1 <= values['mirai_backup_last_success_timestamp_seconds{kind="full"}'] <= time.time() + 1
    assert values['mirai_backup_last_run_exit_code{verb="backup",kind="full"}'] == 0
    good = values['mirai_backup_newest_timestamp_seconds{half="database"}']
    break_it(app)
    assert app.run("backup").code == 1
    values = parsed(path)
    assert values['mirai_backup_last_run_exit_code{verb="backup",kind="full"}'] == 1
    assert values['mirai_backup_newest_timestamp_seconds{half="database"}'] == good
    promtool = shutil.which("promtool")
    if promtool is not None:
        done = subprocess.run(
            [promtool, "check", "metrics"], stdin=path.open(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    app.configure(metrics_textfile=str(tmp_path / "nowhere" / "x.prom"))
    mend(app)
    result = app.run("--json", "backup")
    assert result.code == 0 and "metrics" in result.document["watching"][0]


def parsed(path: Path) -> dict:
    lines = [one for one in path.read_text().splitlines() if not one.startswith("#")]
    return {name: float(value) for name, value in (one.rsplit(" ", 1) for one in lines)}


def test_no_secret_and_no_row_in_anything_that_is_sent_or_kept(watched, http, smtp):
    """A row that makes the restore fail is quoted by PostgreSQL; a hook shows the .env."""
    env = watched.backend / ".env"
    watched.sql(
        "CREATE TABLE public.checked (note text CHECK (current_database() NOT LIKE '%restore%'"
        f" AND current_database() NOT LIKE '%drill%')); INSERT INTO public.checked VALUES ('{CANARY}')"
    )
    watched.configure(
        alert_success=True,
        heartbeat_url=f"http://127.0.0.1:{http.port}/ping/3c1f7a30-key",
        metrics_textfile=str(watched.directory / "m.prom"),
        hooks={"before_restore": [{"command": ["sh", "-c", 'grep DATABASE "$0" >&2; exit 1', str(env)]}]},
    )
    assert run(watched, "backup").code == 0
    assert run(watched, "restore", "latest", "--db-only").code == 1
    watched.configure(hooks={})
    assert run(watched, "restore", "latest", "--db-only").code == 1
    assert run(watched, "drill").code == 2
    sent = [str(mail) + words_of(mail) for mail in smtp.mails] + [one.body + one.path for one in http.requests]
    kept = [watched.log.read_text(), (watched.directory / "m.prom").read_text()]
    kept += [one.read_text() for one in watched.repository.glob("*.log")]
    kept += [(watched.repository / ".watch" / "runs.json").read_text()]
    assert len(smtp.mails) == 4
    assert CANARY in watched.sql("SELECT * FROM checked")
    raw = PASSWORD.encode()
    forms = (PASSWORD, urllib.parse.quote(PASSWORD, safe=""), base64.b64encode(raw).decode(), CANARY, "hooksecret99")
    for form in forms:
        assert not [one for one in sent + kept if form in one], form
    assert not [one for one in sent[: len(smtp.mails)] + kept if "3c1f7a30-key" in one]
