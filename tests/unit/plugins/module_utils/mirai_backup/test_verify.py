"""verify: a backup is decoded to its last byte, and what is wrong is named."""

import os
from dataclasses import replace

import pytest
from mirai_backup import backup, inventory, manifest, records, repository, verify
from mirai_backup.errors import PreflightError


@pytest.fixture
def settings(settings_of, tmp_path):
    """A configuration with two JSON files to back up, and one JSON backup of them."""
    made = settings_of()
    for name in ("a.json", "b.json"):
        (tmp_path / "app/backend/data" / name).write_bytes(b"[1]")
        os.utime(tmp_path / "app/backend/data" / name, (0, 0))
    backup.run(made, "json")
    return made


@pytest.fixture
def only(settings):
    """The one backup."""
    (found,) = repository.listing(settings.repository).backups
    return found


def verdict(settings, word="latest", every=False):
    outcome = verify.run(settings, word, every)
    return outcome.exit_code, [(one["verdict"], one["why"]) for one in outcome.document["verified"]]


def test_a_whole_backup_passes(settings):
    assert verdict(settings) == (0, [("pass", "")])


def test_every_flipped_byte_is_found(settings, only):
    whole = open(only.path, "rb").read()
    for place in range(0, len(whole), 7):
        with open(only.path, "r+b") as file:
            file.seek(place)
            file.write(bytes([whole[place] ^ 0x55]))
        code, ((found, why),) = verdict(settings)
        assert (code, found) == (2, "fail"), place
        assert why.startswith(f"{os.path.basename(only.path)} is damaged: its SHA-256 is not the manifest's")
        with open(only.path, "r+b") as file:
            file.write(whole)


def test_damage_is_on_record_until_it_is_well_again(settings, only):
    whole = open(only.path, "rb").read()
    with open(only.path, "wb") as file:
        file.write(whole[:-1] + b"x")
    assert verdict(settings)[0] == 2
    assert list(records.damaged(settings.repository)) == [only.id]
    assert f"{only.id} did not pass a verify at 20" in "\n".join(inventory.run(settings).lines)
    with open(only.path, "wb") as file:
        file.write(whole)
    assert verdict(settings)[0] == 0
    assert records.damaged(settings.repository) == {}


def test_a_truncated_or_missing_artifact_is_named(settings, only):
    os.truncate(only.path, 100)
    code, ((found, why),) = verdict(settings, only.id)
    assert (code, found) == (2, "fail")
    assert "has 100 bytes instead of" in why
    os.unlink(only.path)
    assert verdict(settings, only.path)[1][0][1].endswith("is missing")


def test_all_includes_damaged_manifests(settings, only):
    os.truncate(only.manifest_path, 50)
    code, ((found, why),) = verdict(settings, every=True)
    assert (code, found) == (2, "fail")
    assert "manifest" in why


def test_an_edited_list_of_files_is_found(settings, only):
    content = open(only.manifest_path, "rb").read()
    with open(only.manifest_path, "wb") as file:
        file.write(content.replace(b"data/b.json", b"data/c.json").replace(b'"b.json"', b'"c.json"'))
    code, ((found, why),) = verdict(settings)
    assert (code, found) == (2, "fail")
    assert "c.json" in why


def test_an_empty_repository_passes_nothing(settings_of, repo):
    outcome = verify.run(settings_of(), every=True)
    assert outcome.lines == ("the repository is empty",)


def test_a_manifest_that_was_replaced_is_told_by_the_next_one(settings, only):
    backup.run(settings, "json")
    assert verdict(settings, every=True)[0] == 0
    entries = list(manifest.read_entries(only.manifest_path, only.manifest))
    manifest.write(only.manifest_path, replace(only.manifest, application="another"), entries)
    code, results = verdict(settings, every=True)
    assert code == 2
    assert [found for found, _why in results] == ["pass", "fail"]
    assert f"was made after another {only.id} than the one that is there" in results[1][1]


@pytest.mark.parametrize(("damaged", "code", "verdict_"), [(False, 4, "could_not_verify"), (True, 2, "fail")])
def test_what_cannot_be_decoded_is_sealed_only_where_every_byte_was_read(
    settings, only, monkeypatch, damaged, code, verdict_
):
    def missing(*_arguments):
        raise PreflightError("gpg is not installed")

    monkeypatch.setattr(verify.unlock.signature, "require", missing)
    if damaged:
        os.truncate(only.path, os.path.getsize(only.path) - 1)
        monkeypatch.setattr(repository.Backup, "problem", "", raising=False)
    outcome = verify.run(settings, only.id)
    (found,) = outcome.document["verified"]
    assert (outcome.exit_code, found["verdict"], found["sealed"]) == (code, verdict_, not damaged)
