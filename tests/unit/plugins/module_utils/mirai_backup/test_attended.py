"""Whatever fails in watching a run, the run keeps its result."""

from __future__ import annotations

import pytest
from mirai_backup import alerts, attended, keyring, marks, metrics, runs
from mirai_backup.errors import DatabaseError, PreflightError
from mirai_backup.outcome import Outcome
from mirai_backup.runs import Occasion
from mirai_backup.watch import Observer

FULL = Occasion("backup", "full")
MADE = Outcome({"backup": {"id": "x"}, "incomplete": []}, ("made",))


@pytest.fixture
def told(monkeypatch):
    """The alerts that would have been sent."""
    sent = []
    monkeypatch.setattr(alerts, "send", lambda _config, message: sent.append(message.subject.split()[0]) or [])
    return sent


def run(config, action=lambda _hooks: MADE, said=None):
    observer = Observer(lambda level, message: said.append((level, message)) if said is not None else None)
    return attended.run(config, FULL, observer, action)


def down(_hooks):
    raise DatabaseError("down", "start it")


def test_the_outcome_comes_back_with_nothing_to_report(settings_of, repo, told):
    outcome = run(settings_of())
    assert outcome.document == {**MADE.document, "watching": []} and outcome.lines == ("made",)
    assert told == []


def test_failure_every_time_recovery_once(settings_of, repo, told):
    config = settings_of()
    for action in (down, down):
        with pytest.raises(DatabaseError):
            run(config, action)
    run(config)
    run(config)
    assert told == ["FAILED", "FAILED", "RECOVERED"]
    assert runs.last(repo)[("backup", "full")].result == "ok"


@pytest.mark.parametrize("broken", [(alerts, "send"), (metrics, "write"), (runs, "remember"), (alerts, "message")])
def test_a_bug_in_watching_is_reported_and_no_more(settings_of, repo, monkeypatch, broken, tmp_path):
    def bug(*_arguments, **_named):
        raise RuntimeError("a bug")

    monkeypatch.setattr(*broken, bug)
    said = []
    config = settings_of(alert_success=True, metrics_textfile=str(tmp_path / "x"), alert_mail=[])
    outcome = run(config, said=said)
    assert outcome.exit_code == 0
    (problem,) = outcome.document["watching"]
    assert "RuntimeError: a bug" in problem and outcome.lines == ("made", f"  watching: {problem}")
    assert ("WARNING", f"watching: {problem}") in said
    with pytest.raises(DatabaseError):
        run(config, down)


def test_terminated_while_it_tells(settings_of, repo, monkeypatch):
    def stop(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(alerts, "word", stop)
    assert run(settings_of()).document["watching"] == ["interrupted before everybody was told"]
    with pytest.raises(DatabaseError):
        run(settings_of(), down)


def test_a_bug_in_the_action_is_told_and_raised(settings_of, repo, told):
    def bug(_hooks):
        raise ZeroDivisionError("x")

    with pytest.raises(ZeroDivisionError):
        run(settings_of(), bug)
    assert told == ["FAILED"]


def test_without_a_repository_nothing_is_made(settings_of, told):
    config = settings_of()
    attended.failed(config, FULL, Observer(), DatabaseError("no such key"))
    assert told == ["FAILED"] and runs.last(config.repository) == {}


def test_keys_that_expire_are_among_the_metrics(settings_of, repo, monkeypatch, tmp_path):
    keys = (keyring.Key("F00D", "recipient", 7, ""), keyring.Key("BEEF", "signer", None, ""))
    monkeypatch.setattr(keyring, "find", lambda _config: keys)
    run(settings_of(metrics_textfile=str(tmp_path / "x.prom")))
    written = (tmp_path / "x.prom").read_text()
    assert 'mirai_backup_key_expiry_timestamp_seconds{fingerprint="F00D"} 7' in written and "BEEF" not in written


def test_keys_that_cannot_be_read_keep_no_metrics_back(settings_of, repo, monkeypatch, tmp_path):
    def missing(_config):
        raise PreflightError("gpg is not installed")

    monkeypatch.setattr(keyring, "find", missing)
    outcome = run(settings_of(metrics_textfile=str(tmp_path / "x.prom")))
    assert outcome.document["watching"] == ["the keys: gpg is not installed"]
    assert "mirai_backup_last_run_exit_code" in (tmp_path / "x.prom").read_text()


def test_what_the_stores_took_is_among_the_metrics(settings_of, repo, tmp_path):
    mark = marks.Mark("2026-11-24T00:00:00.000000Z", "d1", "full", 1, {})
    gone = marks.Mark("2026-11-25T00:00:00.000000Z", "d2", "full", 2, {}, gone="2026-11-26T00:00:00.000000Z")
    marks.write(marks.create(repo, "s3"), marks.Memory({"mirai_full_1": mark, "mirai_full_2": gone}))
    stores = [{"name": name, "path": "x", "retention": "none"} for name in ("s3", "sftp")]
    run(settings_of(metrics_textfile=str(tmp_path / "x.prom"), offsite=stores))
    written = (tmp_path / "x.prom").read_text()
    assert 'mirai_backup_offsite_newest_timestamp_seconds{store="s3"} 1795478400.0' in written
    assert 'mirai_backup_offsite_newest_timestamp_seconds{store="sftp"} 0' in written
