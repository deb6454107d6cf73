"""stores: which files there are debris, and what a local file's digests are."""

import datetime
import hashlib
import os
from dataclasses import replace

import pytest
from mirai_backup import stores
from mirai_backup.config import Store
from mirai_backup.errors import StoreError, UsageError
from mirai_backup.rclone import File, Remote
from mirai_backup.stores import Shelf

NOW = datetime.datetime(2026, 1, 3, tzinfo=datetime.timezone.utc)


def shelf(**values) -> Shelf:
    store = Store("s", "p", **values)
    return Shelf(store, Remote("rclone", "c", store, "s3"), "/nowhere", ".mirai_push_0123abcd_")


def test_debris_is_ours_at_once_and_others_only_after_a_day():
    found = (
        File("full/.mirai_push_0123abcd_a.tar.gz", 1, "2026-01-02T23:59:00Z"),
        File("full/.mirai_push_ffffffff_a.tar.gz", 1, "2026-01-02T23:59:00Z"),
        File("full/.mirai_push_ffffffff_b.tar.gz.x.partial", 1, "2026-01-01T12:00:00.123Z"),
        File("full/.mirai_push_ffffffff_c.tar.gz", 1, "not a time"),
        File("full/mirai_full_20260101_000000.tar.gz", 1, "2020-01-01T00:00:00Z"),
        File("full/.somebody", 1, "2020-01-01T00:00:00Z"),
    )
    assert stores.debris(shelf(), found, NOW) == [found[0].path, found[2].path]


def test_digests(tmp_path):
    content = bytes(range(256)) * 9000
    (tmp_path / "a").write_bytes(content)
    found = stores.digest(str(tmp_path / "a"))
    assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert found.md5 == hashlib.md5(content).hexdigest()


def test_attempts_end(monkeypatch):
    pauses: list = []
    monkeypatch.setattr(stores.time, "sleep", pauses.append)
    said: list = []

    def fail():
        raise StoreError("no")

    with pytest.raises(StoreError):
        stores.retried(shelf(retries=3), fail, said.append)
    assert pauses == [5, 15, 45]
    assert len(said) == 3
    assert stores.retried(shelf(retries=0), lambda: 7, said.append) == 7


def test_choosing(settings_of):
    config = settings_of(offsite=[{"name": "a", "path": "x"}, {"name": "b", "path": "y"}])
    assert [one.name for one in stores.chosen(config)] == ["a", "b"]
    assert [one.name for one in stores.chosen(config, "b")] == ["b"]
    with pytest.raises(UsageError, match="no offsite store c") as refused:
        stores.chosen(config, "c")
    assert refused.value.next_step == "known are a, b"
    with pytest.raises(UsageError, match="no offsite store is configured"):
        stores.chosen(settings_of())


def test_what_dead_runs_left_is_swept_and_nobody_elses(tmp_path):
    one = replace(shelf(), directory=str(tmp_path))
    for name in ("pull-dead", "verify-dead", "manifests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").touch()
    with stores.workplace(one, "verify") as live:
        assert sorted(os.listdir(tmp_path)) == ["manifests", os.path.basename(live)]
        stores.sweep(one)
        assert os.path.isdir(live) and os.stat(live).st_mode & 0o777 == 0o700
    assert os.listdir(tmp_path) == ["manifests"]
