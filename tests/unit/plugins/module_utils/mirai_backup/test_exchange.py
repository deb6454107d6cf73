"""exchange: a journal whose run died is settled by what is found, not by what was meant."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from mirai_backup import exchange, restores, safefile, swap
from mirai_backup.errors import EngineError
from mirai_backup.restores import Journal
from stand_in import Answers, Target


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


def test_in_place_the_transaction_decides_also_where_the_files_were_swapped(config, journal, monkeypatch):
    monkeypatch.setattr(exchange.in_place, "committed", lambda *_arguments: False)
    safety = os.path.join(config.repository, "safety")
    os.mkdir(safety)
    names = {"live": "db", "side": "manifest", "previous": safety, "xid": "7", "system": "1"}
    monkeypatch.setattr(exchange.targets, "find", lambda *_arguments: Target())
    marked = swapping(config, replace(journal, database=names), older=False)
    swap.directories(**marked.data_dir)
    (settled,) = exchange.settle(config, Log())
    assert not settled.finished
    assert in_service(journal) == ["old"]
    assert restores.journals(config.repository) == []


class Names:
    """A server that is only the names of its databases: what renames and drops do to them is done."""

    def __init__(self, *names):
        self.names = set(names)
        self.place = Target(
            answers=Answers({"FROM pg_database": self._ask, "RENAME": self._rename, "DROP": self._drop})
        )

    def _ask(self, sql):
        return [{"one": 1}] if re.search(r"datname = '(\w+)'", sql).group(1) in self.names else []

    def _rename(self, sql):
        for old, new in re.findall(r'"(\w+)" RENAME TO "(\w+)"', sql):
            self.names.remove(old)
            self.names.add(new)
        return []

    def _drop(self, sql):
        self.names.discard(re.search(r'"(\w+)"', sql).group(1))
        return []


@pytest.fixture
def of_database(config, monkeypatch):
    """A journal of the database alone, and its server: ``of_database("restore", "db", "db_side")``."""

    def make(verb, *there, previous="db_before", state="begun"):
        server = Names(*there)
        monkeypatch.setattr(exchange.targets, "find", lambda *_arguments: server.place)
        names = {"live": "db", "side": "db_side", "previous": previous}
        made = Journal("20261124_020000", verb, "mirai_db_20261123_020000", "2026-11-24T02:00:00Z", state, names)
        return server, restores.write(config.repository, made)

    return make


def test_databases_are_swapped_by_name(config, of_database):
    server, journal = of_database("restore", "db", "db_side")
    done, _window = exchange.carry_out(config, journal, server.place, Log())
    assert (server.names, done.state) == ({"db", "db_before"}, "done")


def test_a_failing_smoke_test_swaps_them_back(config, of_database, monkeypatch):
    server, journal = of_database("restore", "db", "db_side")
    monkeypatch.setattr(exchange.smoke, "run", lambda *_arguments: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        exchange.carry_out(config, journal, server.place, Log())
    assert server.names == {"db"}
    assert restores.journals(config.repository) == []


@pytest.mark.parametrize(("there", "previous", "words"), [((), "db_before", "taken away"), (("db",), "", "made")])
def test_a_database_that_came_or_went_meanwhile_stops_the_swap(config, of_database, there, previous, words):
    server, journal = of_database("restore", "db_side", *there, previous=previous)
    with pytest.raises(EngineError, match=f"database db was {words} during the restore") as caught:
        exchange.carry_out(config, journal, server.place, Log())
    assert "nothing was swapped" in caught.value.next_step
    assert server.names == set(there)


def test_a_directory_that_went_meanwhile_stops_the_swap(config, journal):
    os.rename(journal.data_dir["live"], journal.data_dir["live"] + "_moved")
    with pytest.raises(EngineError, match="directory .* was taken away during the restore"):
        exchange.carry_out(config, journal, None, Log())


@pytest.mark.parametrize(
    ("there", "finished", "left"),
    [(("db", "db_side"), False, {"db"}), (("db", "db_before"), True, {"db", "db_before"})],
)
def test_a_dead_swap_of_databases_is_settled_by_what_is_there(config, of_database, there, finished, left):
    server, _journal = of_database("restore", *there, state="swapping")
    (settled,) = exchange.settle(config, Log())
    assert (settled.finished, server.names) == (finished, left)
    said = str(settled)
    assert ("mirai-backup rollback undoes it" in said) if finished else ("the old state is in service" in said)


def test_a_copy_that_died_while_it_was_named_is_finished_and_forgotten(config, of_database):
    server, _journal = of_database("copy", "db", previous="", state="swapping")
    (settled,) = exchange.settle(config, Log())
    assert settled.finished and str(settled).endswith("it is finished now")
    assert (server.names, restores.journals(config.repository)) == ({"db"}, [])


def test_a_copy_gets_the_name_that_was_chosen(config, of_database):
    server, journal = of_database("copy", "db_side", previous="")
    exchange.copied(config, journal, server.place)
    assert (server.names, restores.journals(config.repository)) == ({"db"}, [])


def test_a_rollback_into_nothing_takes_the_database_out_of_service(config, monkeypatch):
    server = Names("db")
    names = {"live": "db", "side": "", "previous": "db_before"}
    journal = restores.write(
        config.repository, Journal("1", "rollback", "mirai_db_x", "2026-11-24T02:00:00Z", "begun", names)
    )
    exchange.carry_out(config, journal, server.place, Log())
    assert server.names == {"db_before"}


@pytest.mark.parametrize("in_place", [False, True])
def test_an_older_state_is_let_go_of(config, tmp_path, monkeypatch, in_place):
    server = Names("db", "db_before_1", "db_before_2")
    monkeypatch.setattr(exchange.targets, "find", lambda *_arguments: server.place)
    config.keep_previous = 1
    for number in (1, 2):
        previous = str(tmp_path / f"safety{number}") if in_place else f"db_before_{number}"
        if in_place:
            os.mkdir(previous)
        names = {"live": "db", "side": "x", "previous": previous, **({"xid": "1"} if in_place else {})}
        when = f"2026-11-24T02:00:0{number}Z"
        restores.write(config.repository, Journal(str(number), "restore", "mirai_db_x", when, "done", names))
    gone = exchange.let_go(config, None, Log())
    assert len(gone) == 1
    if in_place:
        assert not (tmp_path / "safety1").exists() and (tmp_path / "safety2").exists()
    else:
        assert server.names == {"db", "db_before_2"}


def test_a_full_disk_does_not_keep_the_old_state_away(config, journal, monkeypatch, full_at):
    monkeypatch.setattr(exchange.smoke, "run", lambda *_arguments: 1 // 0)
    with full_at("undoing"), pytest.raises(ZeroDivisionError):
        exchange.carry_out(config, journal, None, Log())
    assert in_service(journal) == ["old"]


def test_a_journal_that_cannot_be_marked_as_done_undoes_nothing_and_is_settled_later(config, journal, full_at):
    log = Log()
    with full_at("done"):
        done, _window = exchange.carry_out(config, journal, None, log)
    assert in_service(journal) == ["new"]
    assert any("cannot be marked as done: [Errno 28] No space left on device" in one for one in log.said)
    assert exchange.unrecorded(done)[0].startswith(f"journal {journal.id} could not be marked as done; the next")
    (settled,) = exchange.settle(config, log)
    assert settled.finished and in_service(journal) == ["new"]
    (left,) = restores.journals(config.repository)
    assert exchange.unrecorded(left) == []
