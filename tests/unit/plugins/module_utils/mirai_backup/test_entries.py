"""entries: one path of the data directory, as JSON and as a tar header."""

import dataclasses
import json
import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup.entries import Entry, common, file_parts, from_member, path_of, start_of_line
from mirai_backup.errors import MismatchError

NAMES = st.binary(min_size=1, max_size=300).map(lambda raw: os.fsdecode(raw.replace(b"\0", b"_").replace(b"/", b"_")))
ACCOUNTS = st.sampled_from(["", "root", "mirai"])
ENTRIES = st.one_of(
    st.builds(
        Entry, NAMES, st.just("file"), st.integers(0, 2**40), st.integers(0, 0o1777), st.integers(0, 2**62),
        st.integers(0, 2**31), st.integers(0, 2**31), ACCOUNTS, ACCOUNTS, sha256=st.just("ab" * 32),
    ),
    st.builds(
        Entry, NAMES, st.just("symlink"), st.just(0), st.just(0o777), st.integers(0, 2**62), st.just(0), st.just(0),
        target=NAMES,
    ),
    st.builds(
        Entry, st.just("") | NAMES, st.just("directory"), st.just(0), st.integers(0, 0o7777), st.integers(0, 2**62),
        st.just(0), st.just(0),
    ),
)  # fmt: skip
ONE = Entry("a/b.json", "file", 3, 0o640, 1_700_000_000_123_456_789, 0, 0, "root", "root", "ab" * 32)


@given(ENTRIES)
def test_round_trip_through_json(entry):
    document = entry.document()
    str(document).encode("utf-8")
    assert Entry.parse(document) == entry


@given(ENTRIES)
def test_round_trip_through_a_tar_header(entry):
    raw = entry.header()
    assert len(raw) % 512 == 0
    with open(os.memfd_create("tar"), "w+b") as file:
        file.write(raw + b"\0" * 1024)
        file.seek(0)
        info = tarfile.open(fileobj=file, encoding="utf-8", errors="surrogateescape").next()
    found = from_member(info, entry.sha256)
    assert found == dataclasses.replace(entry, mtime_ns=entry.mtime_ns // 10**9 * 10**9)
    assert entry.differs_from(found) == ""


@given(ENTRIES)
def test_what_is_put_together_by_hand_is_what_the_libraries_make(entry):
    assert entry.line() == json.dumps(entry.document(), separators=(",", ":")).encode("ascii")
    info = tarfile.TarInfo(entry.member)
    info.type = {"file": tarfile.REGTYPE, "directory": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE}[entry.type]
    info.size, info.mode, info.mtime = entry.size, entry.mode, entry.mtime_ns // 10**9
    info.uid, info.gid, info.uname, info.gname = entry.uid, entry.gid, entry.owner, entry.group
    info.linkname = entry.target
    assert entry.header() == info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def test_the_root_is_the_member_data():
    root = Entry("", "directory", 0, 0o755, 0, 0, 0)
    assert (root.member, root.shown, root.document()["path"]) == ("data", "data", "")
    assert ONE.member == "data/a/b.json"


def test_names_that_are_not_utf8_keep_their_bytes():
    entry = dataclasses.replace(ONE, path=os.fsdecode(b"caf\xe9.json"))
    assert entry.document()["path"] == "caf\\xe9.json"
    assert entry.document()["path_base64"] == "Y2Fm6S5qc29u"
    assert entry.shown == "data/caf\\xe9.json"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"type": "directory"}, "type"),
        ({"size": 4}, "size"),
        ({"mode": 0o644}, "mode"),
        ({"sha256": "cd" * 32}, "sha256"),
        ({"target": "x"}, "target"),
        ({"mtime_ns": ONE.mtime_ns + 10**9}, "mtime"),
        ({"mtime_ns": ONE.mtime_ns + 1, "uid": 7, "owner": "other"}, ""),
    ],
)
def test_the_first_difference_is_named(change, name):
    assert ONE.differs_from(dataclasses.replace(ONE, **change)) == name


@pytest.mark.parametrize(
    "values",
    [{}, [], 3, {"mode": "999"}, {**ONE.document(), "colour": "red"}, {**ONE.document(), "path_base64": "?"}],
)
def test_what_is_no_entry_is_refused(values):
    with pytest.raises(MismatchError, match="an entry that is not understood"):
        Entry.parse(values)


@pytest.mark.parametrize(
    "change",
    [{"path": "../x"}, {"path": "a//b"}, {"path": "/etc"}, {"path": "a/./b"}, {"path": "a\0b"}, {"target": "\0"}],
)
def test_a_path_that_does_not_stay_below_the_data_directory_is_refused(change):
    with pytest.raises(MismatchError, match="does not stay below data/"):
        Entry.parse({**ONE.document(), **change})


@given(ENTRIES)
def test_a_line_tells_its_path(entry):
    path = os.fsencode(entry.path)
    assert path_of(entry.line()) == path
    assert entry.line().startswith(start_of_line(path))


@given(
    st.binary(min_size=1, max_size=120), st.integers(0, 2**40), st.integers(0, 0o1777), st.integers(-(2**40), 2**62),
    st.integers(0, 2**31), ACCOUNTS, ACCOUNTS,
)  # fmt: skip
def test_the_parts_of_a_file_are_those_of_its_entry(path, size, mode, mtime_ns, uid, owner, group):
    entry = Entry(os.fsdecode(path), "file", size, mode, mtime_ns, uid, 0, owner, group, sha256="ab" * 32)
    header, before, after = file_parts(path, size, mtime_ns, common(mode, uid, 0, owner, group))
    assert header == entry.header()
    assert before + b"ab" * 32 + after == entry.line()
