"""safefile: whole or not there, private whatever the umask."""

import ctypes
import errno
import os

import pytest
from mirai_backup import safefile


@pytest.fixture(autouse=True)
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_written_file_is_private_and_has_its_directorys_owner(tmp_path):
    path = str(tmp_path / "x")
    safefile.write(path, iter((b"a", b"b")))
    status, parent = os.stat(path), os.stat(tmp_path)
    assert open(path, "rb").read() == b"ab"
    assert status.st_mode & 0o777 == 0o600
    assert (status.st_uid, status.st_gid) == (parent.st_uid, parent.st_gid)


def test_what_fails_half_way_leaves_the_old_content_and_nothing_else(tmp_path, contents):
    path = str(tmp_path / "x")
    safefile.write(path, iter((b"old",)))

    def blocks():
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        safefile.write(path, blocks())
    assert contents(tmp_path) == {"x": b"old"}


def test_a_symlink_is_replaced_and_not_followed(tmp_path, contents):
    (tmp_path / "link").symlink_to("target")
    safefile.write(str(tmp_path / "link"), iter((b"new",)))
    assert contents(tmp_path) == {"link": b"new"}


def test_a_directory_is_private_and_made_once(tmp_path):
    path = str(tmp_path / "x")
    safefile.make_directory(path)
    assert os.stat(path).st_mode & 0o777 == 0o700
    os.chmod(path, 0o750)
    safefile.make_directory(path)
    assert os.stat(path).st_mode & 0o777 == 0o750


def test_lines_are_appended_and_a_torn_one_is_closed_first(tmp_path):
    path = tmp_path / "log"
    safefile.append_line(str(path), b"one")
    path.open("ab").write(b"torn")
    safefile.append_line(str(path), b"two")
    assert path.read_bytes() == b"one\ntorn\ntwo\n"
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_log_that_is_a_symlink_is_not_written_through(tmp_path):
    (tmp_path / "log").symlink_to("elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        safefile.append_line(str(tmp_path / "log"), b"one")
    assert not (tmp_path / "elsewhere").exists()


def test_two_directories_trade_their_names(tmp_path, contents):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "x").write_text("of a")
    assert safefile.exchange(str(tmp_path / "a"), str(tmp_path / "b"))
    assert os.listdir(tmp_path / "a") == []
    assert (tmp_path / "b" / "x").read_text() == "of a"


def test_an_exchange_with_nothing_is_an_error_that_names_both(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError) as caught:
        safefile.exchange(str(tmp_path / "a"), str(tmp_path / "none"))
    assert caught.value.filename2 == str(tmp_path / "none")
    assert os.listdir(tmp_path) == ["a"]


def test_a_system_that_cannot_exchange_is_told_from_one_that_fails(tmp_path, monkeypatch):
    def answering(number):
        return lambda *_arguments: ctypes.set_errno(number) or -1

    for number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        monkeypatch.setattr(safefile, "_renameat2", answering(number))
        assert not safefile.exchange("a", "b")
    monkeypatch.setattr(safefile, "_renameat2", answering(errno.EBUSY))
    with pytest.raises(OSError, match="busy"):
        safefile.exchange("a", "b")
    monkeypatch.setattr(safefile, "_renameat2", None)
    assert not safefile.exchange("a", "b")


def test_a_line_that_is_cut_off_by_a_full_disk_is_an_error(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(safefile.os, "write", lambda descriptor, block: write(descriptor, block[:2]))
    with pytest.raises(OSError, match="No space left on device"):
        safefile.append_line(str(tmp_path / "log"), b"one")
