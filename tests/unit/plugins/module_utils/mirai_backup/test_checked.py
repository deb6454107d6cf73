"""checked: the lines of JSON files in a manifest, large ones by their start too."""

import pytest
from mirai_backup import checked
from mirai_backup.entries import Entry

LIMIT = 1000
DIGEST = "5" * 64


def entry(path="a.json", size=7, **values):
    return Entry(path, "file", size, 0o600, 1_700_000_000_123_456_789, 0, 0, "root", "root", sha256=DIGEST, **values)


def start(line):
    return line[: line.index(DIGEST.encode("ascii"))]


@pytest.fixture
def manifest(tmp_path):
    """A ``Checked`` of a file of the head and these entries."""

    def make(*entries):
        path = tmp_path / "x.manifest.json"
        path.write_bytes(b'{\n "id": "x",\n"entries": [\n' + b",\n".join(map(Entry.line, entries)) + b"\n]\n}\n")
        return checked.Checked(str(path), LIMIT)

    return make


def test_the_same_line_is_in_it_and_no_other(manifest):
    found = manifest(entry("1.json"), entry(), entry("sub/橋.json"), entry("last.json"))
    for path in ("1.json", "a.json", "sub/橋.json", "last.json"):
        assert entry(path).line() in found
    for other in (entry("b.json"), entry(size=8)):
        assert other.line() not in found
    assert entry().line().replace(b"5" * 64, b"5" * 63 + b"6") not in found


def test_a_large_file_is_known_by_its_start(manifest):
    found = manifest(entry("large.json", LIMIT + 1), entry("small.json", LIMIT))
    assert start(entry("large.json", LIMIT + 1).line()) in found
    assert start(entry("small.json", LIMIT).line()) not in found


@pytest.mark.parametrize("path", ["a.txt", "a.JSON", 'a"b.json', "a.json.bak", 'x.json","type":"file'])
def test_what_was_not_checked_as_json_is_not_in_it(manifest, path):
    assert entry(path).line() not in manifest(entry(path))


def test_a_directory_is_not_in_it(manifest):
    one = Entry("a.json", "directory", 0, 0o700, 1, 0, 0)
    assert one.line() not in manifest(one)


@pytest.mark.parametrize("path", ["", "/nowhere/x.manifest.json"])
def test_without_a_manifest_there_is_nothing(path):
    assert entry().line() not in checked.Checked(path, LIMIT)


def test_many_are_told_apart(manifest):
    found = manifest(*(entry(f"{number}.json", LIMIT + 1) for number in range(3000)))
    lines = [entry(f"{number}.json", LIMIT + 1).line() for number in range(6000)]
    assert (
        [line in found for line in lines] == [start(line) in found for line in lines] == [True] * 3000 + [False] * 3000
    )
