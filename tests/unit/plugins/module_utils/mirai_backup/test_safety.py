"""safety: between the safety backup and the commit nobody could write, and a failure leaves nothing open."""

from types import SimpleNamespace

import pytest
from mirai_backup import backup, in_place, safety, verify
from mirai_backup.errors import MismatchError
from mirai_backup.restores import Journal
from mirai_backup.watch import Observer
from stand_in import Target


@pytest.fixture
def steps(monkeypatch):
    """The steps in their order."""
    done = []

    def step(name, result=None):
        return lambda *_arguments, **_options: (done.append(name), result)[1]

    session = SimpleNamespace(close=step("close"))
    monkeypatch.setattr(in_place, "begin", step("lock", session))
    monkeypatch.setattr(backup, "within", step("backup"))
    monkeypatch.setattr(verify, "check", step("verify"))
    monkeypatch.setattr(in_place, "load", step("load", {"verdict": "pass"}))
    monkeypatch.setattr(in_place, "number", step("number", "7"))
    return done


def load(settings_of, repo):
    database = {"live": "mirai", "side": "x", "previous": f"{repo}/.before/20261124_020000", "xid": ""}
    journal = Journal("20261124_020000", "restore", "mirai_full_x", "2026-11-24T02:00:00Z", "swapping", database)
    source = SimpleNamespace(id="mirai_full_x", manifest=None)
    return safety.load(settings_of(), Target(in_place=True), journal, source, "/scratch", Observer())


def test_locked_backed_up_verified_loaded_and_not_committed(settings_of, repo, steps):
    journal, _session, proof = load(settings_of, repo)
    assert steps == ["lock", "backup", "verify", "load", "number"]
    assert (journal.database["xid"], proof) == ("7", {"verdict": "pass"})


def test_a_safety_backup_that_is_damaged_ends_it_before_anything_is_loaded(settings_of, repo, steps, monkeypatch):
    def fail(*_arguments):
        raise MismatchError("it is damaged")

    monkeypatch.setattr(verify, "check", fail)
    with pytest.raises(MismatchError):
        load(settings_of, repo)
    assert steps == ["lock", "backup", "close"]
