"""What is secret on the way to a store stays so: credentials, and what the backups hold."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import keys
import pytest
from shipping import forge, run, ship_to, uploading
from storage import ACCESS, PASSWORD, SECRET, write_config


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
