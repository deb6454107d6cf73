"""signature: where a key signs, a manifest counts only with its signature."""

import os
from dataclasses import replace

import pytest
from gpg_keys import pair
from mirai_backup import gpg_home, key_import, process, signature
from mirai_backup.errors import CouldNotVerifyError, EngineError, MismatchError, PreflightError

OURS, THEIRS = pair("a"), pair("b")


@pytest.fixture
def signing(settings_of, tmp_path):
    """A configuration whose key signs."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    key_import.run(str(home), [OURS.public], [OURS.private])
    return settings_of(gpg_home=str(home), gpg_sign_key=OURS.fingerprint)


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "x.manifest.json"
    path.write_bytes(b'{"sequence": 1}')
    return str(path)


def refusal(config, path, error=MismatchError, **values) -> str:
    with pytest.raises(error) as caught:
        signature.require(config, path, **values)
    return caught.value.words


def test_what_was_signed_passes(signing, manifest):
    assert signature.sign(signing, manifest) == manifest + ".sig"
    signature.require(signing, manifest)
    signature.rehearse(signing)


def test_an_edit_is_seen(signing, manifest):
    signature.sign(signing, manifest)
    with open(manifest, "ab") as file:
        file.write(b" ")
    assert "its signature is not over this content" in refusal(signing, manifest)


def test_a_manifest_without_a_signature_counts_only_where_that_is_said(signing, manifest):
    assert "is not signed, but gpg_sign_key is set" in refusal(signing, manifest)
    signature.require(signing, manifest, accept_unsigned=True)
    signature.require(replace(signing, gpg_sign_key=""), manifest)


def test_whoever_else_signs_is_not_trusted_unless_as_a_former_key(signing, manifest):
    key_import.run(signing.gpg_home, [THEIRS.public], [THEIRS.private])
    theirs = replace(signing, gpg_sign_key=THEIRS.fingerprint)
    signature.sign(theirs, manifest)
    assert "it is signed by no key that is trusted here" in refusal(signing, manifest)
    signature.require(replace(signing, gpg_former_sign_keys=(THEIRS.fingerprint,)), manifest)


def test_a_key_that_is_not_here_leaves_it_open(signing, manifest, tmp_path):
    signature.sign(signing, manifest)
    (tmp_path / "empty").mkdir(mode=0o700)
    elsewhere = replace(signing, gpg_home=str(tmp_path / "empty"))
    assert "cannot be checked: the public key" in refusal(elsewhere, manifest, CouldNotVerifyError)


def test_a_file_that_is_no_signature_does_not_pass(signing, manifest):
    with open(manifest + ".sig", "wb") as file:
        file.write(b"nothing of the kind")
    refusal(signing, manifest, EngineError)


def test_where_gpg_says_nothing_nothing_is_known(signing, manifest, monkeypatch):
    signature.sign(signing, manifest)

    def fail(*_arguments):
        raise process.ProcessError("gpg was killed by signal 9")

    monkeypatch.setattr(process, "pump", fail)
    assert "could not be checked: gpg was killed" in refusal(signing, manifest, CouldNotVerifyError)


def test_a_revoked_key_is_named(signing, manifest, monkeypatch):
    signature.sign(signing, manifest)
    said = f"[GNUPG:] REVKEYSIG X\n[GNUPG:] VALIDSIG {OURS.fingerprint} {OURS.fingerprint}\n".encode()
    monkeypatch.setattr(process, "pump", lambda _commands, sink: sink(said))
    assert "it is signed by a key that is revoked" in refusal(signing, manifest)


def test_a_key_without_its_private_part_is_found_out_before_a_run(settings_of, tmp_path):
    home = tmp_path / "public"
    home.mkdir(mode=0o700)
    key_import.run(str(home), [OURS.public], [])
    config = settings_of(gpg_home=str(home), gpg_sign_key=OURS.fingerprint)
    with pytest.raises(PreflightError, match="does not sign") as caught:
        signature.rehearse(config)
    assert "mirai_backup_gpg_sign_private_key" in caught.value.next_step


def test_an_empty_signature_is_none(signing, manifest, monkeypatch):
    monkeypatch.setattr(process, "run", lambda *_arguments: b"")
    monkeypatch.setattr(gpg_home, "throwaway", _nowhere)
    with pytest.raises(EngineError, match="gpg made no signature"):
        signature.sign(signing, manifest)
    assert not os.path.exists(manifest + ".sig")


class _nowhere:
    """In place of a throwaway home."""

    def __init__(self, _home):
        pass

    def __enter__(self):
        return "/nowhere"

    def __exit__(self, *_exception):
        return None
