"""manifest: what is read is what was written, and every edit is seen."""

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import manifest
from mirai_backup.entries import Entry
from mirai_backup.errors import MismatchError
from mirai_backup.sinks import Artifact

ENTRIES = (
    Entry("", "directory", 0, 0o755, 1, 0, 0),
    Entry(os.fsdecode(b"caf\xe9, 2.json"), "file", 3, 0o640, 2, 0, 0, "root", "root", "ab" * 32),
    Entry("link", "symlink", 0, 0o777, 3, 0, 0, target="現場.json"),
)

NAMES = st.binary(min_size=1, max_size=40).map(lambda raw: "a" + os.fsdecode(raw.translate(None, b"\0/")))
FILES = st.builds(
    Entry, NAMES, st.just("file"), st.integers(0, 2**40), st.integers(0, 0o1777), st.integers(0, 2**62),
    st.integers(0, 2**31), st.integers(0, 2**31), sha256=st.just("ab" * 32),
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = (
    *("id", "kind", "sequence", "application", "host", "started", "ended", "duration_seconds", "compression"),
    *("artifacts", "members", "database", "files", "warnings", "previous", "schema"),
)


@pytest.fixture
def written(tmp_path, staged, head_of):
    """Writes a manifest: with a list of files, or without that half."""

    def write(kind="json", entries=ENTRIES, **values):
        head = replace(staged(tmp_path, kind, **values), members=(Artifact("json/mirai_json_x.tar.gz", 3, "cd" * 32),))
        if kind != "database":
            head = replace(head, files={"sha256": manifest.entries_digest(iter(entries)), "count": 1, "size": 3})
        path = str(tmp_path / "one.manifest.json")
        digest = manifest.write(path, head, iter(entries if kind != "database" else ()))
        return path, replace(head, digest=digest)

    return write


def read_whole(path):
    head = manifest.read(path)
    return head, tuple(manifest.read_entries(path, head)) if head.files is not None else ()


def test_round_trip_with_names_that_are_not_utf8(written):
    path, head = written(warnings=('現場 \\ "x"',), previous={"id": "before", "digest": "ef"})
    found, entries = read_whole(path)
    assert found == head
    assert found.digest == head.digest
    assert entries == ENTRIES
    assert os.stat(path).st_mode & 0o777 == 0o600


PARTS = st.binary(min_size=1, max_size=12).filter(lambda one: not {0, 47} & set(one) and one not in (b".", b".."))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: os.fsdecode(b"/".join(parts)))
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
COUNTS = st.integers(0, 2**40)
ANY_ENTRIES = st.lists(
    st.one_of(
        st.builds(
            Entry, PATHS, st.just("file"), COUNTS, st.integers(0, 0o777), st.integers(-(2**40), 2**62), COUNTS, COUNTS,
            TEXT, TEXT, st.just("ab" * 32),
        ),
        st.builds(Entry, PATHS, st.just("symlink"), st.just(0), st.just(0o777), COUNTS, COUNTS, COUNTS, target=PATHS),
    ),
    max_size=5,
)  # fmt: skip


@pytest.fixture
def written_anew(tmp_path, head_of):
    """Writes a manifest of any head and any entries over the one before."""

    def write(entries, **values):
        files = {"sha256": manifest.entries_digest(iter(entries)), "count": len(entries), "size": 0}
        head = replace(head_of(), files=files, **values)
        path = str(tmp_path / "one.manifest.json")
        return path, replace(head, digest=manifest.write(path, head, iter(entries)))

    return write


@given(ANY_ENTRIES, TEXT, st.lists(TEXT, max_size=3), COUNTS)
def test_round_trip_of_anything(written_anew, entries, host, warnings, sequence):
    path, head = written_anew(entries, host=host, warnings=tuple(warnings), sequence=sequence)
    assert read_whole(path) == (head, tuple(entries))


@given(ANY_ENTRIES.filter(bool), st.data())
def test_any_other_byte_anywhere_is_seen(written_anew, entries, data):
    path, _head = written_anew(entries)
    with open(path, "rb") as file:
        whole = file.read()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda one: one != whole[place]))
    with open(path, "wb") as file:
        file.write(whole[:place] + bytes([other]) + whole[place + 1 :])
    assert is_seen(path), f"{whole[place]} at {place} became {other}: {whole[max(0, place - 30) : place + 30]!r}"


def test_round_trip_of_an_empty_list_and_of_no_list(written):
    assert read_whole(written(entries=())[0])[1] == ()
    path, head = written("database")
    assert read_whole(path)[0] == head


def is_seen(path):
    """Whether reading refuses the damage."""
    try:
        read_whole(path)
    except MismatchError:
        return True
    return False


@pytest.mark.parametrize("kind", ["json", "database"])
def test_every_edit_of_a_single_character_is_seen(written, kind):
    path, _head = written(kind)
    whole = open(path, "rb").read()
    for place in range(len(whole)):
        old = whole[place : place + 1]
        new = b" " if old in b"\n\t0" else b"\n" if old == b" " else b"0"
        for edited in (new, b"", old + b" ", old + b",")[: 1 if place % 3 else 4]:
            with open(path, "wb") as file:
                file.write(whole[:place] + edited + whole[place + 1 :])
            assert is_seen(path), f"{old!r} at {place} became {edited!r}: {whole[place - 30 : place + 30]!r}"


@pytest.mark.parametrize("kind", ["json", "database"])
def test_every_truncation_is_seen(written, kind):
    path, _head = written(kind)
    for size in reversed(range(os.path.getsize(path))):
        os.truncate(path, size)
        with pytest.raises(MismatchError):
            read_whole(path)


def test_entries_that_changed_places_are_seen(written):
    path, head = written()
    lines = open(path, "rb").read().split(b"\n")
    first = lines.index(b'"entries": [') + 1
    lines[first], lines[first + 1] = lines[first + 1], lines[first]
    with open(path, "wb") as file:
        file.write(b"\n".join(lines))
    with pytest.raises(MismatchError, match="list of files was edited"):
        list(manifest.read_entries(path, head))


def test_a_newer_schema_is_named(written):
    path, _head = written()
    content = open(path, "rb").read().replace(b'"schema": 1', b'"schema": 2')
    with open(path, "wb") as file:
        file.write(content)
    with pytest.raises(MismatchError, match="has schema 2, this engine reads 1") as caught:
        manifest.read(path)
    assert "newer one" in caught.value.next_step


@pytest.mark.parametrize("head", [b"", b"{}", b"[\n" * 50_000, b"1\n", b"[1]\n", b"{}\n"])
def test_foreign_files_are_no_manifests(tmp_path, head):
    path = tmp_path / "x.manifest.json"
    path.write_bytes(head + b'"entries": [\n]\n}\n')
    with pytest.raises(MismatchError):
        manifest.read(str(path))


def test_a_head_without_end_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "_HEAD_LIMIT", 1000)
    path = tmp_path / "x.manifest.json"
    path.write_bytes(b"{\n" * 1000)
    with pytest.raises(MismatchError, match="its head does not end"):
        manifest.read(str(path))


def test_what_it_says_of_itself(head_of):
    full, database = head_of("full"), head_of("database")
    assert full.components == {"database", "json"}
    assert database.components == {"database"}
    parts = (Artifact("database/mirai_db_x.sql.gz", 1, ""), Artifact("database/mirai_globals_x.sql.gz", 2, ""))
    full = replace(full, members=parts, artifacts=(Artifact("mirai_full_x.tar.gz", 9, ""),))
    assert full.part("globals") == parts[1]
    assert full.part("json") is None
    assert full.size == 9
    assert (full.ended_at - manifest.text.parse_utc(full.started)).total_seconds() == 2


def test_a_head_with_a_right_digest_and_a_foreign_key_is_refused(tmp_path, head_of):
    path = str(tmp_path / "x.manifest.json")
    values = dict(head_of().head(), colour="red")
    values["digest"] = manifest._digest(values)
    with open(path, "wb") as file:
        file.writelines(manifest._blocks(values, iter(())))
    with pytest.raises(MismatchError, match="it is not understood"):
        manifest.read(path)


def sealed_with(path, head, key, value, inside=""):
    """Write the manifest with another value at ``key``, and a digest that fits: as somebody who knows how would."""
    values = head.head()
    if inside:
        values[key] = {**values[key], inside: value}
    else:
        values[key] = value
    values["digest"] = manifest._digest(values)
    with open(path, "wb") as file:
        file.writelines(manifest._blocks(values, iter(())))


@given(st.sampled_from(KEYS), JSON_VALUES)
def test_a_value_of_another_kind_is_refused_with_words(tmp_path, head_of, key, value):
    path = str(tmp_path / "x.manifest.json")
    sealed_with(path, head_of("full"), key, value)
    try:
        found = manifest.read(path).head()[key]
    except MismatchError as error:
        assert path in error.message
        assert error.next_step
    else:
        assert type(found) is type(head_of("full").head()[key]) or value is None or key == "previous"


@given(JSON_VALUES)
def test_a_fingerprint_of_another_kind_is_refused_with_words(tmp_path, head_of, value):
    path = str(tmp_path / "x.manifest.json")
    sealed_with(path, head_of("full"), "database", value, "fingerprint")
    if value is None:
        assert manifest.read(path).database["fingerprint"] is None
    else:
        with pytest.raises(MismatchError, match="missing or of the wrong type"):
            manifest.read(path)


@pytest.mark.parametrize("before", [[], {}, {"id": "x"}, {"id": 1, "digest": "ab"}, {"id": "x", "digest": None}])
def test_a_predecessor_that_is_not_described_is_refused(tmp_path, head_of, before):
    path = str(tmp_path / "x.manifest.json")
    sealed_with(path, head_of(), "previous", before)
    with pytest.raises(MismatchError, match="missing or of the wrong type"):
        manifest.read(path)


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-23T02:00:00Z", "2026-13-23T02:00:00.000000Z", ""])
def test_a_time_that_is_none_is_refused(tmp_path, head_of, moment):
    path = str(tmp_path / "x.manifest.json")
    sealed_with(path, head_of(), "ended", moment)
    with pytest.raises(MismatchError, match="missing or of the wrong type"):
        manifest.read(path)


@pytest.mark.parametrize("head", [b"[1", b'["id", {"a": 1}', b"1", b"nul"])
def test_a_head_that_is_no_object_is_refused(tmp_path, head):
    path = tmp_path / "x.manifest.json"
    path.write_bytes(head + b',\n"entries": [\n]\n}\n')
    with pytest.raises(MismatchError, match="not valid JSON"):
        manifest.read(str(path))


@given(st.lists(FILES, max_size=8, unique_by=lambda one: one.path))
def test_any_list_of_files_comes_back_as_it_was(tmp_path, head_of, entries):
    path = str(tmp_path / "x.manifest.json")
    head = head_of(files={"count": len(entries), "size": 0, "sha256": manifest.entries_digest(entries)})
    manifest.write(path, head, iter(entries))
    assert read_whole(path) == (head, tuple(entries))
