"""Backups in real stores: whole or not there, caught up, pruned, read back, and restored from where nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import keys
import pytest
from storage import ACCESS, PASSWORD, S3, SECRET, BadS3, Mounted, Sftp, WebDav, programs, write_config

KINDS = {"s3": S3, "sftp": Sftp, "webdav": WebDav, "directory": Mounted}


@pytest.fixture
def storages(tmp_path):
    """Make stores by kind; all are gone afterwards."""
    made = []

    def make(kind: str):
        one = KINDS[kind](tmp_path / f"storage{len(made)}")
        made.append(one)
        return one.start()

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def bad():
    """The S3 server that does wrong."""
    one = BadS3()
    yield one
    one.close()


def ship_to(app, rclone: str = "current", **stores) -> None:
    """Configure the application to ship there; a store is a storage, or a pair of one and further keys."""
    pairs = {name: one if isinstance(one, tuple) else (one, {}) for name, one in stores.items()}
    path = app.directory / "rclone.conf"
    write_config(path, {name: one.section() for name, (one, _more) in pairs.items()})
    entries = [
        {"name": name, "path": getattr(one, "path", "bucket/app1"), "retries": 0, "timeout": 20, **more}
        for name, (one, more) in pairs.items()
    ]
    app.configure(offsite=entries, rclone_config=str(path), rclone=programs()[rclone])


def run(app, *arguments: str, code: int = 0):
    result = app.run(*arguments)
    assert result.code == code, result.out + result.err
    return result


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


def uploading(app) -> list:
    """The rclone processes of this application that upload now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"copyto" in words and f"--config={app.directory}/rclone.conf".encode() in words:
            found.append(int(path.parent.name))
    return found


def wait_until_gone(app) -> None:
    deadline = time.monotonic() + 10
    while uploading(app):
        assert time.monotonic() < deadline, "rclone outlived the engine"
        time.sleep(0.05)


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


def age(app, backup_id: str) -> None:
    """Make a backup look 40 days old, here."""
    program = (
        "import sys, dataclasses; from mirai_backup import manifest\n"
        "head = manifest.read(sys.argv[1]); entries = list(manifest.read_entries(sys.argv[1], head))\n"
        "head = dataclasses.replace(head, started='2026-01-01T00:00:00.000000Z', ended='2026-01-01T00:00:01.000000Z')\n"
        "manifest.write(sys.argv[1], head, entries)"
    )
    (path,) = app.repository.glob(f"*/{backup_id}*.manifest.json")
    subprocess.run(["python3", "-c", program, str(path)], env=app.environment(), check=True)


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


def age_by_hours(app, hours: int) -> None:
    program = (
        "import sys, dataclasses, datetime; from mirai_backup import manifest, text\n"
        "head = manifest.read(sys.argv[1]); entries = list(manifest.read_entries(sys.argv[1], head))\n"
        "ended = text.utc(head.ended_at - datetime.timedelta(hours=int(sys.argv[2])))\n"
        "manifest.write(sys.argv[1], dataclasses.replace(head, ended=ended), entries)"
    )
    (path,) = app.repository.glob("*/*.manifest.json")
    subprocess.run(["python3", "-c", program, str(path), str(hours)], env=app.environment(), check=True)


def test_secrets_are_in_no_argument_environment_log_or_message(app, storages, bad):
    """Canaries, looked for while rclone runs, and in everything that was written."""
    storage, dav = storages("s3"), storages("webdav")
    canaries = [ACCESS, SECRET, PASSWORD, dav.section()["pass"]]
    (app.data / "big.json").write_bytes(os.urandom(2_000_000))
    ship_to(app, s3=(storage, {"bandwidth_limit": "2M"}), dav=(dav, {"bandwidth_limit": "2M"}))
    child = app.start("--json", "backup", "--json-only")
    seen, looked = "", 0
    while child.poll() is None:
        for pid in uploading(app):
            try:
                seen += Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()
                looked += 1
            except OSError:
                continue
        time.sleep(0.02)
    assert looked and child.returncode == 0
    seen += child.stdout.read() + child.stderr.read()
    write_config(
        app.directory / "rclone.conf",
        {
            "s3": {**storage.section(), "secret_access_key": SECRET + "x"},
            "dav": {**dav.section(), "url": f"http://u:{PASSWORD}@127.0.0.1:{dav.port}/x", "pass": "not obscured"},
        },
    )
    for verb in (("backup", "--json-only"), ("push",), ("list", "--offsite"), ("pull",), ("config", "show")):
        result = app.run(*verb)
        seen += result.out + result.err
    seen += app.log.read_text()
    seen += "".join(path.read_text(errors="replace") for path in app.repository.rglob("*") if path.is_file())
    assert [one for one in canaries if one in seen] == []


def test_a_configuration_that_others_can_read_is_refused(app, storages):
    ship_to(app, away=storages("directory"))
    (app.directory / "rclone.conf").chmod(0o644)
    assert "0644" in run(app, "--json", "backup", "--json-only", code=3).out


def test_other_rclone_settings_of_the_environment_change_nothing(app, storages):
    ship_to(app, away=storages("s3"))
    strange = {"RCLONE_DRY_RUN": "true", "RCLONE_CONFIG": "/nowhere", "AWS_CA_BUNDLE": "/nowhere"}
    result = app.run("backup", "--json-only", **strange)
    assert result.code == 0, result.out + result.err
    run(app, "verify", "--offsite")


def test_the_metadata_log_tells_of_pushes(app, storages):
    ship_to(app, away=storages("directory"))
    run(app, "backup", "--json-only")
    last = json.loads((app.repository / "backup_metadata.log").read_text().splitlines()[-1])
    assert (last["verb"], last["result"], last["offsite"][0]["store"]) == ("push", "ok", "away")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """The key that reads the backups, and the one that signs them."""
    directory = tmp_path_factory.mktemp("keys")
    return {"reader": keys.make(directory, "reader"), "signer": keys.make(directory, "signer", "sign")}


def test_encrypted_and_signed_it_goes_there_and_comes_back(app, storages, pairs, monkeypatch, tmp_path):
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))  # whoever runs this has no keys
    reader, storage = pairs["reader"], storages("s3")
    home = app.directory / "gnupg"
    keys.into(home, reader.public, pairs["signer"].private)
    signed = {"gpg_home": str(home), "gpg_sign_key": pairs["signer"].fingerprint}
    app.configure(gpg_recipients=[reader.fingerprint], **signed)
    ship_to(app, away=storage)
    before = app.content()
    run(app, "backup")
    sealed = {str(path.relative_to(app.repository)): content for path, content in app.files().items()}
    assert {name: (storage.top() / name).read_bytes() for name in storage.held()} == sealed
    assert [name.partition(".")[2] for name in sorted(sealed)] == [
        "tar.gz.gpg",
        "tar.gz.gpg.manifest.json",
        "tar.gz.gpg.manifest.json.sig",
    ]
    shutil.rmtree(app.repository)
    app.sql("TRUNCATE audit.log")
    assert "no private key is here" in run(app, "restore", "latest", "--offsite", code=12).err
    shutil.rmtree(app.repository)
    run(app, "pull")
    assert {str(path.relative_to(app.repository)): one for path, one in app.files().items()} == sealed
    run(app, "verify", "--key", str(reader.private))
    run(app, "restore", "latest", "--key", str(reader.private))
    assert app.content() == before


@pytest.mark.parametrize("edited", ["signature", "manifest"])
def test_what_was_edited_in_the_store_is_refused(app, storages, pairs, edited):
    storage, home = storages("directory"), app.directory / "gnupg"
    keys.into(home, pairs["signer"].private)
    app.configure(gpg_home=str(home), gpg_sign_key=pairs["signer"].fingerprint)
    ship_to(app, away=storage)
    run(app, "backup")
    shutil.rmtree(app.repository)
    (signature,) = [storage.top() / name for name in storage.held() if name.endswith(".sig")]
    if edited == "signature":
        content = signature.read_bytes()
        signature.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        forge(app, signature.with_suffix(""))
    before = app.content()
    for verb in (("pull",), ("restore", "latest", "--offsite"), ("drill", "--offsite")):
        result = run(app, *verb, code=2)
        assert "signature" in result.out + result.err, verb
    assert app.content() == before and app.files() == {}


def forge(app, path: Path) -> None:
    """Write a manifest anew, with digests that fit."""
    program = (
        "import sys, dataclasses; from mirai_backup import manifest\n"
        "head = manifest.read(sys.argv[1]); entries = list(manifest.read_entries(sys.argv[1], head))\n"
        "manifest.write(sys.argv[1], dataclasses.replace(head, application='another'), entries)"
    )
    subprocess.run(["python3", "-c", program, str(path)], env=app.environment(), check=True)
