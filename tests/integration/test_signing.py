"""Signed manifests: what was not made with the key is refused before anything of it is used."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import keys
import pytest


@pytest.fixture(scope="module")
def signers(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    made = {name: keys.make(directory, name, "sign") for name in ("signer", "intruder")}
    made["locked"] = keys.make(directory, "locked", "sign", passphrase="geheim")
    return made


@pytest.fixture
def signed(app, signers):
    """An application whose manifests are signed, with one backup."""
    home = app.directory / "gnupg"
    keys.into(home, signers["signer"].private)
    app.configure(gpg_home=str(home), gpg_sign_key=signers["signer"].fingerprint)
    app.succeed("backup")
    return app


def manifest_of(app) -> Path:
    return next((app.repository / "full").glob("*.manifest.json"))


def forge(app, **changes) -> Path:
    """Rewrite the manifest as the engine would write it, digests and all."""
    code = (
        "import dataclasses, json, sys; from mirai_backup import manifest; path = sys.argv[1];"
        "head = manifest.read(path); entries = list(manifest.read_entries(path, head));"
        "manifest.write(path, dataclasses.replace(head, **json.loads(sys.argv[2])), entries)"
    )
    path = manifest_of(app)
    argv = [app.argv()[0], "-c", code, str(path), json.dumps(changes)]
    subprocess.run(argv, check=True, env=app.environment())
    return path


def sign_with(pair, path: Path) -> None:
    with keys.short_home() as home:
        keys.gpg(home, "--import", pair.private)
        signature = keys.gpg(home, "--output", "-", "--detach-sign", path)
    Path(f"{path}.sig").write_bytes(signature)


def refused(app, words: str, code: int = 2, *options: str) -> None:
    """Verify, restore, its plan and the drill all refuse, and nothing in service changes."""
    before = app.content()
    for verb in (("verify",), ("restore", "latest"), ("restore", "latest", "--plan"), ("drill",)):
        result = app.run(*verb, *options)
        assert result.code == code and words in result.out + result.err, (verb, result)
    assert app.content() == before


def test_a_signed_backup_is_used_and_pruned_whole(signed, signers):
    path = manifest_of(signed)
    with keys.short_home() as home:
        keys.gpg(home, "--import", signers["signer"].public)
        keys.gpg(home, "--trust-model", "always", "--verify", f"{path}.sig", path)
    assert os.stat(f"{path}.sig").st_mode & 0o777 == 0o600
    signed.succeed("verify")
    signed.succeed("restore", "latest")
    code = (
        "import sys; from mirai_backup import config, repository, seal; c = config.load(sys.argv[1]);"
        "one = repository.listing(c.repository).backups[0]; print(*one.files); seal.remove(c.repository, one)"
    )
    argv = [signed.argv()[0], "-c", code, str(signed.config_path)]
    done = subprocess.run(argv, check=True, env=signed.environment(), capture_output=True, text=True)
    assert done.stdout.split() == [path.name[:-14], f"{path.name}.sig", path.name]
    assert signed.files() == {}


def test_an_edited_manifest_is_refused_although_its_digests_fit(signed):
    forge(signed, application="another")
    assert signed.run("info").code == 0  # by its digests alone it is sound
    refused(signed, "its signature is not over this content")
    refused(signed, "its signature is not over this content", 2, "--accept-unsigned")


def test_no_signature_and_the_way_past_it(signed):
    Path(f"{manifest_of(signed)}.sig").unlink()
    refused(signed, "is not signed")
    signed.succeed("verify", "--accept-unsigned")
    signed.succeed("restore", "latest", "--accept-unsigned")


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "in the keyring"])
def test_another_signature_is_none(signed, signers, known):
    if known:
        keys.into(signed.directory / "gnupg", signers["intruder"].public)
    sign_with(signers["intruder"], manifest_of(signed))
    refused(signed, "signed by no key that is trusted here")
    Path(f"{manifest_of(signed)}.sig").write_bytes(b"nothing of the kind")
    refused(signed, "signed by no key that is trusted here")


def test_older_backups_keep_counting_when_the_key_changes(signed, signers):
    fresh, old = signers["intruder"], signers["signer"]
    keys.into(signed.directory / "gnupg", fresh.private)
    signed.configure(gpg_sign_key=fresh.fingerprint)
    refused(signed, "signed by no key that is trusted here")
    signed.configure(gpg_former_sign_keys=[old.fingerprint])
    signed.succeed("verify")
    signed.succeed("backup")
    signed.succeed("verify", "--all")


def test_a_host_that_only_restores_needs_the_public_part(signed, signers):
    home = signed.directory / "restoring"
    home.mkdir(mode=0o700)
    signed.configure(gpg_home=str(home))
    refused(signed, "cannot be checked: the public key", 4)
    keys.into(home, signers["signer"].public)
    signed.succeed("restore", "latest")
    files = set(signed.files())
    result = signed.run("backup")
    assert result.code == 1 and "does not sign" in result.err and set(signed.files()) == files


def test_a_key_that_wants_a_passphrase_is_refused_before_anything_is_written(app, signers):
    home = app.directory / "gnupg"
    keys.into(home, signers["locked"].private)
    app.configure(gpg_home=str(home), gpg_sign_key=signers["locked"].fingerprint)
    result = app.run("backup", timeout=30)
    assert result.code == 1 and "does not sign" in result.err and "without a passphrase" in result.err
    assert app.files() == {}
    assert app.run("backup", "--plan").code == 1
