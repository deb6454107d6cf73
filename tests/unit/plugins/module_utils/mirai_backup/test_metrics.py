"""The metrics are what Prometheus reads, true to the repository, and replaced at one instant."""

from __future__ import annotations

import os

import pytest
from mirai_backup import drill_history, metrics, runs, safefile
from mirai_backup.outcome import Outcome


def values(config, *more) -> dict:
    lines = [line for family in metrics.families(config, *more) for line in family.lines()]
    return {name: float(value) for name, value in (one.rsplit(" ", 1) for one in lines if not one.startswith("#"))}


def test_backups(settings_of, sealed):
    old, new = sealed("json", sequence=1), sealed("json", sequence=2, content=b"longer content")
    found = values(settings_of())
    assert found['mirai_backup_last_success_timestamp_seconds{kind="json"}'] == new.ended_at.timestamp()
    assert found['mirai_backup_last_success_timestamp_seconds{kind="full"}'] == 0  # scheduled, never made
    assert 'mirai_backup_last_success_timestamp_seconds{kind="database"}' not in found
    assert found['mirai_backup_newest_timestamp_seconds{half="database"}'] == 0
    assert found['mirai_backup_size_bytes{kind="json"}'] == new.size != old.size
    assert found['mirai_backup_backups{kind="json",state="good"}'] == 2
    assert found["mirai_backup_repository_free_bytes"] > 0


def test_a_backup_that_is_not_whole_does_not_count(settings_of, sealed, repo):
    old, new = sealed("json", sequence=1), sealed("json", sequence=2)
    os.unlink(os.path.join(repo, "json", new.artifacts[0].name))
    found = values(settings_of())
    assert found['mirai_backup_newest_timestamp_seconds{half="json"}'] == old.ended_at.timestamp()
    assert found['mirai_backup_backups{kind="json",state="damaged"}'] == 1


def test_runs_drills_stores_and_keys(settings_of, repo):
    assert not [name for name in values(settings_of()) if "drill" in name]
    runs.remember(repo, runs.of_outcome(runs.Occasion("rollback"), Outcome({"undone": "x"}), 2.5))
    safefile.make_directory(os.path.join(repo, drill_history.DIRECTORY))
    for verdict, day in (("pass", 1), ("fail", 2)):
        row = {"id": "d", "backup": "x", "verdict": verdict, "started": f"1970-01-0{day}T00:00:10.000000Z"}
        drill_history.append(repo, {**row, "rto_seconds": None})
    found = values(settings_of(), {"s3": 5.0, "nas": None}, {"F00D": 7.0})
    assert found['mirai_backup_last_run_duration_seconds{verb="rollback"}'] == 2.5
    assert found['mirai_backup_drill_timestamp_seconds{verdict="pass"}'] == 10
    assert found['mirai_backup_drill_verdict{verdict="pass"}'] == 0
    assert found['mirai_backup_drill_verdict{verdict="fail"}'] == 1
    assert found['mirai_backup_offsite_newest_timestamp_seconds{store="nas"}'] == 0
    assert found['mirai_backup_key_expiry_timestamp_seconds{fingerprint="F00D"}'] == 7


def test_drills_that_are_due_and_never_ran(settings_of, repo):
    assert values(settings_of(drill=True))['mirai_backup_drill_timestamp_seconds{verdict="pass"}'] == 0


def test_labels_are_escaped(settings_of):
    (name,) = values(settings_of(application='a"b\\c'))
    assert 'application="a\\"b\\\\c"' in name


def test_file_is_replaced_whole_and_readable_by_all(settings_of, sealed, tmp_path):
    sealed("json")
    config = settings_of(metrics_textfile=str(tmp_path / "m" / "x.prom"))
    with pytest.raises(OSError):
        metrics.write(config)
    (tmp_path / "m").mkdir()
    os.umask(mask := os.umask(0o077))
    os.umask(0o077)
    try:
        metrics.write(config)
        metrics.write(config)
    finally:
        os.umask(mask)
    assert os.listdir(tmp_path / "m") == ["x.prom"]
    assert (tmp_path / "m" / "x.prom").stat().st_mode & 0o777 == 0o644


def test_a_file_that_cannot_be_replaced_stays_and_nothing_lies_beside_it(settings_of, tmp_path):
    place = tmp_path / "textfile" / "mirai.prom"
    place.mkdir(parents=True)  # in the way
    with pytest.raises(OSError, match="Is a directory"):
        metrics.write(settings_of(metrics_textfile=str(place)))
    assert os.listdir(place.parent) == ["mirai.prom"]
