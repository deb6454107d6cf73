"""unlock: what is encrypted opens with the right key alone, and damage is told from a missing key."""

import os
from dataclasses import replace

import pytest
from gpg_keys import pair
from mirai_backup import backup, drill, key_import, repository, restore, unlock, verify
from mirai_backup.access import Access
from mirai_backup.errors import DecryptError, MismatchError
from mirai_backup.hashed import HashedReader
from mirai_backup.restore import Request

OURS, THEIRS = pair("a"), pair("b")


@pytest.fixture
def settings(settings_of, tmp_path):
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    key_import.run(str(home), [OURS.public], [])
    (tmp_path / "drills").mkdir()
    return settings_of(gpg_home=str(home), gpg_recipients=[OURS.fingerprint], drill_dir=str(tmp_path / "drills"))


@pytest.fixture
def encrypted(settings, tmp_path):
    """An encrypted backup of one file."""
    (tmp_path / "app/backend/data/a.json").write_bytes(b"[1]")
    backup.run(settings, "json")
    return repository.listing(settings.repository).backups[0]


@pytest.fixture
def key(tmp_path):
    """Access with the private key of a pair, brought as a file."""

    def bring(of=OURS, content=None):
        path = tmp_path / f"{of.fingerprint}.asc"
        path.write_text(content if content is not None else of.private)
        return Access(key_file=str(path))

    return bring


def refusal(settings, backup_, access, error=DecryptError) -> str:
    with pytest.raises(error) as caught, unlock.unlocked(settings, backup_, access):
        pass
    return caught.value.words


def test_opened_with_the_key_that_is_brought(settings, encrypted, key, tmp_path):
    assert encrypted.encrypted
    outcome = restore.run(settings, Request(components="json", access=key(), to_dir=str(tmp_path / "copy")))
    assert (tmp_path / "copy/a.json").read_bytes() == b"[1]"
    assert outcome.exit_code == 0
    assert drill.run(settings, access=key()).document["verdict"] == "pass"


def test_another_key_does_not_open_it(settings, encrypted, key):
    words = refusal(settings, encrypted, key(THEIRS))
    assert "no private key is here" in words and "--key FILE" in words


@pytest.mark.parametrize(
    ("content", "words"),
    [(OURS.public, "holds no private key"), ("no key at all", "cannot be imported|holds no private key")],
)
def test_what_is_no_private_key_is_said(settings, encrypted, key, content, words):
    with pytest.raises(DecryptError, match=words), unlock.unlocked(settings, encrypted, key(content=content)):
        pass


def test_a_file_that_cannot_be_read_is_named(settings, encrypted, key):
    assert "key file /nonexistent cannot be read" in refusal(settings, encrypted, Access(key_file="/nonexistent"))
    access = replace(key(), passphrase_file="/nonexistent")
    assert "passphrase file /nonexistent cannot be read" in refusal(settings, encrypted, access)


def test_damage_is_not_taken_for_a_missing_key(settings, encrypted, key):
    with open(encrypted.path, "r+b") as file:
        file.seek(5)  # within the number of the key that it is encrypted to
        file.write(b"????")
    assert "is damaged" in refusal(settings, encrypted, key(), MismatchError)


def test_a_manifest_that_was_replaced_while_it_was_read(settings, encrypted, key):
    other = replace(encrypted)
    other.__dict__["manifest"] = replace(encrypted.manifest, digest="0")
    assert "was replaced while it was read" in refusal(settings, other, key(), MismatchError)


def test_without_a_key_nothing_is_read_out_of_it(encrypted):
    with open(encrypted.path, "rb") as file:
        with pytest.raises(DecryptError, match="there is no key to read it with"):
            with unlock.opened(encrypted.path, HashedReader(file), ()):
                pass


def test_bytes_that_changed_on_the_way_are_damage(settings, encrypted, key):
    with unlock.unlocked(settings, encrypted, key()) as decryption:
        os.truncate(encrypted.path, os.path.getsize(encrypted.path) - 5)
        with open(encrypted.path, "rb") as file, pytest.raises(MismatchError, match="cannot be decrypted"):
            with unlock.opened(encrypted.path, HashedReader(file), decryption) as content:
                content.read()


def test_verified_to_its_digests_without_a_key_and_whole_with_one(settings, encrypted, key, monkeypatch):
    monkeypatch.setenv("HOME", settings.gpg_home)
    without = verify.run(settings)
    assert (without.exit_code, without.document["verified"][0]["sealed"]) == (4, True)
    assert "every byte is as sealed; not decoded" in without.lines[0]
    assert verify.run(settings, access=key()).exit_code == 0
    assert verify.run(settings, access=key(THEIRS)).exit_code == 12


def test_a_full_backup_is_encrypted_once_as_a_whole(settings, postgresql, key, tmp_path):
    url = "postgresql://app:x@localhost/mirai"
    both = replace(settings, database_url=url, admin_url=url, pg_bindir=postgresql.bindir)
    (tmp_path / "app/backend/data/a.json").write_bytes(b"[1]")
    backup.run(both, "full")
    (one,) = repository.listing(both.repository).backups
    assert one.path.endswith(".tar.gz.gpg")
    assert [member.name.endswith(".gpg") for member in one.manifest.members] == [False, False, False]
    assert os.listdir(f"{both.repository}/.staging") == []
    assert verify.run(both, access=key()).exit_code == 0
    restore.run(both, Request(components="json", access=key(), to_dir=str(tmp_path / "copy")))
    assert (tmp_path / "copy/a.json").read_bytes() == b"[1]"
