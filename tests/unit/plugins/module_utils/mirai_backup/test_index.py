"""index: a listing reads what is new or was touched, and nothing that lies in the index can mislead it."""

import json
import os
import shutil
import time
from dataclasses import replace

import pytest
from mirai_backup import index, manifest, repository
from mirai_backup.errors import MismatchError

RESEALED = "2027-01-01T00:00:00.000000Z"


@pytest.fixture
def three(repo, sealed, monkeypatch):
    """Three sealed backups, old enough to be remembered, and an index of them."""
    monkeypatch.setattr(index, "_YOUNG_NS", 50_000_000)
    heads = [sealed(sequence=number) for number in (1, 2, 3)]
    time.sleep(index._YOUNG_NS / 1e9)
    repository.listing(repo)
    assert os.path.exists(f"{repo}/{index.FILE}")
    return heads


@pytest.fixture
def reads(monkeypatch):
    """The paths of the manifests that were read."""
    paths, read = [], manifest.read
    monkeypatch.setattr(manifest, "read", lambda path: paths.append(path) or read(path))
    return paths


def ids(repo):
    return [one.id for one in repository.listing(repo).backups]


def content(repo):
    with open(f"{repo}/{index.FILE}", "rb") as file:
        return file.read()


def path_of(repo, head):
    return f"{repo}/json/{head.artifacts[0].name}{manifest.SUFFIX}"


def test_the_second_listing_reads_no_manifest_and_says_the_same(repo, three, reads):
    first = repository.listing(repo)
    assert reads == []
    os.unlink(f"{repo}/{index.FILE}")
    assert repository.listing(repo) == first
    assert len(reads) == 3


def test_the_chosen_one_is_read_whole(repo, three, reads):
    assert repository.listing(repo).backups[1].manifest == three[1]
    assert reads == [path_of(repo, three[1])]


def test_a_copy_of_a_backup_may_lie_anywhere(repo, three, tmp_path):
    backup = repository.listing(repo).backups[0]
    copied = tmp_path / os.path.basename(backup.manifest_path)
    shutil.copy(backup.manifest_path, copied)
    assert replace(backup, manifest_path=str(copied)).manifest == three[0]


def test_a_touched_manifest_is_read_again_whatever_its_size_and_time(repo, three, reads):
    path = path_of(repo, three[0])
    status = os.stat(path)
    with open(path, "r+b") as file:
        file.seek(2)
        file.write(b"X")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    listing = repository.listing(repo)
    assert reads == [path]
    assert [one for one, _why in listing.damaged] == [path]
    assert [one.id for one in listing.backups] == [three[1].id, three[2].id]


def test_a_manifest_that_changes_after_the_listing_is_refused(repo, three):
    backup = repository.listing(repo).backups[0]
    other = manifest.Manifest(**{**vars(three[0]), "ended": RESEALED})
    manifest.write(backup.manifest_path, other)
    with pytest.raises(MismatchError, match="changed after it was listed"):
        assert backup.manifest


def test_new_ones_are_added_and_pruned_ones_go(repo, three, sealed, reads):
    os.unlink(path_of(repo, three[0]))
    new = sealed(sequence=4)
    assert ids(repo) == [three[1].id, three[2].id, new.id]
    assert reads == [path_of(repo, new)]
    assert three[0].id.encode() not in content(repo)
    assert new.id.encode() not in content(repo)  # a second write could still hide behind the clock
    time.sleep(index._YOUNG_NS / 1e9)
    ids(repo)
    assert new.id.encode() in content(repo)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole.replace(b'"json"', b'"full"', 1),
        lambda whole: whole + b"x",
        lambda whole: b"",
        lambda whole: os.urandom(4096),
        lambda whole: whole.split(b"\n")[0] + b"\n" + b"[" * 60000,
        lambda whole: whole.replace(b'"digest"', b'"other"', 1),
    ],
)
def test_a_damaged_index_is_written_anew(repo, three, spoil):
    whole = content(repo)
    with open(f"{repo}/{index.FILE}", "wb") as file:
        file.write(spoil(whole))
    assert ids(repo) == [one.id for one in three]
    assert content(repo) == whole


@pytest.mark.parametrize("place", range(17))
def test_values_of_the_wrong_type_are_no_row(repo, three, place):
    def change(row):
        row[place] = {"a": 1} if place != 16 else [[1, 2, 3]]
        return row

    lines = [b"".join(index._lines(index.read(repo)))]
    row = json.loads(lines[0].split(b"\n")[1])
    with pytest.raises((ValueError, TypeError)):
        index._parsed(json.dumps(change(row)).encode())


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "writable"])
def test_an_index_that_is_not_ours_is_not_read(repo, three, kind, tmp_path, reads):
    path = f"{repo}/{index.FILE}"
    os.rename(path, tmp_path / "kept")
    if kind == "link":
        os.symlink(tmp_path / "kept", path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        os.mkdir(path)
    else:
        os.rename(tmp_path / "kept", path)
        os.chmod(path, 0o666)
    assert ids(repo) == [one.id for one in three]
    assert len(reads) == 3


def test_a_repository_that_cannot_be_written_is_listed_all_the_same(repo, three, monkeypatch):
    os.unlink(f"{repo}/{index.FILE}")

    def refuse(*_arguments):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "rename", refuse)
    assert ids(repo) == [one.id for one in three]
    assert sorted(os.listdir(repo)) == [".pins", ".staging", "database", "full", "json"]


def test_what_a_dead_writer_left_is_swept(repo):
    left = f"{repo}/{index.FILE}.0123abcd.tmp"
    open(left, "wb").close()
    open(f"{repo}/{index.FILE}.notes.tmp", "wb").close()
    assert index.sweep(repo) == [left]
    assert f"{index.FILE}.notes.tmp" in os.listdir(repo)


def test_its_mode_is_private(repo, three):
    assert os.stat(f"{repo}/{index.FILE}").st_mode & 0o777 == 0o600
