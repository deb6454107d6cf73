"""exchange: a journal whose run died is settled by what is found, not by what was meant."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from mirai_backup import exchange, restores, safefile, swap
from mirai_backup.restores import Journal


class Log:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list = []

    def say(self, text: str, _level: str = "INFO") -> None:
        self.said.append(text)


@pytest.fixture
def config(repo):
    return SimpleNamespace(repository=repo, app_services=(), restore_smoke=(), restore_smoke_timeout=0)


@pytest.fixture
def journal(tmp_path, repo):
    """A journal of the files alone: old in service, new beside it."""
    names = {"live": str(tmp_path / "d"), "side": str(tmp_path / "d_restore"), "previous": str(tmp_path / "d_before")}
    for role, content in (("live", "old"), ("side", "new")):
        os.mkdir(names[role])
        with open(os.path.join(names[role], content), "w"):
            pass
    made = Journal(
        "20261124_020000", "restore", "mirai_json_20261123_020000", "2026-11-24T02:00:00Z", "begun", None, names
    )
    return restores.write(repo, made)


def in_service(journal) -> list:
    return os.listdir(journal.data_dir["live"])


def swapping(config, journal, older: bool) -> Journal:
    return restores.advance(config.repository, journal if older else exchange._marked(journal), "swapping")


def test_carried_out(config, journal):
    log = Log()
    done, window = exchange.carry_out(config, journal, None, log)
    assert in_service(journal) == ["new"]
    assert os.listdir(journal.data_dir["previous"]) == ["old"]
    assert not os.path.lexists(journal.data_dir["side"])
    assert restores.journals(config.repository) == [done]
    assert done.state == "done"
    assert window < 5
    assert not any("away" in one for one in log.said)


def test_where_directories_cannot_be_exchanged_that_is_said(config, journal, monkeypatch):
    monkeypatch.setattr(safefile, "_renameat2", None)
    log = Log()
    exchange.carry_out(config, journal, None, log)
    assert in_service(journal) == ["new"]
    assert any("was away between two renames" in one for one in log.said)


@pytest.mark.parametrize("older", [False, True])
def test_a_death_before_any_rename_is_undone(config, journal, older):
    swapping(config, journal, older)
    (settled,) = exchange.settle(config, Log())
    assert not settled.finished
    assert in_service(journal) == ["old"]
    assert not os.path.lexists(journal.data_dir["side"])
    assert restores.journals(config.repository) == []


def test_a_death_after_the_exchange_is_finished(config, journal):
    swapping(config, journal, older=False)
    assert safefile.exchange(journal.data_dir["live"], journal.data_dir["side"])
    (settled,) = exchange.settle(config, Log())
    assert settled.finished
    assert in_service(journal) == ["new"]
    assert os.listdir(journal.data_dir["previous"]) == ["old"]
    assert exchange.settle(config, Log()) == ()


@pytest.mark.parametrize("older", [False, True])
def test_a_death_between_two_renames_is_finished(config, journal, older):
    swapping(config, journal, older)
    os.rename(journal.data_dir["live"], journal.data_dir["previous"])
    (settled,) = exchange.settle(config, Log())
    assert settled.finished
    assert in_service(journal) == ["new"]
    assert os.listdir(journal.data_dir["previous"]) == ["old"]


@pytest.mark.parametrize("older", [False, True])
def test_an_undoing_that_died_is_undone(config, journal, older):
    marked = swapping(config, journal, older)
    swap.directories(**marked.data_dir)
    restores.advance(config.repository, marked, "undoing")
    (settled,) = exchange.settle(config, Log())
    assert not settled.finished
    assert in_service(journal) == ["old"]
    assert not os.path.lexists(journal.data_dir["side"])
    assert not os.path.lexists(journal.data_dir["previous"])


def test_a_failure_after_the_exchange_puts_the_old_state_back(config, journal, monkeypatch):
    monkeypatch.setattr(exchange.smoke, "run", lambda *_arguments: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        exchange.carry_out(config, journal, None, Log())
    assert in_service(journal) == ["old"]
    assert not os.path.lexists(journal.data_dir["side"])
    assert restores.journals(config.repository) == []


def test_a_safety_backup_that_a_finished_rollback_has_loaded_goes_with_it(config, tmp_path, monkeypatch):
    monkeypatch.setattr(exchange.targets, "find", lambda *_arguments: None)
    monkeypatch.setattr(exchange.in_place, "committed", lambda *_arguments: True)
    loaded, kept = tmp_path / "loaded", tmp_path / "kept"
    for directory in (loaded, kept):
        directory.mkdir()
    backup, when = "mirai_database_20261123_020000", "2026-11-24T02:00:00Z"
    first = {"live": "db", "side": "manifest", "previous": str(loaded), "xid": "1"}
    second = {"live": "db", "side": str(loaded), "previous": str(kept), "xid": "2"}
    restores.write(config.repository, Journal("1", "restore", backup, when, "done", first))
    restores.write(config.repository, Journal("2", "rollback", backup, when, "swapping", second, undoes="1"))
    (settled,) = exchange.settle(config, Log())
    assert settled.finished
    assert not loaded.exists()
    assert kept.exists()
