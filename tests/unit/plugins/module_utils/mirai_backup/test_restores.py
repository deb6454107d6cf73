"""restores: journals, which previous states are kept, and which go."""

from __future__ import annotations

import datetime
import os
from dataclasses import replace

import pytest
from mirai_backup import restores
from mirai_backup.errors import EngineError
from mirai_backup.restores import Journal


def journal(number: int, **changes) -> Journal:
    stamp = f"20261124_02000{number}"
    database = {"live": "db", "side": f"db_restore_{stamp}", "previous": f"db_before_{stamp}"}
    made = Journal(stamp, "restore", "mirai_full_20261123_020000", "2026-11-24T02:00:00Z", "done", database)
    return replace(made, **changes)


def test_a_journal_comes_back_as_it_was_written(repo):
    one = journal(1, data_dir={"live": "/d", "side": "/d_restore", "previous": ""}, undoes="x")
    restores.write(repo, one)
    assert restores.journals(repo) == [one]
    assert oct(os.stat(os.path.join(repo, ".restore", f"{one.id}.json")).st_mode)[-3:] == "600"


def test_what_a_rollback_put_back_is_no_previous_state(repo):
    for one in (journal(1), journal(2), journal(3, verb="rollback", undoes=journal(2).id)):
        restores.write(repo, one)
    assert [one.id for one in restores.kept(repo)] == [journal(1).id, journal(3).id]


def test_a_rollback_that_did_not_end_takes_nothing(repo):
    for one in (journal(1), journal(2, verb="rollback", undoes=journal(1).id, state="swapping")):
        restores.write(repo, one)
    assert [one.id for one in restores.kept(repo)] == [journal(1).id]
    assert "is swapping" in restores.unfinished(repo)


@pytest.mark.parametrize(
    ("keep", "new", "gone"), [(0, (), [3, 2, 1]), (1, (), [2, 1]), (1, ("database",), [3, 2, 1]), (3, (), [])]
)
def test_surplus(repo, keep, new, gone):
    for number in (1, 2, 3):
        restores.write(repo, journal(number))
    assert [one.id[-1] for one in restores.surplus(repo, keep, new)] == [str(number) for number in gone]


def test_a_state_stays_while_one_of_its_halves_is_wanted(repo):
    files = {"live": "/d", "side": "/s", "previous": "/p"}
    restores.write(repo, journal(1, data_dir=files))
    restores.write(repo, journal(2))
    assert restores.surplus(repo, 1) == []


def test_names(repo):
    assert journal(1).names() == "database db_before_20261124_020001"
    in_place = journal(1, database={"live": "db", "side": "m", "previous": "/r/.before/1", "xid": ""})
    assert in_place.is_in_place
    assert in_place.names() == "the safety backup in /r/.before/1"
    assert journal(1, database={"live": "db", "side": "s", "previous": ""}).names() == ""


def test_a_journal_that_cannot_be_read_is_named(repo):
    restores.write(repo, journal(1))
    with open(os.path.join(repo, ".restore", "y.json"), "w") as file:
        file.write("{")
    with pytest.raises(EngineError, match=r"y\.json cannot be read"):
        restores.journals(repo)


def test_where_the_previous_state_lies(repo):
    swapped = journal(1, data_dir={"live": "/d", "side": "/d_restore", "previous": "/d_before"})
    assert swapped.names() == f"database {swapped.database['previous']} and /d_before"
    safety = journal(2, database={"live": "db", "side": "x", "previous": "/r/.before/x", "xid": "7"})
    assert (safety.is_in_place, safety.names()) == (True, "the safety backup in /r/.before/x")
    assert journal(3, database=None).names() == ""


def test_two_restores_of_one_second_have_different_names(repo, monkeypatch):
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 11, 24, 2, 0, 1)

    monkeypatch.setattr(restores.datetime, "datetime", Clock)
    assert restores.new_timestamp(repo) == "20261124_020001"
    restores.write(repo, journal(1))
    restores.write(repo, journal(2))
    assert restores.new_timestamp(repo) == "20261124_020003"


def test_what_a_dead_run_did_not_finish_writing_is_no_journal(repo):
    restores.write(repo, journal(1))
    left = os.path.join(repo, ".restore", ".x.json.0123abcd.tmp")
    with open(left, "w") as file:
        file.write("{")
    assert restores.journals(repo) == [journal(1)]
