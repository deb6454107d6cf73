"""Hooks run in their places, know what happened, and end a run only where they may."""

from __future__ import annotations

import pytest
from mirai_backup.errors import EngineError, LockedError
from mirai_backup.hooks import Hooks
from mirai_backup.outcome import Outcome
from mirai_backup.runs import Occasion
from mirai_backup.watch import Observer

FULL = Occasion("backup", "full")


@pytest.fixture
def hooks_of(tmp_path, settings_of):
    """Makes the hooks of a run; each shell command given appends to the file that ``lines`` reads."""

    def make(occasion=FULL, **points):
        def hook(command, **values):
            return {"command": ["sh", "-c", f"exec >> {tmp_path}/told; {command}"], **values}

        configured = {
            point: [hook(one) if isinstance(one, str) else hook(**one) for one in commands]
            for point, commands in points.items()
        }
        return Hooks(settings_of(hooks=configured), occasion, Observer())

    make.lines = lambda: (tmp_path / "told").read_text().splitlines()
    return make


def test_each_in_its_place_with_what_happened(hooks_of):
    hooks = hooks_of(
        before_backup=["echo before $MIRAI_BACKUP_VERB $MIRAI_BACKUP_KIND", "echo again"],
        after_backup=["echo after $MIRAI_BACKUP_RESULT $MIRAI_BACKUP_EXIT_CODE $MIRAI_BACKUP_ID"],
        before_restore=["echo never"],
    )
    with hooks.afterwards():
        hooks.before()
        hooks.outcome = Outcome({"backup": {"id": "x"}, "incomplete": ["a file"]}, exit_code=3)
    assert hooks_of.lines() == ["before backup full", "again", "after incomplete 3 x"] and hooks.failures == []


@pytest.mark.parametrize("verb", ["restore", "rollback"])
def test_restore_and_rollback_share_theirs(hooks_of, verb):
    hooks = hooks_of(Occasion(verb, "full", "latest"), before_restore=["echo $MIRAI_BACKUP_VERB $MIRAI_BACKUP_ID"])
    with hooks.afterwards():
        hooks.before()
    assert hooks_of.lines() == [f"{verb} latest"]


@pytest.mark.parametrize(
    ("error", "told"), [(LockedError("held"), "failed 11 held"), (KeyboardInterrupt(), "failed 130 it was interrupted")]
)
def test_after_a_failure(hooks_of, error, told):
    hooks = hooks_of(after_backup=["echo $MIRAI_BACKUP_RESULT $MIRAI_BACKUP_EXIT_CODE $MIRAI_BACKUP_ERROR"])
    with pytest.raises(type(error)), hooks.afterwards():
        hooks.before()
        raise error
    assert hooks_of.lines() == [told]


def test_not_after_what_never_began(hooks_of, tmp_path):
    hooks = hooks_of(after_backup=["echo after"])
    with hooks.afterwards():
        hooks.outcome = Outcome({})
    assert not (tmp_path / "told").exists()


def test_abort_stops_the_rest_and_still_cleans_up(hooks_of):
    hooks = hooks_of(before_backup=["echo one", "echo no >&2; exit 3", "echo three"], after_backup=["echo after"])
    with pytest.raises(EngineError, match=r"hook before_backup\[1\] \(sh\) failed: sh exited with status 3: no"):
        with hooks.afterwards():
            hooks.before()
    assert hooks_of.lines() == ["one", "after"]


def test_warn_goes_on(hooks_of):
    hooks = hooks_of(before_backup=[{"command": "exit 1", "on_failure": "warn"}, "echo two"], after_backup=["exit 2"])
    with hooks.afterwards():
        hooks.before()
    assert hooks_of.lines() == ["two"] and len(hooks.failures) == 2


def test_out_of_time(hooks_of):
    hooks = hooks_of(before_backup=[{"command": "sleep 20", "timeout": 1}])
    with pytest.raises(EngineError, match="did not finish within 1 s"):
        hooks.before()
