"""Who is told what, when; and that no secret and no row is in it."""

from __future__ import annotations

import base64
import json
import urllib.parse
from dataclasses import replace

import pytest
from mirai_backup import alerts, repository, runs, secrecy
from mirai_backup.errors import DatabaseError
from mirai_backup.outcome import Outcome
from mirai_backup.runs import Occasion

FULL = Occasion("backup", "full")
OK = runs.of_outcome(FULL, Outcome({"backup": {"id": "x"}, "incomplete": []}), 1)
FAILED = runs.of_error(FULL, DatabaseError("the server is down", "start it"), 1)
INCOMPLETE = runs.of_outcome(FULL, Outcome({"backup": {"id": "x"}, "incomplete": ["a moved"]}, exit_code=3), 1)
PASSWORD = "p@ss/w:rd' \\x#?&日本"


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, OK, ""),
        (OK, OK, ""),
        (OK, FAILED, "FAILED"),
        (FAILED, FAILED, "FAILED"),
        (FAILED, OK, "RECOVERED"),
        (INCOMPLETE, OK, "RECOVERED"),
        (OK, INCOMPLETE, "INCOMPLETE"),
        (FAILED, INCOMPLETE, "INCOMPLETE"),
    ],
)
def test_word(settings_of, before, now, expected):
    assert alerts.word(settings_of(), now, before) == expected


def test_word_where_success_is_wanted_or_a_hook_failed(settings_of, tmp_path):
    config = settings_of(alert_success=True)
    assert alerts.word(config, OK, OK) == "SUCCESS"
    assert alerts.word(config, OK, FAILED) == "RECOVERED"
    assert alerts.word(config, OK, OK, hook_failed=True) == "FAILED"


def test_a_restore_that_was_refused_tells_nobody_a_backup_or_drill_does(settings_of):
    refused = replace(FAILED, exit_code=10)
    config = settings_of()
    assert alerts.word(config, replace(refused, verb="restore"), None) == ""
    assert alerts.word(config, replace(FAILED, verb="restore"), None) == "FAILED"
    assert alerts.word(config, replace(refused, verb="drill"), None) == "FAILED"
    assert alerts.word(config, refused, None) == "FAILED"


def test_message_has_what_somebody_at_night_needs(settings_of, sealed, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "app1")
    head = sealed("full")
    config = settings_of()
    told = alerts.message(config, replace(FAILED, problems=("hook x failed",)), "FAILED")
    assert told.subject == "FAILED app1: backup full: the server is down" and told.tone == "failure"
    for words in ("backup full of mirai on app1", "failed, exit code 1", "start it", "hook x failed", head.id):
        assert words in told.body, told.body
    assert f"Log:        {config.log}" in told.body
    assert alerts.message(config, OK, "RECOVERED").subject == "RECOVERED app1: backup full"


def test_message_in_japanese_begins_with_the_word_that_filters_know(settings_of, sealed, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "app1")
    head = sealed("full")
    config = settings_of(language="ja")
    told = alerts.message(config, FAILED, "FAILED")
    assert told.subject == "FAILED app1: バックアップ（完全）: the server is down"
    for words in (
        "app1 の mirai のバックアップ（完全）",
        "失敗（終了コード 1、",
        "次の手順:   start it",
        f"{head.id}（データベース",
    ):
        assert words in told.body, told.body
    assert f"ログ:       {config.log}" in told.body
    elsewhere = alerts.message(replace(config, repository="/nowhere"), FAILED, "FAILED")
    assert "直近の正常: 不明: " in elsewhere.body


def test_without_any_backup_and_without_a_repository(settings_of, repo):
    assert "there is none" in alerts.message(settings_of(), FAILED, "FAILED").body


def test_subject_is_one_short_line(settings_of):
    long = replace(FAILED, cause="a\nb " + "x" * 500)
    subject = alerts.message(settings_of(), long, "FAILED").subject
    assert len(subject) == 160 and subject.endswith("…") and "\n" not in subject


def test_no_secret_in_any_spelling(settings_of):
    encoded = urllib.parse.quote(PASSWORD, safe="")
    url = "https://hc.example/ping/0123-4567-key"
    config = settings_of(
        heartbeat_url=url, admin_url="postgresql://a:Adm1n-canary@h/d", database_url=f"postgresql://u:{encoded}@h/d"
    )
    spellings = [PASSWORD, encoded, urllib.parse.quote_plus(PASSWORD), base64.b64encode(PASSWORD.encode()).decode()]
    spellings += [json.dumps(PASSWORD)[1:-1], url, "0123-4567-key", "Adm1n-canary"]
    run = replace(FAILED, cause=" ".join(spellings), next_step=" ".join(spellings), problems=tuple(spellings))
    told = alerts.message(config, run, "FAILED")
    for spelling in spellings:
        assert spelling not in told.subject + told.body, spelling
        assert spelling not in secrecy.clean(config, spelling)


def test_password_of_the_env_file(settings_of, tmp_path):
    config = settings_of()
    (tmp_path / "app" / "backend" / ".env").write_text("DATABASE_URL=postgresql://u:c4nary%2Fpw@h/d\n")
    assert {"c4nary/pw", "c4nary%2Fpw"} <= set(secrecy.secrets(config))


@pytest.mark.parametrize(
    "words",
    [
        "DETAIL:  Key (email)=(canary@example.org) already exists.",
        "DETAIL:  Key (a, b)=(1, canary) is not present in table",
        'CONTEXT:  COPY users, line 7, column name: "canary"',
        'CONTEXT:  COPY users, line 7: "1 canary (x)"',
        "DETAIL:  Failing row contains (7, canary, null).",
        'ERROR:  invalid input syntax for type integer: "canary"',
        'ERROR:  invalid input value for enum mood: "canary"',
        'ERROR:  value "canary" is out of range for type integer',
        'DETAIL:  Token "canary" is invalid.',
    ],
)
def test_no_row_that_postgresql_quotes(settings_of, words):
    cleaned = secrecy.clean(settings_of(), f"pg_restore exited with status 1: {words} / the rest")
    assert "canary" not in cleaned and cleaned.endswith("/ the rest")
    assert "pg_restore exited with status 1" in cleaned


def test_test_says_which_channel_works(settings_of, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "apprise").write_text('#!/bin/sh\ncat > /dev/null\n[ "$4" = channel1 ]\n')
    (tmp_path / "apprise").chmod(0o755)
    (tmp_path / "alerts.conf").write_text("channel1=json://a\nchannel2=json://b\n")
    outcome = alerts.test(settings_of(alerts_config=str(tmp_path / "alerts.conf"), alert_mail=[]))
    assert outcome.exit_code == 1 and outcome.document["working"] == 1
    assert [one["works"] for one in outcome.document["channels"]] == [True, False]
    assert outcome.lines[0] == "channel1 (json): works" and "channel2 (json): apprise exited" in outcome.lines[1]


def test_a_damaged_manifest_keeps_no_alert_back(settings_of, sealed, monkeypatch):
    sealed()
    monkeypatch.setattr(repository.Backup, "manifest", property(lambda _self: 1 / 0))
    assert "mirai_json" in alerts.message(settings_of(), FAILED, "FAILED").body
