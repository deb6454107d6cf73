"""drill: what a restore test of the files finds, and what it makes of a place that fails it."""

import json
import os
from dataclasses import replace

import pytest
from mirai_backup import backup, cluster, drill, drill_files, filesproof, pull, repository, side, unlock
from mirai_backup.errors import (
    DecryptError,
    Interrupted,
    MismatchError,
    NotFoundError,
)
from mirai_backup.watch import Observer
from stand_in import Answers, Target


@pytest.fixture
def settings(settings_of, tmp_path):
    (tmp_path / "drills").mkdir()
    return settings_of(drill_dir=str(tmp_path / "drills"))


@pytest.fixture
def saved(settings, tmp_path):
    """A backup of two files."""
    for name in ("a.json", "b.json"):
        (tmp_path / "app/backend/data" / name).write_bytes(b"[1]")
    backup.run(settings, "json")
    return repository.listing(settings.repository).backups[0]


def verdicts(outcome) -> dict:
    return {one["name"]: one["verdict"] for one in outcome.document["checks"]}


def test_a_whole_backup_of_files_passes(settings, saved, tmp_path):
    outcome = drill.run(settings)
    assert (outcome.exit_code, outcome.document["verdict"]) == (0, "pass")
    checks = verdicts(outcome)
    assert [checks[name] for name in ("manifest", "artifacts", "restore", "files", "negative_control")] == ["pass"] * 5
    assert checks["tables"] == checks["assertions"] == "not_configured"
    assert outcome.document["rto_seconds"] >= 0
    assert "restored within" in "\n".join(outcome.lines)
    assert os.listdir(tmp_path / "drills") == []
    assert repository.listing(settings.repository).backups[0].drilled


def test_what_it_found_is_kept_for_programs_for_ci_and_for_people(settings, saved):
    directory = drill.run(settings).document["directory"]
    assert sorted(os.listdir(directory)) == ["drill.json", "junit.xml", "report.html"]
    with open(os.path.join(directory, "drill.json")) as file:
        assert json.load(file)["backup"]["id"] == saved.id
    assert outcome_lines(settings) == 1


def outcome_lines(settings) -> int:
    with open(os.path.join(settings.repository, "drills", "history.log")) as file:
        return len(file.read().splitlines())


def test_every_damage_of_the_negative_control_takes_its_turn(settings, saved):
    for damage in ("truncation", "flipped_bytes"):
        assert drill.run(settings).document["negative_control"]["damage"] == damage
    damages = {drill.run(settings).document["negative_control"]["damage"] for _turn in range(2)}
    assert "file_dropped" in damages


def test_a_damaged_backup_fails_before_anything_is_restored(settings, saved):
    with open(saved.path, "r+b") as file:
        file.seek(40)
        file.write(b"\0\0\0\0")
    outcome = drill.run(settings, saved.id)
    assert (outcome.exit_code, verdicts(outcome)["artifacts"]) == (2, "fail")
    assert verdicts(outcome)["restore"] == "could_not_verify"
    assert outcome.document["rto_seconds"] is None


def test_an_artifact_that_is_not_whole_is_named(settings, saved):
    os.truncate(saved.path, 10)
    outcome = drill.run(settings, saved.id)
    assert "has 10 bytes instead of" in outcome.document["differences"][0]


def test_a_newer_one_that_is_not_whole_is_named(settings, saved):
    newer = backup.run(settings, "json").document["backup"]
    os.truncate(newer["path"], 5)
    outcome = drill.run(settings)
    assert (outcome.exit_code, outcome.document["backup"]["id"]) == (0, saved.id)
    assert outcome.lines[-1].startswith(f"  passed by  {newer['id']}, which is newer and not whole")


def test_a_damaged_manifest_is_a_failed_drill(settings, saved):
    os.truncate(saved.manifest_path, 30)
    outcome = drill.run(settings, saved.id)
    assert (outcome.exit_code, outcome.document["backup"]) == (2, None)
    with pytest.raises(MismatchError, match="manifest"):
        drill.plan(settings, saved.id)


def test_files_that_came_out_otherwise_fail_it(settings, saved, monkeypatch):
    monkeypatch.setattr(filesproof, "differences", lambda *_arguments: ["data/a.json is missing"])
    outcome = drill.run(settings)
    assert (outcome.exit_code, verdicts(outcome)["files"]) == (2, "fail")


def test_a_restore_that_fails_ends_it(settings, saved, monkeypatch):
    def fail(*_arguments):
        raise MismatchError("it cannot be decoded")

    monkeypatch.setattr(side, "unpack", fail)
    checks = verdicts(drill.run(settings))
    assert (checks["restore"], checks["files"]) == ("fail", "could_not_verify")


def test_a_key_that_is_missing_says_nothing_of_the_backup(settings, saved, monkeypatch):
    def refuse(*_arguments):
        raise DecryptError("no private key is here", "give --key FILE")

    monkeypatch.setattr(unlock, "unlocked", refuse)
    outcome = drill.run(settings)
    assert (outcome.exit_code, outcome.document["verdict"]) == (12, "could_not_verify")
    assert outcome.lines[0].endswith(": no private key is here")
    assert outcome.lines[1] == "  next: give --key FILE"


def test_a_full_disk_must_not_look_like_a_bad_backup(settings, saved, monkeypatch):
    monkeypatch.setattr(drill, "_HEADROOM", 10**15)
    outcome = drill.run(settings)
    assert (outcome.exit_code, outcome.document["verdict"]) == (4, "could_not_verify")
    assert "the drill needs about" in outcome.document["checks"][2]["detail"]


def test_a_place_that_is_not_there_must_not_either(settings, saved):
    outcome = drill.run(replace(settings, drill_dir="/nonexistent"))
    assert outcome.exit_code == 4
    assert "No such file or directory" in outcome.document["checks"][0]["detail"]


def test_an_unknown_backup_is_no_drill(settings, saved):
    with pytest.raises(NotFoundError):
        drill.run(settings, "20200101_000000")
    assert not os.path.exists(os.path.join(settings.repository, "drills"))


@pytest.mark.parametrize(("module", "name"), [(side, "unpack"), (filesproof, "differences")])
def test_an_interrupt_says_how_to_go_on(settings, saved, monkeypatch, module, name):
    def interrupt(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(drill_files, "keep", lambda *_arguments: pytest.fail("an interrupted drill has no report"))
    monkeypatch.setattr(module, name, interrupt)
    with pytest.raises(Interrupted) as caught:
        drill.run(settings)
    assert caught.value.next_step == "run it again; it clears what was left"


def test_from_offsite_it_is_brought_first(settings, saved, monkeypatch):
    monkeypatch.setattr(pull, "fetch", lambda _config, _word, store, _observer: {"pulled": saved.id, "store": store})
    assert drill.run(settings, "latest", offsite=True).document["backup"]["id"] == saved.id


def test_the_plan_names_backup_and_place(settings, saved, sealed, monkeypatch):
    document = drill.plan(settings).document["plan"]
    assert (document["backup"], document["components"]) == (saved.id, ["json"])
    assert document["place"] == "none: the backup has no database half"
    sealed("full", sequence=9)
    monkeypatch.setattr(cluster, "programs", lambda major, _bindir: Target().clients)
    assert drill.plan(settings).lines[1].startswith("place: a throwaway server of PostgreSQL 15.14 below")
    elsewhere = replace(settings, drill_url="postgresql://u@h/d")
    assert "scratch database on the server of drill_url" in drill.plan(elsewhere).lines[1]


@pytest.fixture
def one(settings, head_of, sealed):
    """A drill of a full backup, on a stand-in for the server."""

    def make(config=settings, **answers):
        database = {**head_of("database").database, "roles": ["app", "postgres"], "fingerprint": None}
        sealed("full", database=database)
        made = drill._Drill(config, repository.listing(settings.repository).backups[0], Observer(), drill.OWN_KEYRING)
        return made, Target(answers=Answers(answers))

    return make


def test_roles_are_made_in_a_throwaway_server_alone(one, monkeypatch):
    for name in ("create_database", "load"):
        monkeypatch.setattr(side, name, lambda *_arguments: None)
    made, place = one(pg_roles=[{"name": "postgres"}])
    made._found.place = {"kind": "throwaway", "server_version": "15.14"}
    made._restore(place, "/scratch")
    assert place.answers.said[-1] == 'CREATE ROLE "app"'
    made._found.place = {"kind": "database", "server_version": "15.14"}
    asked = len(place.answers.said)
    made._restore(place, "/scratch")
    assert len(place.answers.said) == asked


def test_a_given_server_is_the_place_where_there_is_a_url(one, settings, monkeypatch):
    made, place = one(config=replace(settings, drill_url="postgresql://u@h/d"))
    monkeypatch.setattr(drill.targets, "reach", lambda _config, _admin, _name: place)
    with made._server(None) as reached:
        assert reached is place
    assert made._found.place == {"kind": "database", "server_version": "15.14"}
