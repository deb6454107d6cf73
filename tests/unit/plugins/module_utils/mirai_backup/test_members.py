"""members: single paths as members of an archive, examined here or beside us."""

import io
import os

import pytest
from mirai_backup import beside, members, tree

LARGE = b'{"rows": [' + b'"0123456789abcdef",' * 160_000 + b"0]}"  # 3 MiB, read block by block


@pytest.fixture
def added(tmp_path):
    """Adds everything below a directory: the stream, the lines, what is torn, and whether a process was there."""

    def make(root, **values):
        blocks = []
        with (tmp_path / "lines").open("w+b") as lines:
            with members.Members(os.fsencode(root), lambda block: blocks.append(bytes(block)), lines, **values) as one:
                for node in tree.walk(os.fsencode(root)):
                    one.add(node, members.kind_of(node))
                torn = one.settle()
                assert lines.tell() == (tmp_path / "lines").stat().st_size
        return b"".join(blocks), (tmp_path / "lines").read_bytes(), torn, one._beside is not None

    return make


@pytest.fixture
def many(data):
    files = {f"{number:03d}.json": b"[%d]" % number * (number % 5 or 1) for number in range(700)}
    return data({**files, "large.json": LARGE, "torn.json": LARGE[:-1], "z.bin": os.urandom(2_000_000), "zz/a": b""})


def test_beside_us_is_the_same_as_here(many, added):
    here, there = added(many), added(many, beside=True)
    assert here[:3] == there[:3]
    assert (here[3], there[3]) == (False, True)
    assert len(here[2]) > 100


def test_little_is_examined_here(data, added):
    assert added(data({"a.json": b"[]"}), beside=True)[3] is False


def test_one_core_is_not_shared(many, added, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    assert added(many, beside=True)[3] is False


def test_what_fails_ends_the_process(many, monkeypatch):
    started = []
    monkeypatch.setattr(members, "Beside", lambda *values: started.append(beside.Beside(*values)) or started[0])

    def refuse(_block):
        raise OSError("enough")

    with open(os.memfd_create("lines"), "w+b") as lines:
        with pytest.raises(OSError, match="enough"), members.Members(os.fsencode(many), refuse, lines, True) as one:
            for node in tree.walk(os.fsencode(many)):
                one.add(node, members.kind_of(node))
    assert started[0]._fed._child.popen.returncode is not None


@pytest.mark.parametrize("become", [os.mkdir, os.mkfifo])
def test_what_is_no_file_any_more_is_gone(data, become):
    root = data({"a": b"1"})
    node = list(tree.walk(os.fsencode(root)))[1]
    (root / "a").unlink()
    become(root / "a")
    one = members.Members(os.fsencode(root), io.BytesIO().write, io.BytesIO())
    with pytest.raises(FileNotFoundError):
        one.add(node, members.kind_of(node))


def test_an_account_without_a_name_is_kept_by_number():
    assert members._account(2**31 - 7) == members._group(2**31 - 7) == ""
