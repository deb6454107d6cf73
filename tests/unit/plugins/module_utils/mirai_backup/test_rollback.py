"""rollback: undoes the last restore, and the rollback too."""

import os

import pytest
from mirai_backup import backup, restore, restores, rollback
from mirai_backup.errors import EngineError, Interrupted, NotFoundError
from mirai_backup.restore import Request
from mirai_backup.restores import Journal
from stand_in import Target


@pytest.fixture
def settings(settings_of):
    return settings_of()


@pytest.fixture
def restored(settings, tmp_path):
    """A file that was backed up as 1, changed to 2, and restored; returns it."""
    file = tmp_path / "app/backend/data/a.json"
    file.write_bytes(b"1")
    backup.run(settings, "json")
    file.write_bytes(b"2")
    restore.run(settings, Request(components="json"))
    return file


def test_there_and_back_and_there_again(settings, restored):
    assert restored.read_bytes() == b"1"
    outcome = rollback.run(settings)
    assert restored.read_bytes() == b"2"
    assert outcome.document["verb"] == "restore"
    assert any(f"set aside: {outcome.document['previous']}; mirai-backup rollback" in one for one in outcome.lines)
    again = rollback.run(settings)
    assert restored.read_bytes() == b"1"
    assert again.document["verb"] == "rollback"


def test_the_plan_names_both_states_and_changes_nothing(settings, restored, contents, tmp_path):
    before = contents(tmp_path)
    outcome = rollback.plan(settings)
    (kept,) = restores.kept(settings.repository)
    assert outcome.lines[0] == f"comes back  {kept.names()}"
    assert outcome.document["plan"]["directory"]["side"] == kept.data_dir["previous"]
    assert outcome.document["plan"]["database"] is None
    assert contents(tmp_path) == before


def test_where_nothing_is_kept_there_is_no_way_back(settings, repo):
    for act in (rollback.plan, rollback.run):
        with pytest.raises(NotFoundError, match="there is no previous state to return to"):
            act(settings)


def test_a_restore_into_nothing_is_undone_into_nothing(settings, restored):
    os.unlink(restored)
    os.rmdir(restored.parent)
    outcome = restore.run(settings, Request(components="json"))
    assert outcome.document["previous"] == ""
    assert rollback.plan(settings).lines[0] == "comes back  nothing was there before"
    undone = rollback.run(settings)
    assert not restored.parent.exists()
    assert "  in service again: what was nothing" in undone.lines


def test_an_interrupt_says_how_to_go_on(settings, restored, monkeypatch):
    def interrupt(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(rollback.exchange, "carry_out", interrupt)
    with pytest.raises(Interrupted) as caught:
        rollback.run(settings)
    assert "it settles what was left" in caught.value.next_step


def test_a_backup_of_before_that_is_gone_is_found_out_before_anything_is_touched(settings, repo, monkeypatch):
    """Of a restore in place the safety backup is the way back."""
    database = {"live": "mirai", "side": "x", "previous": f"{repo}/.before/20261124_020000", "xid": "7"}
    restores.write(
        repo, Journal("20261124_020000", "restore", "mirai_full_x", "2026-11-24T02:00:00Z", "done", database)
    )
    monkeypatch.setattr(rollback.targets, "find", lambda *_arguments: Target(in_place=True))
    with pytest.raises(EngineError):
        rollback.run(settings)
    assert [one.verb for one in restores.journals(repo)] == ["restore"]


@pytest.mark.parametrize(("exists", "previous"), [(True, "mirai_before_"), (False, "")])
def test_databases_change_places_by_name(settings, repo, monkeypatch, exists, previous):
    database = {"live": "mirai", "side": "mirai_restore_x", "previous": "mirai_before_x"}
    restores.write(
        repo, Journal("20261124_020000", "restore", "mirai_full_x", "2026-11-24T02:00:00Z", "done", database)
    )
    monkeypatch.setattr(rollback.targets, "find", lambda *_arguments: Target(exists=exists))
    planned = rollback.plan(settings).document["plan"]["database"]
    assert (planned["live"], planned["side"]) == ("mirai", "mirai_before_x")
    assert planned["previous"].startswith(previous) and bool(planned["previous"]) == exists


def test_a_rollback_that_died_is_finished_and_that_is_all(settings, restored, monkeypatch):
    class Death(BaseException):
        pass

    advance = restores.advance

    def die(repository, journal, state):
        if state == "done":
            raise Death
        return advance(repository, journal, state)

    with monkeypatch.context() as patch:
        patch.setattr(restores, "advance", die)
        with pytest.raises(Death):
            rollback.run(settings)
    outcome = rollback.run(settings)
    assert restored.read_bytes() == b"2"
    assert outcome.document["settled"]


def test_an_older_state_that_cannot_be_let_go_does_not_undo_the_rollback(settings, restored, monkeypatch):
    def fail(*_arguments):
        raise EngineError("the disk does not answer")

    monkeypatch.setattr(rollback.exchange, "let_go", fail)
    outcome = rollback.run(settings)
    assert outcome.exit_code == 3 and any("could not be let go: the disk" in line for line in outcome.lines)


def test_a_journal_that_cannot_be_marked_as_done_does_not_undo_the_rollback(settings, restored, full_at):
    with full_at("done"):
        outcome = rollback.run(settings)
    assert (outcome.exit_code, restored.read_bytes()) == (3, b"2")
    assert "could not be marked as done" in outcome.document["incomplete"][0]
    settled = rollback.run(settings)
    assert settled.exit_code == 0 and restored.read_bytes() == b"2"
    assert [one.state for one in restores.journals(settings.repository)] == ["done", "done"]
