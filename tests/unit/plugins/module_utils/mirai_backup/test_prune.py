"""prune: deletes what retention lets go, only what manifests list, and says why the rest stays."""

import datetime

import pytest
from mirai_backup import lock, prune, repository
from mirai_backup.errors import LockedError
from mirai_backup.watch import Observer

HOURS = datetime.timedelta(hours=1)


@pytest.fixture
def history(sealed):
    """Ten JSON backups, 22 hours apart, the newest made now; retention keeps seven days."""
    return [sealed(sequence=10 - number, age=number * 22 * HOURS) for number in reversed(range(10))]


@pytest.fixture
def settings(settings_of):
    return settings_of()


def ids(settings):
    return [one.id for one in repository.listing(settings.repository).backups]


def test_a_dry_run_says_what_would_go_and_changes_nothing(history, settings, contents):
    before = contents(settings.repository)
    outcome = prune.run(settings, dry_run=True)
    assert contents(settings.repository) == before
    assert outcome.document["pruned"] == [history[0].id, history[1].id]
    assert outcome.document["dry_run"] is True
    assert f"{history[0].id}  would be pruned: older than 7 d" in outcome.lines
    assert f"{history[9].id}  kept: younger than 7 d" in outcome.lines


def test_what_is_pruned_is_gone_with_its_files_and_in_the_log(history, settings, contents):
    repo = settings.repository
    open(f"{repo}/json/{history[0].artifacts[0].name}.note", "wb").close()
    outcome = prune.run(settings)
    assert outcome.document["pruned"] == [history[0].id, history[1].id]
    assert ids(settings) == [one.id for one in history[2:]]
    left = [name for name in contents(repo) if history[0].id in name or history[1].id in name]
    assert left == [f"json/{history[0].artifacts[0].name}.note"]
    log = open(settings.log, encoding="utf-8").read()
    assert f"pruned {history[0].id}: pruned: older than 7 d" in log
    assert prune.run(settings).document["pruned"] == []


def test_a_pinned_backup_stays(history, settings):
    repository.pin(settings.repository, history[0].id)
    assert prune.run(settings).document["pruned"] == [history[1].id]


def test_the_last_good_one_stays_however_old(repo, sealed, settings):
    sealed("database", sequence=1, age=9000 * HOURS)
    sealed("database", sequence=2, age=8000 * HOURS)
    assert prune.apply(settings, Observer()) == ["mirai_db_20260101_000001"]


def test_an_empty_repository_says_so(settings, repo):
    assert prune.run(settings).lines == ("the repository is empty",)


def test_never_beside_another_run(history, settings):
    with lock.hold(settings.repository, "backup full"):
        with pytest.raises(LockedError):
            prune.run(settings)
        assert prune.run(settings, dry_run=True).document["pruned"]
    assert len(ids(settings)) == 10
