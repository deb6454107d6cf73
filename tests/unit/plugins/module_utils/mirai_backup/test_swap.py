"""swap: one directory takes another's place, forwards and backwards, whatever dies in between."""

from __future__ import annotations

import os

import pytest
from mirai_backup import safefile, swap
from mirai_backup.errors import EngineError


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
