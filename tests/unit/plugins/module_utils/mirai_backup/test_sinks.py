"""sinks: a new private file, described by what was really written."""

import errno
import gzip
import hashlib
import os

import pytest
from mirai_backup import sinks
from mirai_backup.command import Command
from mirai_backup.compression import Compression, choose
from mirai_backup.errors import ProcessError
from mirai_backup.sinks import Artifact, HashedFile, write_compressed


def test_a_hashed_file_is_private_from_the_moment_it_exists(tmp_path):
    path = str(tmp_path / "x")
    before = os.umask(0)
    try:
        with HashedFile(path) as file:
            assert os.stat(path).st_mode & 0o777 == 0o600
            file.write(b"abc")
            file.write(b"def")
            artifact = file.finish("x")
    finally:
        os.umask(before)
    assert artifact == Artifact("x", 6, hashlib.sha256(b"abcdef").hexdigest())


def test_an_existing_file_or_link_is_never_written_to(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("new")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            HashedFile(str(tmp_path / name))
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path, monkeypatch):
    with open("/dev/full", "wb", buffering=0) as full, HashedFile(str(tmp_path / "x")) as file:
        os.dup2(full.fileno(), file._descriptor)
        with pytest.raises(OSError, match="No space left") as caught:
            file.write(b"1")
    assert caught.value.filename == str(tmp_path / "x")


@pytest.mark.parametrize("lasting", [True, False])
def test_what_is_to_last_goes_to_disk_while_the_rest_comes(tmp_path, monkeypatch, lasting):
    told, block = [], bytes(1 << 20)
    monkeypatch.setattr(
        os, "posix_fadvise", lambda _descriptor, start, size, advice: told.append((start, size, advice))
    )
    with HashedFile(str(tmp_path / "x"), lasting=lasting) as file:
        for _number in range(40):
            file.write(block)
        assert file.finish("x").size == 40 << 20
    step = 16 << 20
    expected = [(0, step, os.POSIX_FADV_DONTNEED), (step, step, os.POSIX_FADV_DONTNEED)]
    assert told == (expected if lasting else [])


def test_a_file_system_that_takes_no_advice_is_fine(tmp_path, monkeypatch):
    def refuse(*_arguments):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    with HashedFile(str(tmp_path / "x")) as file:
        for _number in range(2):
            file.write(bytes(20 << 20))
        assert file.finish("x").size == 40 << 20


@pytest.mark.parametrize("compression", [choose("gzip"), Compression("zlib", ".gz", ())], ids=["gzip", "zlib"])
def test_what_a_command_says_is_compressed_and_counted(tmp_path, compression):
    path, counts = str(tmp_path / "x.gz"), []
    stages = (Command(("seq", "100000")),)
    artifact = write_compressed(path, "x.gz", compression, stages, progress=counts.append)
    raw = open(path, "rb").read()
    assert gzip.decompress(raw) == b"".join(b"%d\n" % n for n in range(1, 100001))
    assert artifact == Artifact("x.gz", len(raw), hashlib.sha256(raw).hexdigest())
    assert sum(counts) == len(raw)


@pytest.mark.parametrize("compression", [choose("gzip"), Compression("zlib", ".gz", ())], ids=["gzip", "zlib"])
def test_a_command_that_dies_is_not_hidden_by_the_compressor(tmp_path, compression):
    stages = (Command(("sh", "-c", "echo half; exit 1")),)
    with pytest.raises(ProcessError, match="sh exited with status 1"):
        write_compressed(str(tmp_path / "x.gz"), "x.gz", compression, stages)


def test_what_a_function_writes_is_compressed(tmp_path):
    for name in ("gzip", "zlib"):
        path = str(tmp_path / name)
        write_compressed(path, name, choose(name), source=lambda write: write(b"content"))
        assert gzip.decompress(open(path, "rb").read()) == b"content"


@pytest.mark.parametrize(
    ("name", "role", "directory"),
    [
        ("mirai_full_20261123_020000.tar.gz", "full", "database"),
        ("database/mirai_db_20261123_020000.sql.gz", "database", "database"),
        ("mirai_globals_20261123_020000.sql.gz", "globals", "database"),
        ("json/mirai_json_20261123_020000.tar.gz", "json", "json"),
    ],
)
def test_a_name_says_what_the_file_holds(name, role, directory):
    artifact = Artifact(name, 1, "ab")
    assert (artifact.role, artifact.role_directory) == (role, directory)
    assert artifact.document() == {"name": name, "size": 1, "sha256": "ab"}


def test_a_file_without_a_name_is_written_and_read_and_gone(tmp_path):
    with sinks.nameless(str(tmp_path)) as path:
        assert os.listdir(tmp_path) == []
        with sinks.HashedFile(path) as file:
            file.write(b"content")
            artifact = file.finish("name")
        with open(path, "rb") as file:
            assert file.read() == b"content"
        assert artifact.size == 7 and sinks.is_nameless(path) and not sinks.is_nameless(str(tmp_path / "x"))
    assert os.listdir(tmp_path) == []
