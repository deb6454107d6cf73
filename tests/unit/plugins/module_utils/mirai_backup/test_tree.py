"""tree: one fixed order, nothing that vanished, and an error for what cannot be read."""

import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import tree
from mirai_backup.errors import EngineError


def paths(root):
    return [node.path for node in tree.walk(os.fsencode(root))]


def test_a_directory_comes_before_what_is_in_it_and_names_sort_as_bytes(data):
    root = data({"b.json": b"", "a/z": b"", "a.json": b"", "a/b/c": b"", "é": b""})
    assert paths(root) == [b"", b"a", b"a/b", b"a/b/c", b"a/z", b"a.json", b"b.json", "é".encode()]


@given(st.lists(st.lists(st.sampled_from([b"a", b"a.b", b"a-b", b"\xff", b"B"]), min_size=1, max_size=3), max_size=8))
def test_the_keys_sort_in_the_order_of_the_walk(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("walk")
    for parts in names:
        os.makedirs(os.path.join(os.fsencode(root), *parts), exist_ok=True)
    keys = [node.key for node in tree.walk(os.fsencode(root))]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_symlinks_are_not_followed(data):
    root = data({"a/b": b""})
    (root / "loop").symlink_to(root)
    assert paths(root) == [b"", b"a", b"a/b", b"loop"]


@pytest.mark.parametrize("successor", ["nothing", "a file"])
def test_a_directory_that_is_replaced_under_way_is_no_error(data, successor):
    root = data({"a/b": b"", "a/c/d": b"", "z": b""})
    seen = []
    for node in tree.walk(os.fsencode(root)):
        seen.append(node.path)
        if node.path == b"a/b":
            shutil.rmtree(root / "a")
            if successor == "a file":
                (root / "a").write_bytes(b"")
    assert seen == [b"", b"a", b"a/b", b"z"]


@pytest.mark.parametrize("successor", ["nothing", "a file"])
def test_a_directory_that_is_replaced_before_it_is_listed_is_no_error(data, successor):
    root = data({"a/b": b"", "z": b""})
    seen = []
    for node in tree.walk(os.fsencode(root)):
        seen.append(node.path)
        if node.path == b"a":
            shutil.rmtree(root / "a")
            if successor == "a file":
                (root / "a").write_bytes(b"")
    assert seen == [b"", b"a", b"z"]


def test_the_root_must_be_a_directory(data):
    root = data({"file": b""})
    for wrong in (root / "none", root / "file", root / "file" / "below"):
        with pytest.raises(EngineError, match="is not there"):
            paths(wrong)


@pytest.mark.parametrize("call", ["listdir", "lstat"])
def test_what_cannot_be_read_is_an_error_and_not_left_out(data, monkeypatch, call):
    root = data({"locked/secret": b""})
    real = getattr(os, call)

    def refuse(path):
        if path.endswith(b"locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(EngineError, match="locked cannot be read: Permission denied") as caught:
        paths(root)
    assert "incomplete backup is not made" in caught.value.next_step


def test_files_need_not_be_looked_at(data):
    root = data({"a/b": b"", "a/c/d": b"", "z": b"", "e/f": b""})
    (root / "link").symlink_to("z")
    os.mkfifo(root / "a" / "pipe")
    everything = list(tree.walk(os.fsencode(root)))
    seen = list(tree.walk(os.fsencode(root), look_at_files=False))
    assert [node.path for node in seen] == [node.path for node in everything]
    assert {node.path for node in seen if node.status is None} == {b"a/b", b"a/c/d", b"e/f", b"z"}


def test_a_directory_that_cannot_be_scanned_is_an_error(data, monkeypatch):
    root = data({"locked/secret": b""})
    real = os.scandir

    def refuse(path):
        if path.endswith(b"locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(EngineError, match="locked cannot be read: Permission denied"):
        list(tree.walk(os.fsencode(root), look_at_files=False))


def test_measure_counts_files_and_their_bytes(data):
    root = data({"a": b"12345", "sub/b": b"123"})
    (root / "link").symlink_to("a")
    assert tree.measure(os.fsencode(root)) == (2, 8)


def test_the_signature_changes_with_every_write(data):
    root = data({"a": b"1"})
    before = list(tree.walk(os.fsencode(root)))
    (root / "a").write_bytes(b"2")
    after = list(tree.walk(os.fsencode(root)))
    assert before[0].signature == after[0].signature
    assert before[1].signature != after[1].signature


def test_a_file_just_written_could_still_hide_a_write(data):
    root = data({"a": b"1"})
    *_others, node = tree.walk(os.fsencode(root))
    assert node.is_racy(node.status.st_mtime_ns + 10**7)
    assert not node.is_racy(node.status.st_mtime_ns + 10**9)
