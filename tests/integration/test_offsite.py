"""Backups in real stores: shipped as they are, read back, pruned, and restored from where nothing else is."""

from __future__ import annotations

import json
import shutil

import pytest
from shipping import KINDS, age, age_by_hours, run, ship_to


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rclone", ["distribution", "current"])
def test_a_backup_lies_in_the_store_as_in_the_repository(app, storages, kind, rclone):
    storage = storages(kind)
    ship_to(app, rclone, away=storage)
    document = run(app, "--json", "backup", "--json-only").document
    (result,) = document["offsite"]
    assert (result["result"], result["pushed"], result["missing"]) == ("ok", [document["backup"]["id"]], [])
    local = {str(path.relative_to(app.repository)): content for path, content in app.files().items()}
    assert {name: (storage.top() / name).read_bytes() for name in storage.held()} == local
    run(app, "verify", "--offsite", "--all")
    shutil.rmtree(app.repository)
    run(app, "pull")
    assert {str(path.relative_to(app.repository)): one for path, one in app.files().items()} == local
    assert run(app, "--json", "pull").document["changed"] is False
    assert run(app, "push").out.count("0 pushed") == 1
    for path in app.repository.rglob("*"):
        assert path.lstat().st_mode & 0o077 == 0, path


def test_restore_and_drill_straight_from_offsite(app, storages):
    ship_to(app, s3=storages("s3"), dir=storages("directory"))
    before = app.content()
    run(app, "backup")
    shutil.rmtree(app.repository)
    app.sql("TRUNCATE audit.log")
    (app.data / "knowledge.json").unlink()
    assert "mirai_full" in run(app, "restore", "latest", "--offsite", "--plan").out
    assert not list(app.repository.glob("full/*"))
    run(app, "restore", "latest", "--offsite")
    assert app.content() == before
    shutil.rmtree(app.repository)
    assert "pass" in run(app, "drill", "--offsite", "--store", "dir").out
    # a server that was rebuilt goes on counting where the store stands
    shutil.rmtree(app.repository)
    run(app, "list", "--offsite")
    run(app, "push")
    assert run(app, "--json", "backup", "--json-only").document["backup"]["sequence"] == 2


@pytest.mark.parametrize("kind", ["s3", "directory"])
def test_each_store_has_a_retention_of_its_own(app, storages, kind):
    storage, archive = storages(kind), storages("directory")
    app.configure(retention={"json": {"days": 36500}})
    app.succeed("backup", "--json-only")
    app.succeed("backup", "--json-only")
    young, old = app.ids()
    age(app, old)
    app.succeed("backup", "--json-only")
    ship_to(
        app,
        brief=(storage, {"retention": {"json": {"days": 365}}}),
        archive=(archive, {"retention": "none"}),
    )
    results = run(app, "--json", "push").document["offsite"]
    assert old in results[1]["pushed"]
    age_limit = {"retention": {"json": {"days": 1, "keep_min": 1}}}
    ship_to(app, brief=(storage, age_limit), archive=(archive, {"retention": "none"}))
    (storage.top() / "json" / "somebody elses.txt").write_text("foreign")
    results = run(app, "--json", "push").document["offsite"]
    assert results[0]["pruned"] == [old] and results[0]["missing"] == []
    assert not [name for name in storage.held() if old in name]
    assert young in " ".join(storage.held()) and "json/somebody elses.txt" in storage.held()
    assert old in " ".join(archive.held())
    assert run(app, "--json", "push").document["offsite"][0]["pushed"] == []  # not sent again only to go again


def test_retention_keeps_the_last_good_ones_however_old(app, storages):
    storage = storages("directory")
    app.configure(retention={"json": {"days": 36500}})
    for _number in range(3):
        app.succeed("backup", "--json-only")
    for one in app.ids():
        age(app, one)
    ship_to(app, away=(storage, {"retention": {"json": {"days": 1, "keep_min": 2}}}))
    run(app, "push")
    held = [name for name in storage.held() if name.endswith(".manifest.json")]
    assert [name.split("/")[1].split(".")[0] for name in held] == sorted(app.ids()[:2])


@pytest.mark.parametrize("rclone", ["distribution", "current"])
def test_a_credential_that_may_only_put_is_enough(app, bad, rclone):
    ship_to(app, rclone, away=(bad, {"write_only": True}))
    run(app, "backup", "--json-only")
    assert {one[0] for one in bad.requests} == {"PUT"}
    assert all("Content-Md5" in {name.title() for name in one[2]} for one in bad.requests)
    assert len(bad.objects) == 2
    assert "sent" in run(app, "list", "--offsite").out
    assert "write_only" in run(app, "pull", code=1).err
    assert run(app, "--json", "push").document["offsite"][0]["pushed"] == []


def test_a_locked_object_is_a_note_and_no_failure(app, bad):
    app.configure(retention={"json": {"days": 36500}})
    app.succeed("backup", "--json-only")
    (old,) = app.ids()
    age(app, old)
    app.succeed("backup", "--json-only")
    ship_to(app, away=(bad, {"retention": {"json": {"days": 36500}}}))
    run(app, "push")
    ship_to(app, away=(bad, {"retention": {"json": {"days": 1}}}))
    bad.fault = lambda _path: "locked"
    (result,) = run(app, "--json", "push").document["offsite"]
    assert old in result["notes"][0] and "not deleted" in result["notes"][0] and result["pruned"] == []
    assert len(bad.objects) == 4
    bad.fault = lambda _path: ""
    assert run(app, "--json", "push").document["offsite"][0]["pruned"] == [old]
    assert len(bad.objects) == 2


def test_a_directory_that_is_not_mounted_gets_nothing(app, storages):
    storage = storages("directory")
    ship_to(app, away=storage)
    storage.top().rmdir()
    assert "there is no" in run(app, "backup", "--json-only", code=3).out
    assert not storage.top().exists()


def test_check_asks_for_the_copy_offsite(app, storages):
    storage = storages("directory")
    app.succeed("backup")
    age_by_hours(app, 7)
    ship_to(app, away=storage)
    assert "offsite store away lacks the newest 1" in run(app, "check", code=1).out
    run(app, "push")
    run(app, "check")


def test_the_metadata_log_tells_of_pushes(app, storages):
    ship_to(app, away=storages("directory"))
    run(app, "backup", "--json-only")
    last = json.loads((app.repository / "backup_metadata.log").read_text().splitlines()[-1])
    assert (last["verb"], last["result"], last["offsite"][0]["store"]) == ("push", "ok", "away")
