"""swap: one directory takes another's place, forwards and backwards, whatever dies in between."""

from __future__ import annotations

import os
import threading

import pytest
from mirai_backup import safefile, swap
from mirai_backup.errors import DatabaseError, EngineError
from stand_in import Answers, Target


class Death(BaseException):
    """Nothing after it runs."""


@pytest.fixture
def names(tmp_path):
    """An old directory in service, a new one beside it, and the name for the old one; ``staged`` tells them apart."""
    found = {"live": "data", "side": "data_restore", "previous": "data_before"}
    found = {role: str(tmp_path / name) for role, name in found.items()}
    for role, content in (("live", "old"), ("side", "new")):
        os.mkdir(found[role])
        with open(os.path.join(found[role], "x"), "w") as file:
            file.write(content)
    return {**found, "staged": swap.number(found["side"])}


@pytest.fixture(params=["exchange", "renames", "older journal"])
def way(request, names, monkeypatch):
    """How directories are swapped: at once, where that cannot be done, and as journals of older versions have it."""
    if request.param == "renames":
        monkeypatch.setattr(safefile, "_renameat2", None)
    if request.param == "older journal":
        del names["staged"]
    return request.param


def standing(names) -> dict:
    """What is at each of the three names."""
    found = {}
    for role in ("live", "side", "previous"):
        if os.path.lexists(names[role]):
            with open(os.path.join(names[role], "x")) as file:
                found[role] = file.read()
    return found


BEFORE, AFTER = {"live": "old", "side": "new"}, {"live": "new", "previous": "old"}


def dying(monkeypatch, at: int, function, names) -> bool:
    """Call ``function`` and let it die before its ``at``-th change of names; False where it ends before."""
    count = 0

    def watched(change):
        def call(*arguments):
            nonlocal count
            count += 1
            if count == at:
                raise Death
            return change(*arguments)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", watched(os.rename))
        patch.setattr(safefile, "exchange", watched(safefile.exchange))
        try:
            function(**names)
        except Death:
            return True
    return False


def test_forwards_and_backwards(names, way):
    assert swap.directories(**names) == (way != "renames")
    assert standing(names) == AFTER
    swap.directories_back(**names)
    assert standing(names) == BEFORE
    swap.directories_back(**names)
    assert standing(names) == BEFORE


@pytest.mark.parametrize("at", range(1, 5))
def test_a_death_on_the_way_forwards(names, way, monkeypatch, at):
    died = dying(monkeypatch, at, swap.directories, names)
    assert died == (at <= {"exchange": 2, "renames": 3, "older journal": 2}[way])
    assert way != "exchange" or "live" in standing(names)
    if died:
        swap.directories(**names)
    assert standing(names) == AFTER


@pytest.mark.parametrize("at", range(1, 5))
def test_a_death_on_the_way_forwards_is_undone(names, way, monkeypatch, at):
    dying(monkeypatch, at, swap.directories, names)
    swap.directories_back(**names)
    assert standing(names) == BEFORE


@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("deaths", [1, 2])
def test_a_death_on_the_way_back(names, way, monkeypatch, at, deaths):
    swap.directories(**names)
    for _step in range(deaths):
        dying(monkeypatch, at, swap.directories_back, names)
        assert way != "exchange" or "live" in standing(names)
    swap.directories_back(**names)
    assert standing(names) == BEFORE


@pytest.mark.parametrize("back", [1, 2])
def test_an_undoing_that_died_can_be_finished_forwards(names, monkeypatch, back):
    """As where a full disk kept the journal from saying ``undoing``."""
    swap.directories(**names)
    assert dying(monkeypatch, back, swap.directories_back, names)
    if standing(names) != AFTER:
        swap.directories(**names)
    assert standing(names) == AFTER


def test_nothing_in_service_or_nothing_to_put_there(names):
    """A fresh target, and the rollback of that."""
    os.rename(names["live"], names["previous"])
    swap.directories(names["live"], names["side"], "")
    assert standing(names) == {"live": "new", "previous": "old"}
    swap.directories_back(names["live"], names["side"], "")
    assert standing(names) == {"side": "new", "previous": "old"}
    os.rename(names["previous"], names["live"])
    swap.directories(names["live"], "", names["previous"])
    assert standing(names) == {"side": "new", "previous": "old"}
    swap.directories_back(names["live"], "", names["previous"])
    assert standing(names) == BEFORE


def test_what_somebody_else_moved_is_not_guessed_at(names):
    names["staged"] += 1_000_000_000
    for function in (swap.directories, swap.directories_back):
        with pytest.raises(EngineError, match="something else moved them"):
            function(**names)
    assert standing(names) == BEFORE


IN_USE = DatabaseError('ERROR:  55006: database "mirai" is being accessed by other users')


def renamed(place) -> str:
    (script,) = [one for one in place.answers.said if "RENAME" in one]
    return script


def test_databases_change_places_in_one_transaction():
    place = Target(answers=Answers())
    swap.databases(place, "mirai", "side", "before")
    assert renamed(place).endswith(
        'BEGIN; ALTER DATABASE "mirai" RENAME TO "before"; ALTER DATABASE "side" RENAME TO "mirai"; COMMIT'
    )
    assert "pg_terminate_backend" in place.answers.said[0]


def test_nothing_before_or_nothing_after_is_one_rename():
    place = Target(answers=Answers())
    swap.databases(place, "mirai", "side", "")
    assert '"before"' not in renamed(place)
    place = Target(answers=Answers())
    swap.databases(place, "mirai", "", "before")
    assert renamed(place).count("RENAME") == 1


def test_sessions_that_come_back_are_ended_again():
    failures = [IN_USE, IN_USE]

    def rename(_sql):
        if failures:
            raise failures.pop()
        return []

    place = Target(answers=Answers({"RENAME": rename}))
    swap.databases(place, "mirai", "side", "before")
    assert failures == []


def test_sessions_that_stay_are_named(monkeypatch):
    monkeypatch.setattr(swap, "_PATIENCE", -1)
    place = Target(answers=Answers({"RENAME": IN_USE, "SELECT DISTINCT": [{"who": "app from 10.0.0.1 (flask)"}]}))
    with pytest.raises(DatabaseError, match=r"could not be ended within .* app from 10.0.0.1 \(flask\)") as caught:
        swap.databases(place, "mirai", "side", "before")
    assert "app_services" in caught.value.next_step
    nobody = Target(answers=Answers({"RENAME": IN_USE}))
    with pytest.raises(DatabaseError, match="they come and go"):
        swap.databases(nobody, "mirai", "side", "before")


def test_any_other_refusal_is_final():
    place = Target(answers=Answers({"RENAME": DatabaseError("ERROR:  42501: permission denied")}))
    with pytest.raises(DatabaseError, match="permission denied"):
        swap.databases(place, "mirai", "side", "before")


def test_sessions_are_ended_while_the_rename_waits(monkeypatch):
    monkeypatch.setattr(swap, "_PAUSE", 0.001)
    asked = threading.Event()

    def terminate(_sql):
        asked.set()
        raise DatabaseError("the server went away")

    with swap._ending_sessions(Target(answers=Answers({"pg_terminate_backend": terminate})), ["mirai"]):
        assert asked.wait(10)


def test_a_service_that_does_not_stop_is_named(monkeypatch):
    commands = []

    def run(command, timeout):
        commands.append(command.argv)
        if command.argv[-1] == "bad":
            raise EngineError("systemctl exited with status 5")

    monkeypatch.setattr(swap.process, "run", run)
    swap.services("stop", ("mirai", "worker"))
    assert commands == [("systemctl", "stop", "mirai"), ("systemctl", "stop", "worker")]
    with pytest.raises(EngineError, match="service bad did not start: systemctl exited") as caught:
        swap.services("start", ("bad",))
    assert caught.value.next_step == "see journalctl -u bad"
