"""repository: names that never collide, and a listing that nothing foreign can upset."""

import dataclasses
import datetime
import os
import shutil

import pytest
from mirai_backup import compression, repository
from mirai_backup.command import Command
from mirai_backup.errors import NotFoundError

NOON = datetime.datetime(2026, 11, 23, 12, 0, 0)
GZIP, ZSTD = compression.Compression("gzip", ".gz", ()), compression.Compression("zstd", ".zst", ())


def test_its_directories_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        repository.create(str(tmp_path / "backups"))
        repository.create(str(tmp_path / "backups"))
    finally:
        os.umask(before)
    for name in ("", "full", "database", "json", ".staging", ".pins"):
        assert os.stat(tmp_path / "backups" / name).st_mode & 0o777 == 0o700


def test_its_parent_must_be_there(tmp_path):
    with pytest.raises(NotFoundError, match="is not there") as caught:
        repository.create(str(tmp_path / "not" / "mounted"))
    assert caught.value.exit_code == 10
    with pytest.raises(NotFoundError, match="there is no repository at"):
        repository.listing(str(tmp_path / "none"))


def test_runs_of_the_same_second_get_names_of_their_own(repo, sealed):
    found = []
    for number in range(1, 6):
        found.append(repository.new_timestamp(repo, NOON))
        sealed(("json", "database", "full")[number % 3], sequence=number, timestamp=found[-1])
    assert found == [f"20261123_12000{second}" for second in range(5)]
    assert [one.manifest.sequence for one in repository.listing(repo).backups] == [1, 2, 3, 4, 5]


def test_the_sequence_decides_the_order_and_not_the_name(repo, sealed):
    sealed(sequence=2, timestamp="20261025_020000")
    sealed(sequence=1, timestamp="20261025_023000")
    assert [one.manifest.sequence for one in repository.listing(repo).backups] == [1, 2]


def test_names():
    assert repository.main_name("full", "20261123_020000", ZSTD) == "mirai_full_20261123_020000.tar.gz"
    assert repository.main_name("database", "20261123_020000", GZIP) == "mirai_db_20261123_020000.sql.gz"
    assert repository.main_name("json", "20261123_020000", ZSTD) == "mirai_json_20261123_020000.tar.zst"
    assert repository.globals_name("20261123_020000", GZIP) == "mirai_globals_20261123_020000.sql.gz"
    encrypted = dataclasses.replace(ZSTD, encryption=(Command(("gpg",)),))
    assert repository.main_name("full", "20261123_020000", encrypted) == "mirai_full_20261123_020000.tar.gz.gpg"
    assert repository.main_name("json", "20261123_020000", encrypted) == "mirai_json_20261123_020000.tar.zst.gpg"
    assert repository.globals_name("20261123_020000", encrypted) == "mirai_globals_20261123_020000.sql.zst.gpg"
    assert repository.timestamp_of("mirai_full_20261123_020000") == "20261123_020000"


def test_what_is_foreign_damaged_or_unsealed_does_not_hide_what_is_good(repo, sealed):
    good, damaged, moved = (sealed(sequence=number) for number in (1, 2, 3))
    names = [one.artifacts[0].name for one in (good, damaged, moved)]
    os.truncate(f"{repo}/json/{names[1]}.manifest.json", 40)
    os.rename(f"{repo}/json/{names[2]}.manifest.json", f"{repo}/json/other.manifest.json")
    shutil.copy(f"{repo}/json/{names[0]}.manifest.json", f"{repo}/full/{names[0]}.manifest.json")
    os.mkdir(f"{repo}/full/directory.manifest.json")
    for name in ("notes.txt", ".hidden.manifest.json", "mirai_json_20261123.tar.gz"):
        open(f"{repo}/json/{name}", "wb").close()
    os.rmdir(f"{repo}/database")

    listing = repository.listing(repo)
    assert [one.id for one in listing.good()] == [good.id]
    problems = {os.path.relpath(path, repo): problem for path, problem in listing.damaged}
    assert set(problems) == {
        f"json/{names[1]}.manifest.json",
        "json/other.manifest.json",
        f"full/{names[0]}.manifest.json",
        "full/directory.manifest.json",
    }
    assert f"belongs to another backup, {moved.id}" in problems["json/other.manifest.json"]
    assert [os.path.basename(path) for path in listing.unsealed] == [names[2]]


def test_a_backup_whose_artifact_is_gone_or_short_is_listed_but_not_good(repo, sealed):
    gone, short = sealed(sequence=1), sealed(sequence=2)
    os.unlink(f"{repo}/json/{gone.artifacts[0].name}")
    os.truncate(f"{repo}/json/{short.artifacts[0].name}", 2)
    listing = repository.listing(repo)
    assert [one.problem for one in listing.backups] == [
        f"{gone.artifacts[0].name} is missing",
        f"{short.artifacts[0].name} has 2 bytes instead of 7",
    ]
    assert listing.good() == ()


def test_good_ones_are_chosen_by_what_they_hold(repo, sealed):
    full, database = sealed("full", sequence=1), sealed("database", sequence=2)
    listing = repository.listing(repo)
    assert [one.id for one in listing.good(frozenset(("database",)))] == [full.id, database.id]
    assert [one.id for one in listing.good(frozenset(("database", "json")))] == [full.id]


def test_a_pin_holds_until_it_is_released(repo, sealed):
    head = sealed()
    repository.pin(repo, head.id)
    repository.pin(repo, head.id)
    assert repository.listing(repo).backups[0].pinned
    repository.release(repo, head.id)
    repository.release(repo, head.id)
    assert not repository.listing(repo).backups[0].pinned


def test_a_backup_in_short(repo, sealed):
    head = sealed("full")
    (backup,) = repository.listing(repo).backups
    document = backup.document()
    assert document["path"] == backup.path == f"{repo}/full/{head.artifacts[0].name}"
    assert (document["id"], document["kind"], document["size"]) == (head.id, "full", 7)
    assert (document["components"], document["pinned"], document["problem"]) == (["database", "json"], False, "")
