"""How runs ended is told apart, remembered by verb and kind, and survives a damaged memory."""

from __future__ import annotations

import os

import pytest
from mirai_backup import runs
from mirai_backup.errors import DatabaseError, LockedError
from mirai_backup.outcome import Outcome
from mirai_backup.runs import Occasion

FULL = Occasion("backup", "full")
MADE = {"backup": {"id": "mirai_full_20260101_000000"}, "incomplete": []}


def test_outcomes():
    run = runs.of_outcome(FULL, Outcome(MADE), 1.23456)
    assert (run.result, run.exit_code, run.backup) == ("ok", 0, "mirai_full_20260101_000000")
    assert run.duration_seconds == 1.235 and run.title == "backup full" and run.cause == ""
    found = {**MADE, "incomplete": ["one", "two", "three", "four", "five"]}
    run = runs.of_outcome(FULL, Outcome(found, exit_code=3), 1)
    assert (run.result, run.cause) == ("incomplete", "one; two; three (and 2 more)")


def test_a_failed_drill_names_its_checks_and_no_content():
    checks = [
        {"name": "tables", "verdict": "fail", "detail": "public.t: a row"},
        {"name": "files", "verdict": "pass", "detail": ""},
        {"name": "schema", "verdict": "fail", "detail": "secret"},
    ]
    document = {"verdict": "fail", "checks": checks, "directory": "/r/drills/d", "backup": {"id": "x"}}
    run = runs.of_outcome(Occasion("drill", subject="latest"), Outcome(document, exit_code=2), 1)
    assert (run.result, run.cause, run.next_step) == ("failed", "fail: tables, schema", "read /r/drills/d/report.html")
    assert run.backup == "x" and run.title == "drill"


def test_a_drill_without_a_readable_backup_is_named_as_asked_for():
    document = {"verdict": "fail", "checks": [], "directory": "/d", "backup": None}
    assert runs.of_outcome(Occasion("drill", subject="latest"), Outcome(document, exit_code=2), 1).backup == "latest"


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (LockedError("held", "wait"), 11, "held"),
        (KeyboardInterrupt(), 130, "it was interrupted"),
        (ZeroDivisionError("x"), 1, "ZeroDivisionError: x"),
    ],
)
def test_errors(error, code, cause):
    run = runs.of_error(FULL, error, 0)
    assert (run.result, run.exit_code, run.cause) == ("failed", code, cause)


def test_each_verb_and_kind_is_remembered(repo):
    assert runs.last(repo) == {}
    failed = runs.of_error(FULL, DatabaseError("down", "start it"), 2)
    runs.remember(repo, failed)
    runs.remember(repo, runs.of_outcome(Occasion("backup", "json"), Outcome(MADE), 1))
    runs.remember(repo, runs.of_outcome(FULL, Outcome(MADE), 1))
    assert {key: one.result for key, one in runs.last(repo).items()} == {
        ("backup", "full"): "ok",
        ("backup", "json"): "ok",
    }
    path = os.path.join(repo, ".watch", "runs.json")
    assert os.stat(path).st_mode & 0o777 == 0o600 and os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", ["", "{", "[]", '{"runs": [{}]}', '{"runs": [1]}', '{"runs": null}', '"x"'])
def test_a_damaged_memory_counts_as_none(repo, content):
    runs.remember(repo, runs.of_outcome(FULL, Outcome(MADE), 1))
    with open(os.path.join(repo, ".watch", "runs.json"), "w", encoding="ascii") as file:
        file.write(content)
    assert runs.last(repo) == {}
    runs.remember(repo, runs.of_outcome(FULL, Outcome(MADE), 1))
    assert len(runs.last(repo)) == 1
