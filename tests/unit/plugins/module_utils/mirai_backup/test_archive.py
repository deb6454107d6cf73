"""archive: every file as it was at one moment, and words about what would not hold still."""

import errno
import hashlib
import io
import itertools
import os
import shutil
import socket
import subprocess
import tarfile
import time

import pytest
from mirai_backup import archive, tree, unarchive
from mirai_backup.errors import EngineError

LARGE = b'{"rows": [' + b'"0123456789abcdef",' * 160_000 + b"0]}"  # 3 MiB, read block by block


@pytest.fixture
def quick(monkeypatch):
    """The pauses before files are read again, shortened, and with them the time for which a new file is in doubt."""
    monkeypatch.setattr(archive, "_PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(tree, "RACY_NS", 5_000_000)


@pytest.fixture
def restored(tmp_path, head_of):
    """Reads an archive back into a new directory and returns it."""

    def make(stream, entries, findings):
        target = unarchive.Target(str(tmp_path / "restored"))
        head = head_of("json", files={"reread": findings.reread})
        unarchive.compare(io.BytesIO(stream), head, iter(entries), target)
        target.finish()
        return tmp_path / "restored"

    return make


def once(number, act):
    """A hook that acts before block ``number``."""
    return lambda at: act() if at == number else None


def test_the_guides_tar_reads_it(data, archived, tmp_path):
    root = data({"a.json": b"{}", "sub/" + "long" * 50 + ".json": b"[]", "large.json": LARGE})
    stream, entries, findings = archived(root)
    subprocess.run(["tar", "-x", "-C", tmp_path, "--one-top-level=out"], input=stream, check=True)
    assert (tmp_path / "out/data/large.json").read_bytes() == LARGE
    assert (tmp_path / "out/data/sub" / ("long" * 50 + ".json")).read_bytes() == b"[]"
    assert (findings.count, findings.size) == (3, len(LARGE) + 4)
    assert [one.path for one in entries] == ["", "a.json", "large.json", "sub", "sub/" + "long" * 50 + ".json"]


def test_an_entry_says_what_the_file_was(data, archived):
    root = data({"a.json": b"{}"})
    (root / "a.json").chmod(0o4640)
    entry = archived(root)[1][1]
    status = os.stat(root / "a.json")
    assert (entry.type, entry.size, entry.mode) == ("file", 2, 0o640)  # never setuid
    assert (entry.mtime_ns, entry.uid, entry.gid) == (status.st_mtime_ns, status.st_uid, status.st_gid)
    assert entry.sha256 == hashlib.sha256(b"{}").hexdigest()


def test_sockets_and_pipes_are_left_out_and_named(data, archived, monkeypatch):
    root = data({"a": b""})
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
        _stream, entries, findings = archived(root)
    assert [entry.path for entry in entries] == ["", "a"]
    assert findings.skipped == dict.fromkeys(("pipe", "socket"), "not a file, directory or symlink")


@pytest.mark.parametrize("torn", [b'{"a": ', LARGE[:1_100_000]])
def test_a_torn_json_file_is_named(quick, data, archived, torn):
    _stream, entries, findings = archived(data({"a.JSON": torn, "not.txt": b"{"}))
    assert list(findings.unparsable) == ["a.JSON"]
    assert [entry.path for entry in entries] == ["", "not.txt", "a.JSON"]


def test_torn_files_among_many_are_read_again_and_named(quick, data, archived):
    """So many that a process beside us finds them."""
    files = {f"{number:04d}.json": b"[%d" % number if number % 500 == 7 else b"[]" for number in range(3000)}
    _stream, entries, findings = archived(data(files))
    assert sorted(findings.unparsable) == [f"{number:04d}.json" for number in range(7, 3000, 500)]
    assert findings.reread == dict.fromkeys(findings.unparsable, 1)
    assert sorted(entry.path for entry in entries) == ["", *sorted(files)]
    assert findings.count == 3000


def test_a_large_file_that_changed_unseen_is_read_again(quick, data, archived, tmp_path):
    """Its size and time are those of the one in the manifest, which was whole."""
    whole = {"same.json": LARGE, "changed.json": LARGE, "torn.json": LARGE}
    _stream, entries, _findings = archived(data(whole))
    (tmp_path / "manifest").write_bytes(b",\n".join(entry.line() for entry in entries))
    root = data({"changed.json": LARGE.replace(b"0", b"1", 1), "torn.json": LARGE[:-2] + b"}}"})
    _stream, entries, findings = archived(root, checked=str(tmp_path / "manifest"))
    assert findings.reread == {"changed.json": 1, "torn.json": 1}
    assert list(findings.unparsable) == ["torn.json"]
    digests = {entry.path: entry.sha256 for entry in entries if entry.path}
    assert digests == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.iterdir()}


def test_a_torn_file_that_vanishes_stays_named(quick, data, archived):
    root = data({"a.json": b'{"a": ', "b.json": b"[]"})
    _stream, entries, findings = archived(root, once(2, (root / "a.json").unlink))
    assert list(findings.unparsable) == findings.vanished == ["a.json"]
    assert [entry.path for entry in entries] == ["", "a.json", "b.json"]


def test_names_that_look_alike_are_told_apart(quick, data, archived):
    """One that is not UTF-8 is shown as the other; only the one that changed is read again."""
    root = data({"x": b""})
    for name in (b"\xff", b"\\xff"):
        path = os.path.join(os.fsencode(root), name)
        with open(path, "wb") as file:
            file.write(name)
        os.utime(path, (1, 1) if name == b"\xff" else None)
    _stream, entries, findings = archived(root)
    assert sorted(entry.path for entry in entries) == sorted(["", "x", os.fsdecode(b"\xff"), "\\xff"])
    assert len(findings.reread) == 1


def test_a_torn_file_that_its_writer_completes_is_read_again(quick, data, archived, restored):
    root = data({"a.json": b'{"a": ', "z": b""})
    stream, entries, findings = archived(root, once(2, lambda: (root / "a.json").write_bytes(b'{"a": 1}')))
    assert (findings.unparsable, findings.unstable, findings.reread) == ({}, [], {"a.json": 1})
    assert (restored(stream, entries, findings) / "a.json").read_bytes() == b'{"a": 1}'


CHANGES = {
    "grows": lambda path: path.open("ab").write(b" "),
    "shrinks": lambda path: os.truncate(path, 2_000_000),
    "is emptied": lambda path: os.truncate(path, 0),
    "is rewritten in place": lambda path: path.open("r+b").write(b"[" + LARGE[1:10]),
    "is replaced by rename": lambda path: (
        path.with_name("new").write_bytes(b"{}"),
        path.with_name("new").rename(path),
    ),
    "becomes a symlink": lambda path: (path.unlink(), path.symlink_to("elsewhere")),
    "becomes a directory": lambda path: (path.unlink(), path.mkdir(), (path / "x").write_bytes(b"1")),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
@pytest.mark.parametrize("block", [0, 3, 99])
def test_a_file_that_changes_while_it_is_read(quick, data, archived, restored, contents, change, block):
    """Before it is read, in the midst of it, after it: the archive holds its last state."""
    root = data({"a.bin": LARGE, "z1": b"", **{f"z{n}": b"" for n in range(100)}})
    stream, entries, findings = archived(root, once(block, lambda: CHANGES[change](root / "a.bin")))
    assert findings.unstable == []
    assert len({entry.path for entry in entries}) == len(entries)
    found = restored(stream, entries, findings)
    assert contents(found) == contents(root)
    assert os.path.islink(found / "a.bin") == os.path.islink(root / "a.bin")


@pytest.mark.parametrize("successor", ["nothing", "a file", "a symlink"])
@pytest.mark.parametrize("block", [0, 1, 4])
def test_a_directory_that_is_replaced_while_it_is_read(quick, data, archived, restored, successor, block):
    root = data({"d/a": b"1", "d/e/b": b"2", "z": b""})

    def replace():
        shutil.rmtree(root / "d")
        if successor == "a file":
            (root / "d").write_bytes(b"now a file")
        elif successor == "a symlink":
            (root / "d").symlink_to("z")

    stream, entries, findings = archived(root, once(block, replace))
    assert findings.unstable == []
    found = restored(stream, entries, findings)
    if successor == "a file":
        assert (found / "d").read_bytes() == b"now a file"
    if successor == "a symlink":
        assert os.readlink(found / "d") == "z"


def test_what_vanishes_is_named_and_what_appears_is_there(quick, data, archived, restored, contents):
    root = data({"a": b"1", "b": b"2", "z": b"3"})

    def change():
        (root / "b").unlink()
        (root / "new").mkdir()
        (root / "new" / "c").write_bytes(b"4")

    stream, entries, findings = archived(root, once(1, change))
    assert (findings.vanished, findings.unstable) == ([], [])  # it was gone before it was read
    assert contents(restored(stream, entries, findings)) == contents(root)
    _stream, entries, findings = archived(root, once(4, (root / "z").unlink))
    assert findings.vanished == ["z"]


def test_what_never_holds_still_is_named(quick, data, archived, restored):
    root = data({"busy.log": b"", "calm": b"1"})
    stream, entries, findings = archived(root, lambda _number: (root / "busy.log").open("ab").write(b"line\n"))
    assert findings.unstable == ["busy.log"]
    assert findings.reread == {"busy.log": 3}
    assert (restored(stream, entries, findings) / "calm").read_bytes() == b"1"


def test_a_file_written_a_moment_ago_is_read_again_until_that_is_past(data, archived):
    root = data({"a": b"1"})
    moment = time.time_ns() + tree.RACY_NS // 2
    os.utime(root / "a", ns=(moment, moment))
    findings = archived(root)[2]
    assert (set(findings.reread), findings.unstable) == ({"a"}, [])


@pytest.fixture
def reading(monkeypatch):
    """Read the file that is given first with the function that is given second: (turn, real answer) → answer."""

    def become(path, answer) -> None:
        real, turns, inode = os.readv, itertools.count(), path.stat().st_ino

        def readv(descriptor, buffers):
            count = real(descriptor, buffers)
            if os.fstat(descriptor).st_ino != inode:
                return count
            content = answer(next(turns), bytes(buffers[0][:count]))
            buffers[0][: len(content)] = content
            return len(content)

        monkeypatch.setattr(os, "readv", readv)

    return become


def test_a_file_that_never_comes_whole_is_named(quick, data, archived, reading):
    """As files are of which the file system says more than it has."""
    root = data({"a": b"x" * 4096, "b": b"1"})
    reading(root / "a", lambda turn, content: b"" if turn % 2 else content[:3])
    assert archived(root)[2].unstable == ["a"]


def test_a_reading_that_a_bad_sector_shortens_is_an_error(quick, data, archived, reading):
    root = data({"a": b"x" * 4096})

    def broken(turn, content):
        if turn:
            raise OSError(errno.EIO, "Input/output error")
        return content[:512]

    reading(root / "a", broken)
    with pytest.raises(EngineError, match="a cannot be read: Input/output error"):
        archived(root)


@pytest.mark.parametrize("error", [errno.ENOTDIR, errno.ENXIO])
def test_a_path_that_something_else_took_is_left_to_the_next_walk(quick, data, archived, monkeypatch, error):
    root, real = data({"a": b"1", "b": b"2"}), os.open

    def taken(path, flags, *rest, **more):
        if path == os.fsencode(root / "a"):
            raise OSError(error, os.strerror(error), path)
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", taken)
    assert archived(root)[2].unstable == ["a"]


def test_a_file_that_cannot_be_read_is_an_error(data, archived, monkeypatch):
    root, real = data({"a": b"1"}), os.open

    def refuse(path, flags, *rest, **more):
        if path == os.fsencode(root / "a"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(EngineError, match="a cannot be read: Permission denied"):
        archived(root)


def test_the_list_of_entries_is_private_and_new(data, tmp_path):
    before = os.umask(0)
    try:
        archive.Archiver(str(data({"a": b""})), str(tmp_path / "spool")).write(lambda block: None)
    finally:
        os.umask(before)
    assert os.stat(tmp_path / "spool").st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        archive.Archiver(str(tmp_path / "data"), str(tmp_path / "spool")).write(lambda block: None)


def test_the_stream_ends_as_tar_wants_it(data, archived):
    stream = archived(data({"a": b"x" * 513}))[0]
    assert stream.endswith(b"\0" * 1024)
    assert tarfile.open(fileobj=io.BytesIO(stream)).getnames() == ["data", "data/a"]
