"""filesproof: a directory on disk is held to the list of files in a manifest."""

import os

import pytest
from mirai_backup import filesproof


@pytest.fixture
def proven(data, archived):
    """A directory and the entries that describe it."""
    root = data({"a.json": b"{}", "b.json": b"[]", "sub/c": b"1"})
    (root / "link").symlink_to("a.json")
    return root, archived(root)[1]


def test_an_untouched_directory_has_no_differences(proven):
    root, entries = proven
    assert filesproof.differences(str(root), iter(entries)) == []
    assert filesproof.changes(str(root), iter(entries)) == {"added": [], "changed": [], "removed": []}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda root: (root / "a.json").unlink(), "data/a.json is missing"),
        (lambda root: (root / "a.json").write_bytes(b"{ }"), "data/a.json has another size"),
        (lambda root: (root / "a.json").write_bytes(b"[]"), "data/a.json has another sha256"),
        (lambda root: (root / "a.json").chmod(0o600), "data/a.json has another mode"),
        (lambda root: os.utime(root / "a.json", (0, 0)), "data/a.json has another mtime"),
        (lambda root: ((root / "link").unlink(), (root / "link").symlink_to("x")), "data/link has another target"),
        (lambda root: ((root / "sub/c").unlink(), (root / "sub/c").mkdir()), "data/sub/c has another type"),
    ],
)
def test_each_difference_is_named(proven, change, line):
    root, entries = proven
    (root / "a.json").chmod(0o644)
    change(root)
    assert line in filesproof.differences(str(root), iter(entries))


def test_what_is_too_much_is_counted(proven):
    root, entries = proven
    (root / "new").write_bytes(b"")
    assert filesproof.differences(str(root), iter(entries)) == [f"{root} holds 7 entries instead of 6"]


def test_what_a_restore_would_do(proven, tmp_path):
    root, entries = proven
    (root / "a.json").unlink()
    (root / "b.json").write_bytes(b"[1]")
    (root / "new").write_bytes(b"")
    assert filesproof.changes(str(root), iter(entries)) == {
        "added": ["data/a.json"],
        "changed": ["data/b.json"],
        "removed": ["data/new"],
    }
    elsewhere = filesproof.changes(str(tmp_path / "none"), iter(entries))
    assert elsewhere["added"] == ["data/a.json", "data/b.json", "data/link", "data/sub/c"]
