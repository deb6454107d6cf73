"""records: what people and programs read about the runs."""

import json
import os

import pytest
from mirai_backup import records, repository
from mirai_backup.errors import EngineError, Interrupted


def test_the_newest_backup_is_described_for_people(repo, sealed):
    head = sealed("full", warnings=("names \udcff",))
    records.write_latest(repo, repository.listing(repo).backups[0], "en")
    lines = open(f"{repo}/LATEST_BACKUP.txt", encoding="utf-8").read().splitlines()
    assert lines[0] == f"Latest backup: {head.id}"
    assert f"Restore with:  mirai-backup restore {head.id}" in lines
    assert lines[-1] == "Warning:       names \\udcff"
    assert os.stat(f"{repo}/LATEST_BACKUP.txt").st_mode & 0o777 == 0o600


def test_it_is_described_in_japanese_and_names_the_same(repo, sealed):
    head = sealed("database")
    records.write_latest(repo, repository.listing(repo).backups[0], "ja")
    lines = open(f"{repo}/LATEST_BACKUP.txt", encoding="utf-8").read().splitlines()
    assert lines[:2] == [f"最新バックアップ: {head.id}", "種類:             データベース"]
    assert f"リストア方法:     mirai-backup restore {head.id} --db-only" in lines


def test_one_json_object_on_a_line(repo):
    records.append(repo, {"verb": "backup", "path": "現場\n"})
    (line,) = open(f"{repo}/backup_metadata.log", encoding="ascii").read().splitlines()
    record = json.loads(line)
    assert list(record) == ["time", "verb", "path"]
    assert record["path"] == "現場\n"


@pytest.mark.parametrize("torn", [b'{"verb": "backup", "sequ', b"\xff\n", b"[1]\n", b"\n"])
def test_a_torn_or_foreign_line_is_passed_over(repo, torn):
    records.append(repo, {"verb": "backup", "sequence": 7})
    with open(f"{repo}/backup_metadata.log", "ab") as file:
        file.write(torn)
    assert records.last_run(repo)["sequence"] == 7
    records.append(repo, {"verb": "restore"})
    assert records.last_run(repo)["sequence"] == 7
    records.append(repo, {"verb": "backup", "sequence": None, "result": "failed"})
    assert records.last_run(repo)["result"] == "failed"
    assert records.last_sequence(repo) == 7


def test_a_new_repository_has_no_runs(repo):
    assert records.last_run(repo) is None
    assert records.last_sequence(repo) == 0


def test_only_the_end_of_a_long_log_is_read(repo):
    for number in range(3):
        records.append(repo, {"verb": "backup", "sequence": 9 - number, "long": "x" * 40_000})
    assert records.last_run(repo)["sequence"] == 7
    assert records.last_sequence(repo) == 7


def test_what_ends_a_run_is_on_record_with_its_cause(repo):
    with pytest.raises(EngineError, match="/x: Input/output error"):
        with records.failures(repo, {"verb": "restore"}, Interrupted("it was interrupted")):
            raise OSError(5, "Input/output error", "/x")
    with pytest.raises(Interrupted):
        with records.failures(repo, {"verb": "rollback"}, Interrupted("it was interrupted")):
            raise KeyboardInterrupt
    with open(f"{repo}/backup_metadata.log", encoding="ascii") as file:
        rows = [json.loads(line) for line in file]
    assert [(one["verb"], one["result"], one["error"]) for one in rows] == [
        ("restore", "failed", "/x: Input/output error"),
        ("rollback", "failed", "it was interrupted"),
    ]


def test_the_first_run_on_record_tells_how_long_this_goes_on(repo):
    assert records.first_time(repo) is None
    records.append(repo, {"verb": "backup"})
    first = records.first_time(repo)
    records.append(repo, {"verb": "backup"})
    assert first is not None
    assert records.first_time(repo) == first
