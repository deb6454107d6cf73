"""pull: from the first store that has it, proven, and sealed as one that was made here."""

import os
import shutil

import pytest
from mirai_backup import pull, push, repository
from mirai_backup.errors import NotFoundError, StoreError
from mirai_backup.watch import Observer


@pytest.fixture
def shipped(away, sealed):
    """A backup that lies in the store alone, and the configuration."""
    head = sealed(content=b"content" * 1000)
    push.run(away.config)
    shutil.rmtree(away.config.repository)
    return head


def test_a_pulled_backup_is_as_it_was_made(away, shipped, contents):
    outcome = pull.run(away.config)
    assert (outcome.document["pulled"], outcome.document["store"], outcome.document["changed"]) == (
        shipped.id,
        "a",
        True,
    )
    (found,) = repository.listing(away.config.repository).good()
    assert found.id == shipped.id
    there, here = contents(away.root / "a"), contents(away.config.repository)
    assert {name: here[name] for name in there} == there
    assert pull.run(away.config).document["changed"] is False
    assert os.listdir(os.path.join(away.config.repository, ".staging")) == []
    assert not [one for one in os.listdir(os.path.join(away.config.repository, ".offsite", "a")) if "pull" in one]


def test_the_next_store_is_asked_when_one_fails_or_has_it_not(away, shipped):
    away.fault("lsjson a:")
    assert pull.find(away.config, "latest").shelf.name == "b"
    away.fault("lsjson a:", "lsjson b:")
    with pytest.raises(StoreError, match="a: .*refused.*b: .*refused"):
        pull.find(away.config, "latest")
    away.fault()
    with pytest.raises(NotFoundError, match="mirai_json_20990101_000000 is in no offsite store"):
        pull.find(away.config, "mirai_json_20990101_000000")


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[:-1] + bytes([c[-1] ^ 1]), lambda _c: b""])
def test_what_does_not_come_as_it_was_is_no_backup_here(away, shipped, damage):
    path = away.root / "a" / "json" / shipped.artifacts[0].name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises((StoreError, NotFoundError)):
        pull.fetch(away.config, shipped.id, "a", Observer())
    assert repository.listing(away.config.repository).backups == ()


def test_a_damaged_one_here_is_mended(away, sealed):
    head = sealed(content=b"content" * 1000)
    push.run(away.config)
    path = os.path.join(away.config.repository, "json", head.artifacts[0].name)
    with open(path, "r+b") as file:
        file.write(b"X")
    assert pull.run(away.config).document["changed"] is True
    with open(path, "rb") as file:
        assert file.read() == b"content" * 1000
    os.unlink(path)
    assert pull.run(away.config).document["changed"] is True


def test_a_pinned_one_that_is_mended_stays_pinned(away, sealed):
    head = sealed()
    push.run(away.config)
    repository.pin(away.config.repository, head.id)
    os.unlink(os.path.join(away.config.repository, "json", head.artifacts[0].name))
    assert pull.run(away.config, head.id).document["changed"] is True
    assert repository.listing(away.config.repository).backups[0].pinned
