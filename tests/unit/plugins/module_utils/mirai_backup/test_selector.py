"""selector: what people write, and the backup they mean."""

import datetime
import os
import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import drill_history, repository, selector, summary
from mirai_backup.errors import MismatchError, NotFoundError
from mirai_backup.repository import Backup, Listing
from mirai_backup.selector import BOTH
from mirai_backup.sinks import Artifact


@pytest.fixture
def three(repo, sealed):
    """A full, a database and a JSON backup, in this order."""
    return [
        sealed("full", sequence=1, timestamp="20261121_020000"),
        sealed("database", sequence=2, timestamp="20261122_020000"),
        sealed("json", sequence=3, timestamp="20261123_020000"),
    ]


def resolve(repo, word, components=frozenset()):
    return selector.resolve(repository.listing(repo), word, components).id


@pytest.mark.parametrize(
    ("word", "components", "expected"),
    [
        ("latest", frozenset(), 2),
        ("latest", BOTH, 0),
        ("latest", frozenset(("database",)), 1),
        ("oldest", frozenset(), 0),
        ("oldest", frozenset(("json",)), 0),
        ("20261122_020000", frozenset(), 1),
        ("mirai_db_20261122_020000", frozenset(), 1),
        ("mirai_db_20261122_020000.sql.gz", frozenset(), 1),
        ("mirai_db_20261122_020000.sql.gz.manifest.json", frozenset(), 1),
    ],
)
def test_words(repo, three, word, components, expected):
    assert resolve(repo, word, components) == three[expected].id


def test_paths_absolute_relative_and_through_a_symlink(repo, three, tmp_path, monkeypatch):
    monkeypatch.chdir(repo)
    (tmp_path / "link").symlink_to(repo)
    for path in (f"{repo}/json/", "json/", f"{tmp_path}/link/json/"):
        assert resolve(repo, path + "mirai_json_20261123_020000.tar.gz") == three[2].id
        assert resolve(repo, path + "mirai_json_20261123_020000.tar.gz.manifest.json") == three[2].id


def test_a_path_outside_of_the_repository(repo, three, tmp_path):
    """A backup that was carried here: its artifact and its manifest, in any directory."""
    carried = tmp_path / "carried"
    shutil.copytree(f"{repo}/json", carried)
    shutil.rmtree(f"{repo}/json")
    path = str(carried / "mirai_json_20261123_020000.tar.gz")
    found = selector.resolve(repository.listing(repo), path)
    assert (found.id, found.path, found.problem) == (three[2].id, path, "")
    os.unlink(path + ".manifest.json")
    with pytest.raises(NotFoundError):
        resolve(repo, path)


def test_a_path_elsewhere_is_not_taken_for_one_of_the_same_name(repo, three):
    with pytest.raises(NotFoundError, match="there is no backup /elsewhere"):
        resolve(repo, "/elsewhere/mirai_json_20261123_020000.tar.gz")


@pytest.mark.parametrize(
    ("word", "near"),
    [("mirai_db_20261122_02000", "mirai_db_20261122_020000"), ("20261101", "mirai_full_20261121_020000"), ("x", "")],
)
def test_an_unknown_one_lists_the_nearest(repo, three, word, near):
    with pytest.raises(NotFoundError) as caught:
        resolve(repo, word)
    assert caught.value.exit_code == 10
    assert caught.value.next_step.startswith(f"the nearest: {near}")


def test_an_empty_repository_says_so(repo):
    with pytest.raises(NotFoundError, match="there is no good backup that holds anything"):
        resolve(repo, "latest")
    with pytest.raises(NotFoundError) as caught:
        resolve(repo, "20261123_020000")
    assert "repository is empty" in caught.value.next_step


def test_a_half_that_is_not_there_is_named_with_the_flag_that_helps(repo, three):
    with pytest.raises(NotFoundError, match="holds no json") as caught:
        resolve(repo, three[1].id, BOTH)
    assert caught.value.next_step == "choose another, or add --db-only"
    os.unlink(f"{repo}/full/{three[0].artifacts[0].name}")
    with pytest.raises(NotFoundError, match="no good backup that holds database and json"):
        resolve(repo, "latest", BOTH)


def test_latest_passes_over_what_is_not_whole_but_naming_it_is_an_error(repo, three):
    os.truncate(f"{repo}/json/{three[2].artifacts[0].name}", 1)
    assert resolve(repo, "latest") == three[1].id
    with pytest.raises(NotFoundError, match="has 1 bytes instead of 7"):
        resolve(repo, three[2].id)


def test_latest_verified_is_the_newest_that_a_drill_has_passed(repo, three):
    with pytest.raises(NotFoundError, match="no drill has passed a backup that holds anything"):
        resolve(repo, "latest-verified")
    os.mkdir(f"{repo}/drills")
    for number, verdict in ((0, "pass"), (1, "fail")):
        drill_history.append(repo, {"backup": three[number].id, "verdict": verdict})
    assert resolve(repo, "latest-verified") == three[0].id


def test_a_damaged_manifest_is_named_when_it_is_asked_for(repo, three):
    with open(f"{repo}/json/{three[2].artifacts[0].name}.manifest.json", "r+b") as file:
        file.write(b"?")
    with pytest.raises(MismatchError, match="cannot be used: manifest .* is not valid JSON"):
        resolve(repo, three[2].id)


def test_a_timestamp_that_two_share_is_ambiguous(repo, sealed):
    for number, kind in enumerate(("database", "json"), 1):
        sealed(kind, sequence=number, timestamp="20261123_020000")
    with pytest.raises(NotFoundError, match="names 2 backups") as caught:
        resolve(repo, "20261123_020000")
    assert "mirai_db_20261123_020000, mirai_json_20261123_020000" in caught.value.next_step


def test_the_newest_is_the_highest_sequence_not_the_clock(repo, sealed):
    sealed(sequence=2, age=datetime.timedelta(days=3), timestamp="20261120_020000")
    sealed(sequence=1, timestamp="20261123_020000")
    assert resolve(repo, "latest") == "mirai_json_20261120_020000"


HALVES = {"full": BOTH, "database": frozenset(("database",)), "json": frozenset(("json",))}
DRAWN = st.lists(st.tuples(st.sampled_from(sorted(HALVES)), st.booleans(), st.booleans()), max_size=8)
COMPONENTS = st.sampled_from([frozenset(), *HALVES.values()])


@pytest.fixture
def listing_of(head_of):
    """A listing in memory of backups drawn as (kind, good, drilled); sequence and timestamp follow their order."""

    def make(drawn):
        found = []
        for number, (kind, good, drilled) in enumerate(drawn, 1):
            name = f"{repository.STEMS[kind]}_20260101_{number:06d}.tar.gz"
            head = replace(head_of(kind, sequence=number), artifacts=(Artifact(name, 1, "ab" * 32),))
            path = f"/r/{kind}/{name}.manifest.json"
            found.append(Backup(summary.of(head), path, False, "" if good else "x is missing", drilled))
        return Listing(tuple(found), (), ())

    return make


@given(DRAWN, COMPONENTS, st.sampled_from(["latest", "oldest", "latest-verified"]))
def test_words_choose_as_the_promise_says(listing_of, drawn, components, word):
    """The promise, said once more, over the sequence numbers alone."""
    fitting = [
        number
        for number, (kind, good, drilled) in enumerate(drawn, 1)
        if good and components <= HALVES[kind] and (drilled or word != "latest-verified")
    ]
    if not fitting:
        with pytest.raises(NotFoundError):
            selector.resolve(listing_of(drawn), word, components)
        return
    expected = min(fitting) if word == "oldest" else max(fitting)
    assert selector.resolve(listing_of(drawn), word, components).head.sequence == expected


@given(DRAWN.filter(bool), st.data())
def test_every_name_of_a_backup_means_that_backup_or_says_why_not(listing_of, drawn, data):
    listing = listing_of(drawn)
    number = data.draw(st.integers(0, len(drawn) - 1))
    one, (_kind, good, _drilled) = listing.backups[number], drawn[number]
    names = (one.id, one.id[-15:], one.path, one.manifest_path, os.path.basename(one.path))
    word = data.draw(st.sampled_from([*names, os.path.basename(one.manifest_path)]))
    if good:
        assert selector.resolve(listing, word) is one
    else:
        with pytest.raises(NotFoundError, match="is not whole: x is missing"):
            selector.resolve(listing, word)


@given(DRAWN, st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=30))
def test_any_other_word_is_refused_with_a_next_step(listing_of, drawn, word):
    listing = listing_of(drawn)
    with pytest.raises(NotFoundError) as caught:
        selector.resolve(listing, f"no {word}")
    shown = [one.id for one in listing.backups if one.id in caught.value.next_step]
    assert bool(shown) is bool(drawn)
