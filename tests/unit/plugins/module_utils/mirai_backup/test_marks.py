"""marks: what is remembered of a store."""

import os

import pytest
from mirai_backup import marks
from mirai_backup.errors import EngineError
from mirai_backup.marks import Mark, Memory

MARK = Mark("2026-01-01T00:00:00.000000Z", "digest", "json", 3, {"a.tar.gz": "md5"})


def test_round_trip_and_privacy(repo):
    directory = marks.create(repo, "s3")
    assert marks.read(directory) == Memory()
    memory = Memory({"mirai_json_20260101_000003": MARK}, {"json/a": "json/a.manifest.json"}, 7, {"result": "ok"})
    marks.write(directory, memory)
    assert marks.read(directory) == memory
    for path in (os.path.join(repo, ".offsite"), directory, os.path.join(directory, "memory.json")):
        assert os.stat(path).st_mode & 0o077 == 0


def test_shipped_means_there_and_the_same(repo):
    memory = Memory({"a": MARK, "b": Mark(**{**vars(MARK), "gone": "since"})})
    assert memory.shipped("a", "digest")
    assert not memory.shipped("a", "other") and not memory.shipped("b", "digest") and not memory.shipped("c", "digest")


def test_the_highest_sequence_of_all_stores(repo):
    assert marks.last_sequence(repo) == 0
    for name, sequence in (("a", 5), ("b", 9), ("c", 2)):
        marks.write(marks.create(repo, name), Memory(sequence=sequence))
    assert marks.last_sequence(repo) == 9


@pytest.mark.parametrize("content", [b"", b"[]", b'{"marks": 1}', b'{"marks": {"a": {}}, "doomed": {}}'])
def test_a_damaged_memory_is_named(repo, content):
    directory = marks.create(repo, "s3")
    with open(os.path.join(directory, "memory.json"), "wb") as file:
        file.write(content)
    with pytest.raises(EngineError, match="memory.json is damaged"):
        marks.read(directory)
