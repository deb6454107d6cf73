"""Killed at any point: the old or the new state is whole, the next call finishes, nothing is left lying about."""

from __future__ import annotations

import signal

import pytest

POINTS = [
    pytest.param(verb, in_place, number, count, ("engine", "machine", "engine", "server")[number % 4],
                 ("restore", "rollback")[number // 2 % 2], marks=pytest.mark.point,
                 id=f"{verb}-{'in-place' if in_place else 'swap'}-{number}")
    for verb, in_place, count in (("restore", False, 40), ("rollback", False, 20), ("restore", True, 24),
                                  ("rollback", True, 12))
    for number in range(count)
]  # fmt: skip


@pytest.mark.parametrize(("verb", "in_place", "number", "count", "mode", "after"), POINTS)
def test_death(subject, verb, in_place, number, count, mode, after):
    total = subject.total(verb, in_place)
    at = 1 + (total - 1) * number // (count - 1)
    result = subject.strike(verb, at, mode)
    assert result.code in ((0, 1, 2) if mode == "server" else (-signal.SIGKILL, 0)), result.err
    subject.revive()
    subject.assert_whole()
    unfinished = "did not end" in subject.app.run("check").out
    now = subject.app.content()
    if after == "restore":
        assert subject.app.succeed("restore", "latest").code == 0
        assert subject.app.content() == subject.backed_up
    elif unfinished or now != subject.damaged:
        # A rollback, typed after either verb died, means: the state before the restore.
        subject.app.succeed("rollback")
        assert subject.app.content() == subject.damaged
    elif verb == "rollback":
        # It had ended before it died, perhaps without tidying up: the next one undoes it, and does.
        subject.app.succeed("rollback")
        assert subject.app.content() == subject.backed_up
    else:
        # It had not begun, so there is nothing to undo; what it had half written goes with the next one.
        assert subject.app.run("rollback").code
        assert subject.app.content() == subject.damaged
    subject.assert_clean()
