"""control: the damage that was done must be what the checks name; any other complaint shows nothing."""

import os
import re
from dataclasses import replace

import pytest
from mirai_backup import backup, control, repository
from mirai_backup.errors import MismatchError


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
