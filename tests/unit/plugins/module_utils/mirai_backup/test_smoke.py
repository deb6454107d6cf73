"""smoke: a test has its time to pass; the first that does not is named."""

import time
from types import SimpleNamespace

import pytest
from mirai_backup import assertions, smoke
from mirai_backup.errors import EngineError
from stand_in import Answers, Session, Target

QUERY = {"name": "users", "sql": "SELECT count(*) FROM auth.users", "expect": ">= 1"}


def command(*argv):
    return {"name": "health", "command": list(argv)}


@pytest.fixture
def slept(monkeypatch):
    """How often a test was waited for."""
    naps = []
    monkeypatch.setattr(smoke, "time", SimpleNamespace(monotonic=time.monotonic, sleep=naps.append))
    return naps


def test_commands_pass_by_their_exit_status():
    assert smoke.run((command("true"), command("test", "1")), None, 0) == ["health", "health"]


def test_the_first_that_fails_is_named_with_its_words(slept):
    with pytest.raises(EngineError, match="smoke test health failed: sh exited with status 3: no answer") as caught:
        smoke.run((command("sh", "-c", "echo no answer >&2; exit 3"), command("touch", "/never")), None, 0)
    assert "application's log" in caught.value.next_step
    assert slept == []


def test_an_application_that_takes_a_moment_is_waited_for(tmp_path, slept):
    script = f"test -e {tmp_path}/up || {{ touch {tmp_path}/up; exit 1; }}"
    assert smoke.run((command("sh", "-c", script),), None, 60) == ["health"]
    assert slept == [1]


def test_a_query_is_asked_of_the_database_in_service(monkeypatch):
    monkeypatch.setattr(assertions.postgres, "Session", Session.on(Answers({"SELECT": [{"count": 3}]})))
    assert smoke.run((QUERY,), Target(), 0) == ["users"]
    monkeypatch.setattr(assertions.postgres, "Session", Session.on(Answers({"SELECT": [{"count": 0}]})))
    with pytest.raises(EngineError, match="smoke test users failed: found 0, expected >= 1"):
        smoke.run((QUERY,), Target(), 0)


def test_where_no_database_was_restored_its_queries_say_nothing():
    assert smoke.run((QUERY,), None, 0) == ["users"]


def test_a_slow_command_has_all_the_time_that_was_given(monkeypatch):
    monkeypatch.setattr(smoke, "_TIMEOUT", 0.1)
    assert smoke.run((command("sleep", "0.5"),), None, 30) == ["health"]
    with pytest.raises(EngineError, match="did not finish within"):
        smoke.run((command("sleep", "5"),), None, 0)
