"""drill_choice: a drill may be asked about a backup that is not whole, and says so."""

import os

import pytest
from mirai_backup import drill_choice, repository
from mirai_backup.drill_choice import Damaged
from mirai_backup.errors import NotFoundError


@pytest.fixture
def two(repo, sealed):
    """A full backup, and a newer one of the files alone."""
    return [sealed("full", sequence=1), sealed("json", sequence=2)]


def choose(repo, word):
    return drill_choice.resolve(repository.listing(repo), word)


def test_the_latest_is_one_of_both_halves_where_there_is_one(repo, two):
    assert choose(repo, "latest").id == two[0].id
    os.unlink(f"{repo}/full/{two[0].artifacts[0].name}")
    assert choose(repo, "latest").id == two[1].id


def test_one_that_is_not_whole_can_be_named(repo, two):
    os.truncate(f"{repo}/json/{two[1].artifacts[0].name}", 1)
    for word in (two[1].id, two[1].id[-15:]):
        assert "has 1 bytes instead of" in choose(repo, word).problem


def test_one_with_a_damaged_manifest_can_be_named(repo, two):
    path = f"{repo}/json/{two[1].artifacts[0].name}.manifest.json"
    os.truncate(path, 20)
    for word in (two[1].id, two[1].artifacts[0].name, path, path[: -len(".manifest.json")]):
        found = choose(repo, word)
        assert isinstance(found, Damaged)
        assert (found.id, found.path) == (two[1].id, path)
        assert "manifest" in found.problem
    assert choose(repo, "latest").id == two[0].id


def test_an_unknown_one_is_answered_as_everywhere(repo, two):
    os.truncate(f"{repo}/json/{two[1].artifacts[0].name}.manifest.json", 20)
    with pytest.raises(NotFoundError, match="there is no backup 20200101_000000"):
        choose(repo, "20200101_000000")
