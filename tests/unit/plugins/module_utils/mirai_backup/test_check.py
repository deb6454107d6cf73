"""check: is there a good and recent backup of both halves? As people and as Nagios hear it."""

import dataclasses
import datetime
import json
import os

import pytest
from mirai_backup import check, drill_history, marks, records, repository, restores, runs, text
from mirai_backup.errors import EngineError, LockedError

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def settings(settings_of):
    return settings_of()


def test_a_recent_full_backup_is_enough(settings, sealed):
    sealed("full", age=HOUR)
    outcome = check.run(settings)
    assert outcome.exit_code == 0
    assert outcome.document["ok"] is True
    assert outcome.document["age_seconds"]["database"] == pytest.approx(3600, abs=60)
    assert outcome.lines[0].startswith("ok: ")


@pytest.mark.parametrize(("age", "max_age", "code"), [(25, 26, 0), (27, 26, 1), (27, 48, 0)])
def test_the_age_of_each_half_counts(settings, sealed, age, max_age, code):
    sealed("json", sequence=1, age=HOUR)
    sealed("database", sequence=2, age=age * HOUR)
    outcome = check.run(settings, max_age=max_age * 3600)
    assert outcome.exit_code == code
    if code:
        assert outcome.lines == (
            "problem: the newest backup of the database half is 1 d 3 h old (mirai_db_20260101_000002)",
        )


def test_a_missing_half_is_a_problem(settings, sealed):
    sealed("json")
    outcome = check.run(settings)
    assert outcome.exit_code == 1
    assert outcome.document["problems"] == ["there is no good backup of the database half"]


def test_a_backup_from_the_future_means_a_wrong_clock(settings, sealed):
    head = sealed("full", age=-2 * HOUR)
    assert (
        check.run(settings).document["problems"][0]
        == f"{head.id} lies in the future: the clock is wrong, retention rests"
    )


def test_what_is_damaged_or_not_whole_is_a_problem(settings, repo, sealed):
    damaged, lost = sealed("full", sequence=1), sealed("full", sequence=2)
    sealed("full", sequence=3)
    os.truncate(f"{repo}/full/{damaged.artifacts[0].name}.manifest.json", 9)
    os.unlink(f"{repo}/full/{lost.artifacts[0].name}")
    problems = check.run(settings).document["problems"]
    assert problems[0] == f"{lost.id} is not whole: {lost.artifacts[0].name} is missing"
    assert "not valid JSON" in problems[1] or "ends too early" in problems[1]


def test_the_last_run_is_heard(settings, repo, sealed):
    sealed("full", warnings=("roles without passwords",))
    records.append(repo, {"verb": "backup", "result": "failed", "error": "the server is down"})
    outcome = check.run(settings)
    assert outcome.exit_code == 0
    assert "the last run failed at 20" in outcome.document["warnings"][0]
    assert "roles without passwords" in outcome.document["warnings"]
    records.append(repo, {"verb": "backup", "result": "incomplete", "incomplete": ["a kept changing"]})
    assert "the last run was incomplete: a kept changing" in check.run(settings).document["warnings"]


def test_a_lockout_and_what_watching_could_not_do_are_heard_while_they_are_new(settings, repo, sealed):
    sealed("full")
    locked = runs.of_error(runs.Occasion("backup", "full"), LockedError("held by a restore"), 0)
    runs.remember(repo, dataclasses.replace(locked, problems=("alert by mail: refused",)))
    warnings = check.run(settings).document["warnings"]
    assert warnings[0].startswith("backup full was locked out at 20") and warnings[0].endswith(": held by a restore")
    assert warnings[1] == "backup full: alert by mail: refused"
    runs.remember(repo, dataclasses.replace(locked, ended="2020-01-01T00:00:00.000000Z"))
    assert check.run(settings).document["warnings"] == []


def test_in_order_it_says_when_the_last_drill_was(settings_of, repo, sealed):
    started = text.utc(datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3))
    os.mkdir(f"{repo}/drills")
    drill_history.append(repo, {"id": "drill", "backup": "x", "verdict": "pass", "started": started})
    sealed("full", age=HOUR)
    assert check.run(settings_of(drill=True)).lines[0].endswith(", drilled 3 h ago")
    assert "drilled" not in check.run(settings_of()).lines[0]


@pytest.mark.parametrize(
    ("drill", "problem"),
    [
        (None, "no drill has been run yet, allowed are 35 d"),
        (("pass", 34), ""),
        (("pass", 36), "the last drill was 36 d ago, allowed are 35 d"),
        (("could_not_verify", 1), "the last drill ended in could_not_verify (drill)"),
    ],
)
def test_where_drills_are_wanted_a_missing_or_failed_one_is_a_problem(settings_of, repo, sealed, drill, problem):
    sealed("full", sequence=1, age=40 * 24 * HOUR)
    sealed("full", sequence=2)
    if drill is not None:
        verdict, days = drill
        started = text.utc(datetime.datetime.now(datetime.timezone.utc) - days * 24 * HOUR)
        os.mkdir(f"{repo}/drills")
        drill_history.append(repo, {"id": "drill", "backup": "x", "verdict": verdict, "started": started})
    found = check.run(settings_of(drill=True)).document["problems"]
    assert found == ([problem] if problem else [])


@pytest.mark.parametrize(("verdict", "where"), [("fail", "problems"), ("could_not_verify", "warnings")])
def test_a_drill_by_hand_that_did_not_pass_is_heard_too(settings, repo, sealed, verdict, where):
    sealed("full")
    os.mkdir(f"{repo}/drills")
    started = text.utc(datetime.datetime.now(datetime.timezone.utc))
    drill_history.append(repo, {"id": "drill", "backup": "x", "verdict": verdict, "started": started})
    assert check.run(settings).document[where] == [f"the last drill ended in {verdict} (drill)"]


def test_a_backup_that_was_found_damaged_is_a_problem_until_it_passes(settings, repo, sealed):
    head = sealed("full")
    row = {"verb": "verify", "backup": head.id, "result": "failed", "exit_code": 2}
    records.append(repo, {**row, "error": "its SHA-256 is another"})
    (problem,) = check.run(settings).document["problems"]
    assert problem.startswith(f"{head.id} did not pass a verify at 20")
    assert problem.endswith(": its SHA-256 is another")
    records.append(repo, {"verb": "verify", "backup": head.id, "result": "ok"})
    assert check.run(settings).document["problems"] == []
    records.append(repo, {**row, "verb": "restore", "error": "rows differ"})
    assert "did not pass a restore" in check.run(settings).document["problems"][0]
    records.append(repo, {"verb": "restore", "restored": head.id, "result": "ok"})
    records.append(repo, {**row, "backup": "let go", "error": "its SHA-256 is another"})
    records.append(repo, {**row, "exit_code": 1, "error": "the server is down"})
    assert check.run(settings).document["problems"] == []


def test_a_drill_that_never_runs_is_missed_though_retention_lets_old_backups_go(settings_of, repo, sealed):
    sealed("full")
    long_ago = text.utc(datetime.datetime.now(datetime.timezone.utc) - 40 * 24 * HOUR)
    with open(f"{repo}/{records.METADATA}", "w", encoding="ascii") as file:
        file.write(json.dumps({"time": long_ago, "verb": "backup", "result": "ok"}) + "\n")
    assert check.run(settings_of(drill=True)).document["problems"] == ["no drill has been run yet, allowed are 35 d"]


def test_an_unfinished_restore_is_a_problem(settings, repo, sealed):
    sealed("full")
    restores.write(repo, restores.Journal("r1", "restore", "mirai_full_x", "noon", "swapping"))
    (problem,) = check.run(settings).document["problems"]
    assert problem.startswith("a restore did not end: restore of mirai_full_x at noon is swapping; the next")


def test_no_repository_is_a_problem_and_no_crash(settings_of, tmp_path):
    outcome = check.run(settings_of(repository=str(tmp_path / "none")))
    assert outcome.exit_code == 1
    assert "there is no repository" in outcome.document["problems"][0]


def test_nagios_hears_unknown_in_one_line_whatever_the_words_hold():
    outcome = check.unknown(EngineError("a pipe | and\na line", "mend it"))
    assert (outcome.exit_code, outcome.lines) == (3, ("MIRAI_BACKUP UNKNOWN - a pipe / and a line; next: mend it",))
    assert outcome.document["error_type"] == "EngineError"


def test_nagios_hears_ok_warning_and_critical(settings, repo, sealed):
    head = sealed("full", age=HOUR)
    ok = check.run(settings, nagios=True)
    assert ok.exit_code == 0
    assert ok.lines[0].startswith("MIRAI_BACKUP OK - database 1 h old, json 1 h old | database_age=36")
    assert "s;;93600;0" in ok.lines[0]
    records.append(repo, {"verb": "backup", "result": "failed", "error": "down"})
    warning = check.run(settings, nagios=True)
    assert (warning.exit_code, warning.lines[0][:20]) == (1, "MIRAI_BACKUP WARNING")
    os.unlink(f"{repo}/full/{head.artifacts[0].name}")
    critical = check.run(settings, nagios=True)
    assert (critical.exit_code, critical.lines[0][:21]) == (2, "MIRAI_BACKUP CRITICAL")


def test_a_store_that_lags_is_named_after_some_hours(settings_of, repo, sealed):
    config = settings_of(offsite=[{"name": "away", "path": "x"}])
    first = sealed("full", sequence=1, age=30 * HOUR)
    sealed("full", sequence=2, age=5 * HOUR)
    directory = marks.create(repo, "away")
    marks.write(directory, marks.Memory(last={"problems": ["it was down"]}))
    document = check.run(config).document
    assert document["lagging_stores"] == ["away"]
    assert document["problems"] == [
        f"offsite store away lacks the newest 2 of the {half} half, for 1 d 6 h: it was down"
        for half in ("database", "json")
    ]
    digest = repository.listing(repo).backups[0].manifest.digest
    marks.write(directory, marks.Memory({first.id: marks.Mark("t", digest, "full", 1, {})}))
    document = check.run(config).document
    assert (document["problems"], document["lagging_stores"]) == ([], [])  # the newest has waited five hours: not yet


def test_what_was_found_stays_where_something_else_cannot_be_looked_at(settings, sealed, monkeypatch):
    sealed("json")

    def fail(_config):
        raise EngineError("gpg is not installed")

    monkeypatch.setattr(check.keyring, "find", fail)
    problems = check.run(settings).document["problems"]
    assert problems == ["there is no good backup of the database half", "gpg is not installed"]
