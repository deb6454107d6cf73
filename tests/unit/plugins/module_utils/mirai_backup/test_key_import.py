"""key_import: keys are tried on a copy, and written only when all of them are what they should be."""

import os

import pytest
from gpg_keys import pair
from mirai_backup import gpg, key_import
from mirai_backup.errors import ConfigError

A, B = pair("a"), pair("b")


@pytest.fixture
def home(tmp_path):
    directory = tmp_path / "gnupg"
    directory.mkdir(mode=0o700)
    return str(directory)


def test_new_keys_are_imported_once(home):
    changes, used = key_import.run(home, [A.public], [B.private], [A.fingerprint], B.fingerprint)
    assert sorted(changes) == sorted([f"import public key {A.fingerprint}", f"import private key {B.fingerprint}"])
    assert [(one.purpose, one.problem) for one in used] == [("recipient", ""), ("signer", "")]
    assert os.listdir(os.path.join(home, "private-keys-v1.d"))
    again, _used = key_import.run(home, [A.public], [B.private], [A.fingerprint], B.fingerprint)
    assert again == []


def test_check_mode_says_the_same_and_writes_nothing(home):
    changes, _used = key_import.run(home, [A.public], [], [A.fingerprint], check=True)
    assert changes == [f"import public key {A.fingerprint}"]
    assert os.listdir(home) == []


def test_before_gpg_is_installed_every_key_is_new(home, monkeypatch):
    monkeypatch.setattr(gpg, "is_installed", lambda: False)
    changes = key_import.run(home, [A.public, B.public], [B.private], check=True)[0]
    assert changes == ["import public key 1", "import public key 2", "import private key 1"]


@pytest.mark.parametrize(
    ("public", "private", "words"),
    [
        ([A.private], [], "public key 1 is not an armored public key"),
        ([A.public], [B.public], "private key 1 is not an armored private key"),
        (["nothing of the kind"], [], "public key 1 (cannot be imported|holds no key)"),
        ([A.public.replace("\n", "", 3)], [], "public key 1 (cannot be imported|holds no key)"),
    ],
)
def test_what_is_no_such_key_is_refused_and_nothing_is_written(home, public, private, words):
    with pytest.raises(ConfigError, match=words) as caught:
        key_import.run(home, public, private)
    assert "export it" in caught.value.next_step
    assert os.listdir(home) == []


def test_a_key_that_is_to_be_used_must_be_there_afterwards(home):
    with pytest.raises(ConfigError, match=f"recipient key {B.fingerprint} is not there") as caught:
        key_import.run(home, [A.public], [], [B.fingerprint])
    assert caught.value.next_step == "add it to mirai_backup_gpg_public_keys"
    assert os.listdir(home) == []


def test_a_home_behind_a_symlink_is_not_written_to(home, tmp_path):
    (tmp_path / "link").symlink_to(home)
    with pytest.raises(ConfigError, match="is not a directory"):
        key_import.run(str(tmp_path / "link"), [A.public], [])
