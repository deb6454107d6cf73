"""drill_history: a line per drill; whose last one passed is told apart from whose did once."""

import os

import pytest
from mirai_backup import drill_history


@pytest.fixture
def drilled(repo):
    """Notes drills: ``drilled(("a", "pass"), ("b", "fail"))``."""
    os.mkdir(f"{repo}/drills")

    def note(*verdicts):
        for backup, verdict in verdicts:
            drill_history.append(repo, {"backup": backup, "verdict": verdict})
        return repo

    return note


def test_before_the_first_drill_there_is_none(repo):
    assert drill_history.rows(repo) == []
    assert drill_history.passed(repo) == frozenset()


def test_drills_in_their_order(drilled):
    rows = drill_history.rows(drilled(("a", "pass"), ("b", "fail")))
    assert rows == [{"backup": "a", "verdict": "pass"}, {"backup": "b", "verdict": "fail"}]


def test_a_later_failure_takes_a_pass_back_and_an_open_verdict_does_not(drilled):
    repo = drilled(("a", "pass"), ("b", "pass"), ("a", "fail"), ("b", "could_not_verify"), ("c", "fail"), ("c", "pass"))
    assert drill_history.passed(repo) == {"b", "c"}


@pytest.mark.parametrize("line", [b'{"backup": "a", "verd', b"[]", b"3", b'{"backup": "a"}', b"\xff", b""])
def test_a_line_that_a_dying_drill_left_is_passed_over(drilled, line):
    repo = drilled(("a", "pass"))
    with open(f"{repo}/drills/history.log", "ab") as file:
        file.write(line + b"\n")
    assert drill_history.rows(drilled(("b", "pass"))) == [
        {"backup": "a", "verdict": "pass"},
        {"backup": "b", "verdict": "pass"},
    ]
