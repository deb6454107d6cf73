"""inventory: what backups there are, newest first, and everything about one."""

import os
import shutil

import pytest
from mirai_backup import inventory, repository
from mirai_backup.errors import NotFoundError

FINGERPRINT = {
    "mode": "full",
    "server_major": 15,
    "tables": {"public.users": {"rows": 3}, "auth.roles": {"rows": 4}},
    "sequences": {},
    "large_objects": None,
    "schema": {},
}
DATABASE = {
    "name": "mirai",
    "system_identifier": "1",
    "server_version": "15.14",
    "size": 2_000_000,
    "properties": {},
    "roles": [],
    "fingerprint": FINGERPRINT,
}


@pytest.fixture
def settings(settings_of):
    return settings_of()


def test_newest_first_and_by_kind(settings, sealed):
    heads = [sealed(kind, sequence=number) for number, kind in enumerate(("json", "database", "json"), 1)]
    outcome = inventory.run(settings)
    assert [one["id"] for one in outcome.document["backups"]] == [heads[2].id, heads[1].id, heads[0].id]
    assert outcome.lines[0].startswith(heads[2].id)
    assert [one["id"] for one in inventory.run(settings, "database").document["backups"]] == [heads[1].id]


def test_what_is_wrong_is_listed_too(settings, repo, sealed):
    damaged, lost, pinned = (sealed(sequence=number) for number in (1, 2, 3))
    os.truncate(f"{repo}/json/{damaged.artifacts[0].name}.manifest.json", 9)
    os.unlink(f"{repo}/json/{lost.artifacts[0].name}")
    repository.pin(repo, pinned.id)
    open(f"{repo}/json/mirai_json_20250101_000000.tar.gz", "wb").close()
    outcome = inventory.run(settings)
    assert outcome.lines[0].endswith("pinned")
    assert f"NOT WHOLE: {lost.artifacts[0].name} is missing" in outcome.lines[1]
    assert outcome.lines[2].startswith("damaged: manifest ")
    assert outcome.lines[3].startswith("no manifest, not counted as a backup: ")
    assert len(outcome.document["damaged"]) == len(outcome.document["unsealed"]) == 1


def test_an_empty_repository_and_none_at_all(settings, settings_of, repo, tmp_path):
    assert inventory.run(settings).lines == ("there are no backups",)
    with pytest.raises(NotFoundError):
        inventory.run(settings_of(repository=str(tmp_path / "none")))


def test_everything_about_one(settings, sealed):
    head = sealed("full", database=DATABASE, warnings=("roles without passwords",))
    outcome = inventory.info(settings, head.id)
    words = "\n".join(outcome.lines)
    assert "database  mirai, PostgreSQL 15.14, 2.0 MB" in words
    assert "proof     full: 2 tables, 7 rows" in words
    assert "files     0 files, 0 B" in words
    assert "warning   roles without passwords" in words
    assert outcome.document["manifest"]["database"]["name"] == "mirai"
    assert len(outcome.document["manifest"]["digest"]) == 64


def test_one_without_a_fingerprint_and_one_without_a_database(settings, sealed):
    sealed("database", sequence=1, database={**DATABASE, "fingerprint": None})
    assert not any(line.startswith("proof") for line in inventory.info(settings).lines)
    sealed("json", sequence=2)
    assert not any(line.startswith("database") for line in inventory.info(settings).lines)


def test_keep_and_release_say_whether_they_changed_anything(settings, sealed):
    head = sealed()
    for pinned, word in ((True, "kept until it is released"), (False, "left to retention")):
        first, second = (inventory.keep(settings, head.id, pinned) for _time in range(2))
        assert first.document == {"id": head.id, "pinned": pinned, "changed": True}
        assert second.document["changed"] is False
        assert first.lines == (f"{head.id} is {word}",)


def test_whose_key_an_encrypted_backup_takes_is_in_its_description(settings_of, sealed):
    head = sealed(encryption={"recipients": ["A" * 40]})
    assert f"encrypted to {'A' * 40}" in inventory.info(settings_of(), head.id).lines


def test_what_lies_elsewhere_cannot_be_kept_here(settings, sealed, repo, tmp_path):
    head = sealed()
    shutil.copytree(repo, tmp_path / "copy")
    with pytest.raises(NotFoundError, match="is not in"):
        inventory.keep(settings, str(tmp_path / "copy" / "json" / head.artifacts[0].name), pinned=True)
