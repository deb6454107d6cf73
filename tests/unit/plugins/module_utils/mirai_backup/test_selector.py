"""selector: what people write, and the backup they mean."""

import datetime
import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import drill_history, repository, selector
from mirai_backup.config import KINDS
from mirai_backup.errors import MismatchError, NotFoundError
from mirai_backup.repository import Listing
from mirai_backup.selector import BOTH
from mirai_backup.sinks import Artifact
from mirai_backup.summary import Summary


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


@pytest.mark.parametrize("word", ["mirai_json_20261123_020000", "20261123_020000", "{path}"])
def test_one_that_is_not_whole_may_be_named_where_that_is_to_be_said(repo, three, word):
    path = f"{repo}/json/{three[2].artifacts[0].name}"
    os.truncate(path, 1)
    listing = repository.listing(repo)
    found = selector.whole_or_not(listing, word.format(path=path))
    assert found.id == three[2].id and found.problem
    assert selector.whole_or_not(listing, "latest").id == three[0].id


def test_the_latest_may_be_one_that_is_not_whole_where_that_is_to_be_said(repo, three, sealed):
    newest = sealed("full", sequence=4, timestamp="20261124_020000")
    os.truncate(f"{repo}/full/{newest.artifacts[0].name}", 1)
    listing = repository.listing(repo)
    assert selector.whole_or_not(listing, "latest").id == newest.id
    assert [one.id for one in listing.newer_not_whole(selector.resolve(listing, "latest", BOTH))] == [newest.id]
    for one in three:
        os.truncate(f"{repo}/{one.kind}/{one.artifacts[0].name}", 1)
    assert selector.whole_or_not(repository.listing(repo), "latest").id == newest.id


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


def listed(kinds, whole):
    """A listing of backups of these kinds, each a day after the other; ``whole`` says which are."""
    made = []
    for number, (kind, good) in enumerate(zip(kinds, whole), 1):
        moment = datetime.datetime(2026, 1, 1, 2) + datetime.timedelta(days=number)
        name = f"{repository.STEMS[kind]}_{moment:%Y%m%d_%H%M%S}"
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"
        artifact = Artifact(f"{name}{'.sql.gz' if kind == 'database' else '.tar.gz'}", 1, "")
        halves = tuple(sorted(selector.COMPONENTS[kind]))
        head = Summary(name, kind, number, "mirai", "host", stamp, stamp, 1.0, "", halves, (), (artifact,))
        made.append(
            repository.Backup(head, f"/nowhere/{kind}/{artifact.name}.manifest.json", False, "" if good else "torn")
        )
    return Listing(tuple(made), (), ())


LISTINGS = st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), max_size=9).map(
    lambda drawn: listed([kind for kind, _good in drawn], [good for _kind, good in drawn])
)


@given(LISTINGS, st.sampled_from(list(selector.COMPONENTS.values())))
def test_the_latest_is_the_last_good_one_that_holds_what_is_wanted(listing, components):
    fitting = [one for one in listing.backups if not one.problem and components <= one.head.components]
    for word, place in (("latest", -1), ("oldest", 0)):
        if fitting:
            assert selector.resolve(listing, word, components) is fitting[place]
        else:
            with pytest.raises(NotFoundError, match="there is no good backup"):
                selector.resolve(listing, word, components)


@given(LISTINGS)
def test_every_backup_is_found_by_all_its_names_or_said_to_be_torn(listing):
    for one in listing.backups:
        for word in (one.id, one.id[-15:], one.path, one.manifest_path, os.path.basename(one.path)):
            if one.problem:
                with pytest.raises(NotFoundError, match="is not whole: torn"):
                    selector.resolve(listing, word)
            else:
                assert selector.resolve(listing, word) is one


@given(LISTINGS, st.text(max_size=20) | st.from_regex(r"(mirai_(db|full)_)?\d{6,10}_?\d{0,6}", fullmatch=True))
def test_any_word_is_a_backup_or_an_error_with_a_next_step(listing, word):
    try:
        found = selector.resolve(listing, word)
    except NotFoundError as error:
        assert error.message and error.next_step
    else:
        assert found in listing.backups


@given(LISTINGS)
def test_preferred_is_whole_before_it_is_new(listing):
    good = listing.good()
    if good:
        both = listing.good(BOTH)
        assert selector.preferred(listing, "latest") is (both or good)[-1]


def test_a_damaged_manifest_of_another_backup_is_not_blamed(repo, three):
    with open(f"{repo}/json/{three[2].artifacts[0].name}.manifest.json", "r+b") as file:
        file.write(b"?")
    with pytest.raises(NotFoundError, match="there is no backup mirai_db_20200101_020000"):
        resolve(repo, "mirai_db_20200101_020000")
