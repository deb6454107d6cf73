"""control: the damage that was done must be what the checks name; any other complaint shows nothing."""

import os
import re
from dataclasses import replace

import pytest
from mirai_backup import backup, control, repository, side
from mirai_backup.errors import EngineError, MismatchError
from stand_in import Answers, Session, Target


@pytest.fixture
def settings(settings_of, tmp_path):
    """A configuration, and one JSON backup."""
    made = settings_of()
    (tmp_path / "app/backend/data/a.json").write_bytes(b"[1]")
    backup.run(made, "json")
    return made


@pytest.fixture
def only(settings):
    """The one backup."""
    (found,) = repository.listing(settings.repository).backups
    return found


def run(settings, one, work, turn):
    work.mkdir(exist_ok=True)
    return control.run(settings, one, str(work), turn, None, "", None)


@pytest.mark.parametrize("turn", range(40))
def test_the_damage_is_named_and_the_backup_left_as_it_is(settings, only, tmp_path, turn):
    whole = open(only.path, "rb").read()
    found = run(settings, only, tmp_path / "work", turn)
    place = re.match(r"byte (\d+) of", found["where"]).group(1)
    complaint = {
        "truncation": f"{place} bytes instead of {len(whole)}",
        "flipped_bytes": "its SHA-256 is not the manifest's",
    }[found["damage"]]
    assert found["verdict"] == "pass"
    assert found["found_by"].startswith(f"{os.path.basename(only.path)} is damaged: {complaint}")
    assert open(only.path, "rb").read() == whole


@pytest.mark.parametrize("turn", [0, 1])
def test_another_complaint_does_not_count(settings, only, tmp_path, turn):
    listed_otherwise = replace(only, head=replace(only.head, sequence=only.head.sequence + 1))
    listed_otherwise.__dict__["manifest"] = only.manifest
    found = run(settings, listed_otherwise, tmp_path / "work", turn)
    assert found["verdict"] == "fail"
    assert "changed after it was listed" in found["found_by"]


@pytest.mark.parametrize("said", ["{name} is damaged: something else", "the other is damaged: 0 bytes instead of 9"])
def test_a_complaint_of_something_else_does_not_count(settings, only, tmp_path, monkeypatch, said):
    def check(*_arguments):
        raise MismatchError(said.format(name=os.path.basename(only.path)))

    monkeypatch.setattr(control.verify, "check", check)
    assert [run(settings, only, tmp_path / "work", turn)["verdict"] for turn in (0, 1)] == ["fail", "fail"]


def test_a_check_that_finds_nothing_fails(settings, only, tmp_path, monkeypatch):
    monkeypatch.setattr(control.verify, "check", lambda *_arguments: None)
    found = run(settings, only, tmp_path / "work", 1)
    assert (found["verdict"], found["found_by"]) == ("fail", "nothing found it")


COLUMN = {"schema": "public", "table": "t", "column": "n", "changed": "{0} + 1"}
FINGERPRINT = {
    "mode": "full",
    "server_major": 15,
    "tables": {"public.t": {"rows": 3, "digest": "7"}},
    "sequences": {},
    "large_objects": None,
    "schema": {},
}


@pytest.fixture
def changing(monkeypatch, sealed, head_of, repo):
    """Changes a row on a stand-in for the server, on which the table's digest is ``digest`` afterwards."""

    def run(digest="8", update=("changed",), columns=(COLUMN,), **values):
        expected = {**FINGERPRINT, **values}
        database = {**head_of("database").database, "fingerprint": expected}
        sealed("database", database=database)
        (one,) = repository.listing(repo).backups
        after = {**FINGERPRINT, "tables": {"public.t": {"rows": 3, "digest": digest}}}
        monkeypatch.setattr(control.postgres, "Session", Session.on(Answers()))
        monkeypatch.setattr(control.fingerprint, "take", lambda *_arguments: after)
        place = Target(answers=Answers({"UPDATE ONLY": update, "pg_attribute": list(columns)}))
        return control._row(one, place, "mirai_drill", control.random.Random(1))

    return run


def test_a_changed_row_must_be_what_the_fingerprint_names(changing):
    found = changing()
    assert (found["verdict"], found["where"]) == ("pass", "one value of public.t.n")
    assert found["found_by"] == "table public.t has other content in its 3 rows"


def test_a_changed_row_that_nothing_names_fails_it(changing):
    assert changing("7")["verdict"] == "fail"


@pytest.mark.parametrize("update", [EngineError("violates a constraint"), ()])
def test_a_value_that_will_not_be_changed_is_passed_over(changing, update):
    assert changing(update=update) is None


def test_what_was_only_counted_or_is_empty_shows_no_changed_value(changing):
    assert changing(mode="counts") is None


def test_an_empty_table_has_no_value_to_change(changing):
    assert changing(tables={"public.t": {"rows": 0, "digest": "0"}}) is None


@pytest.mark.parametrize("turn", [2, 3])
def test_a_dropped_file_must_be_named(settings, only, tmp_path, turn):
    staged = tmp_path / "staged"
    side.unpack(only, str(tmp_path), False, str(staged))
    (tmp_path / "work").mkdir()
    found = control.run(settings, only, str(tmp_path / "work"), turn, None, "", str(staged))
    assert (found["damage"], found["verdict"], found["where"]) == ("file_dropped", "pass", "data/a.json")


def test_where_there_is_no_file_another_damage_is_done(settings_of, tmp_path):
    made = settings_of()
    backup.run(made, "json")
    (one,) = repository.listing(made.repository).backups
    (tmp_path / "work").mkdir()
    (tmp_path / "staged").mkdir()
    found = control.run(made, one, str(tmp_path / "work"), 3, None, "", str(tmp_path / "staged"))
    assert found["damage"] == "truncation"
