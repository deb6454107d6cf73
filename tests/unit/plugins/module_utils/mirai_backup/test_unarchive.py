"""unarchive: what was archived comes back exactly, and a hostile archive writes nothing."""

import contextlib
import io
import os
import stat
import tarfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import filesproof, unarchive
from mirai_backup.entries import TYPES, from_member
from mirai_backup.errors import MismatchError

NAMES = (b"caf\xe9.json", b"\xff\xfe", "現場写真 台帳.json".encode(), b"a\nb", b"-rf", b" ", b"~", b"\\x41", b"n" * 255)


@pytest.fixture
def odd(data):
    """A data directory with everything that a tree may hold."""
    root = data({"large.json": b"[" + b'"12345678",' * 300_000 + b"0]", "empty": b"", "deep/" + "d/" * 60 + "f": b"1"})
    for number, name in enumerate(NAMES):
        path = os.path.join(os.fsencode(root), name)
        with open(path, "wb") as file:
            file.write(name)
        os.chmod(path, (0o600, 0o444, 0o1777, 0o000)[number % 4])
        os.utime(path, ns=(0, 1_700_000_000_000_000_001 + number))
    for mode in (0o700, 0o2775, 0o1777, 0o555):
        (root / f"empty{mode}").mkdir()
        os.chmod(root / f"empty{mode}", mode)
    for name, target in (("dangling", b"gone/\xff"), ("absolute", b"/etc/passwd"), ("up", b"../.."), ("dir", b"deep")):
        os.symlink(target, os.path.join(os.fsencode(root), name.encode()))
    os.utime(root / "empty", ns=(0, 0))
    os.utime(root, ns=(0, 1_600_000_000_999_999_999))
    return root


@pytest.fixture
def compare(head_of, tmp_path):
    """Holds a tar stream to entries, and writes it to ``tmp_path/target`` unless told otherwise."""

    def run(stream, entries, write=True, reread=()):
        target = unarchive.Target(str(tmp_path / "target")) if write else None
        head = head_of("json", files={"reread": dict(reread)})
        unarchive.compare(io.BytesIO(stream), head, iter(entries), target)
        if target is not None:
            target.finish()

    return run


def test_round_trip(odd, archived, compare, tmp_path):
    stream, entries, findings = archived(odd)
    compare(stream, entries, reread=findings.reread)
    assert filesproof.differences(str(tmp_path / "target"), iter(entries)) == []
    for entry in entries:
        made, was = (os.lstat(os.path.join(root, entry.path)) for root in (tmp_path / "target", odd))
        assert stat.S_IMODE(made.st_mode) == stat.S_IMODE(was.st_mode), entry.shown
        assert (made.st_mtime_ns, made.st_uid, made.st_gid) == (was.st_mtime_ns, was.st_uid, was.st_gid), entry.shown


def tar_of(*members):
    """A tar stream of pairs: name and what its header is to say besides."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as file:
        for name, values in members:
            info = tarfile.TarInfo(name)
            content = values.pop("content", b"")
            info.size, info.mode = len(content), 0o644
            for key, value in values.items():
                setattr(info, key, value)
            file.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def entries_of(stream):
    """A manifest that agrees with the archive, as somebody who forges both would write it."""
    found = []
    for info in tarfile.open(fileobj=io.BytesIO(stream)):
        if info.type not in TYPES:
            info.type = tarfile.REGTYPE
        found.append(from_member(info))
    return found


ROOT = ("data", {"type": tarfile.DIRTYPE, "mode": 0o755})
HOSTILE = {
    "climbs": ("data/../../out", {}, "does not stay below data/"),
    "climbs within": ("data/a/../b", {}, "does not stay below data/"),
    "is absolute": ("/out", {}, "does not stay below data/"),
    "has another root": ("out", {}, "does not stay below data/"),
    "is dotted": ("data/./out", {}, "does not stay below data/"),
    "has an empty part": ("data//out", {}, "does not stay below data/"),
    "is a hard link": ("data/out", {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"}, "neither file, directory nor"),
    "is a device": ("data/out", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}, "neither file, directory nor"),
    "is a block device": ("data/out", {"type": tarfile.BLKTYPE}, "neither file, directory nor"),
    "is a pipe": ("data/out", {"type": tarfile.FIFOTYPE}, "neither file, directory nor"),
    "is setuid": ("data/out", {"mode": 0o4755}, "setuid or setgid"),
    "is setgid": ("data/out", {"mode": 0o2755}, "setuid or setgid"),
}


@pytest.mark.parametrize("member", sorted(HOSTILE))
def test_a_hostile_member_is_refused_before_anything_is_written(compare, contents, tmp_path, member):
    name, values, reason = HOSTILE[member]
    stream = tar_of(ROOT, (name, dict(values)))
    with pytest.raises(MismatchError, match=f"which is refused: .*{reason}"):
        compare(stream, entries_of(stream))
    assert contents(tmp_path) == {"target": None}


def test_a_path_through_a_symlink_is_refused(compare, contents, tmp_path):
    (tmp_path / "outside").mkdir()
    link = ("data/link", {"type": tarfile.SYMTYPE, "linkname": str(tmp_path / "outside"), "mode": 0o777})
    stream = tar_of(ROOT, link, ("data/link/file", {"content": b"x"}))
    with pytest.raises(MismatchError, match="its path leads through a symlink"):
        compare(stream, entries_of(stream))
    assert contents(tmp_path) == {"outside": None, "target": None}


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda members: [*members, members[-1]], "holds data/b where the manifest says the end"),
        (lambda members: members[:-1], "data/b is missing in the archive"),
        (lambda members: [members[0], members[2], members[1]], "holds data/b where the manifest says data/a"),
        (lambda members: [*members[:-1], ("data/b", {"content": b"X"})], "data/b has another sha256"),
        (lambda members: [*members[:-1], ("data/b", {"content": b"12"})], "data/b has another size"),
        (lambda members: [*members[:-1], ("data/b", {"content": b"1", "mode": 0o600})], "data/b has another mode"),
        (lambda members: [*members[:-1], ("data/b", {"content": b"1", "mtime": 9})], "data/b has another mtime"),
        (lambda members: [*members[:-1], ("data/b", {"type": tarfile.SYMTYPE, "linkname": "a"})], "another type"),
    ],
)
def test_what_is_not_as_the_manifest_says_is_named(compare, archived, data, edit, complaint):
    """A duplicate, a missing, a moved, a changed member."""
    root = data({"a": b"", "b": b"1"})
    for name in ("", "a", "b"):
        os.chmod(root / name, 0o755 if not name else 0o644)
        os.utime(root / name, (0, 0))
    _stream, entries, _findings = archived(root)
    members = edit([ROOT, ("data/a", {"content": b""}), ("data/b", {"content": b"1"})])
    stream = tar_of(*[(name, dict(values)) for name, values in members])
    with pytest.raises(MismatchError, match=complaint):
        compare(stream, entries, write=False)


def test_what_is_larger_than_the_manifest_says_is_not_written(compare, contents, tmp_path):
    small, large = (tar_of(ROOT, ("data/a", {"content": b"x" * size})) for size in (1, 100_000))
    with pytest.raises(MismatchError, match="data/a has another size"):
        compare(large, entries_of(small))
    assert contents(tmp_path) == {"target": None}


@given(st.data())
def test_a_damaged_stream_is_a_mismatch_or_does_no_harm(compare, archived, tmp_path_factory, drawn):
    root = tmp_path_factory.mktemp("data")
    (root / ("n" * 120)).write_bytes(b"1234")
    (root / "link").symlink_to("t" * 120)
    os.utime(root / ("n" * 120), (0, 0))
    stream, entries, _findings = archived(root)
    place = drawn.draw(st.integers(0, len(stream) - 1))
    harm = drawn.draw(st.sampled_from(["flip", "cut", "insert"]))
    byte = bytes([stream[place] ^ drawn.draw(st.integers(1, 255))])
    damaged = {
        "flip": stream[:place] + byte + stream[place + 1 :],
        "cut": stream[:place],
        "insert": stream[:place] + byte + stream[place:],
    }[harm]
    left = iter(entries)
    with contextlib.suppress(MismatchError):
        compare(damaged, left, write=False)
        assert list(left) == []


def test_owners_go_by_name_and_else_by_number(data, archived):
    entry = archived(data({"a": b""}))[1][1]
    named = replace(entry, uid=4711, gid=4712, owner="root", group="root")
    assert unarchive._owner(named) == (0, 0)
    assert unarchive._owner(replace(named, owner="no such", group="")) == (4711, 4712)


def test_the_target_is_a_new_and_private_directory(tmp_path):
    unarchive.Target(str(tmp_path / "new"))
    assert os.stat(tmp_path / "new").st_mode & 0o777 == 0o700
    with pytest.raises(FileExistsError):
        unarchive.Target(str(tmp_path / "new"))
