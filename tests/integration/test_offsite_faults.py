"""Stores that are down, killed, wrong or damaged: found out, said, and healed by the next run."""

from __future__ import annotations

import os
import shutil
import signal
import time

import pytest
from shipping import run, ship_to, uploading, wait_until_gone


@pytest.mark.parametrize("kind", ["s3", "sftp", "webdav"])
def test_storage_that_is_down_makes_the_run_incomplete_and_the_next_catches_up(app, storages, kind):
    storage, other = storages(kind), storages("directory")
    ship_to(app, away=storage, near=other)
    storage.kill()
    result = run(app, "--json", "backup", "--json-only", code=3)
    assert [one["result"] for one in result.document["offsite"]] == ["failed", "ok"]
    assert "away" in result.document["incomplete"][0]
    assert "missing" not in run(app, "verify").out
    run(app, "push", "--store", "away", code=1)
    run(app, "backup", "--json-only", code=3)
    storage.start()
    pushed = run(app, "--json", "push").document["offsite"][0]["pushed"]
    assert pushed == app.ids()  # newest first
    run(app, "verify", "--offsite", "--all")


@pytest.mark.parametrize("kind", ["s3", "sftp", "webdav"])
@pytest.mark.parametrize("victim", ["engine", "storage", "rclone"])
def test_killed_in_the_middle_of_an_upload(app, storages, kind, victim):
    """Nothing looks like a backup afterwards, and the next push heals without a hand."""
    storage = storages(kind)
    (app.data / "big.json").write_bytes(os.urandom(6_000_000))
    ship_to(app, away=(storage, {"bandwidth_limit": "2M"}))
    child = app.start("backup", "--json-only")
    deadline = time.monotonic() + 60
    while not uploading(app):
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.02)
    time.sleep(0.7)
    if victim == "engine":
        child.send_signal(signal.SIGKILL)
    elif victim == "storage":
        storage.kill()
    else:
        os.kill(uploading(app)[0], signal.SIGKILL)
    code = child.wait(120)
    assert code == (-9 if victim == "engine" else 3), child.stderr.read()
    assert not [name for name in storage.held() if name.endswith(".manifest.json")]
    storage.kill()
    storage.start()
    wait_until_gone(app)
    ship_to(app, away=storage)
    run(app, "push")
    names = [name for name in storage.held() if "/.rclone_temp_put_" not in name]  # rclone's S3 server's own
    assert len(names) == 2 and not [name for name in names if "/." in name], names
    run(app, "verify", "--offsite")


@pytest.mark.parametrize(
    "rclone, fault",
    [("current", fault) for fault in ("500", "cut", "refused", "short", "flipped", "200 error")]
    + [("distribution", fault) for fault in ("short", "200 error")],
)
def test_an_s3_that_does_wrong_is_found_out(app, bad, rclone, fault):
    """What the server reports is not believed: it must hold what was sent."""
    ship_to(app, rclone, away=bad)
    bad.fault = lambda path: fault if ".tar.gz" in path else ""
    result = run(app, "--json", "backup", "--json-only", code=3)
    assert "away" in result.document["incomplete"][0]
    assert not [path for path in bad.objects if path.endswith(".manifest.json")]
    bad.fault = lambda _path: ""
    run(app, "push")
    run(app, "verify", "--offsite")


def test_a_faulty_attempt_is_repeated(app, bad):
    ship_to(app, away=(bad, {"retries": 1}))
    turns: list = []

    def first_time(path: str) -> str:
        turns.append(path)
        return "refused" if len(turns) == 1 else ""

    bad.fault = first_time
    run(app, "backup", "--json-only")
    assert "again in 5 s" in app.log.read_text()


def test_damage_in_a_store_is_named_and_healed(app, storages):
    storage = storages("directory")
    ship_to(app, away=storage)
    run(app, "backup", "--json-only")
    (name,) = [one for one in storage.held() if one.endswith(".tar.gz")]
    whole = (storage.top() / name).read_bytes()
    (storage.top() / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "SHA-256" in run(app, "verify", "--offsite", code=2).out
    keep = app.directory / "kept"
    app.repository.rename(keep)
    assert "other content" in run(app, "pull", code=1).err
    assert not [path for path in app.files() if path.exists()]
    shutil.rmtree(app.repository)
    keep.rename(app.repository)
    run(app, "push", app.ids()[0])
    run(app, "verify", "--offsite")
    (storage.top() / name).write_bytes(whole[:100])
    assert "instead of" in run(app, "verify", "--offsite", "--all", code=2).out
    run(app, "push")
    run(app, "verify", "--offsite")


def test_a_damaged_backup_is_not_shipped_and_pull_mends_it(app, storages):
    storage = storages("directory")
    ship_to(app, away=storage)
    run(app, "backup", "--json-only")
    (first,) = app.ids()
    path = next(app.repository.glob("json/*.tar.gz"))
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    shutil.rmtree(storage.top() / "json")
    assert "is damaged and was not pushed" in run(app, "push", code=1).out
    assert storage.held() == []
    path.write_bytes(content)
    run(app, "push")
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert run(app, "--json", "pull", first).document["changed"] is True
    run(app, "verify")
