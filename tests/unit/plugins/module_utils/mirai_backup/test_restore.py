"""restore: the files of a backup replace those in service, whole or not at all."""

import errno
import json
import os
import socket

import pytest
from mirai_backup import backup, repository, restore, restore_plan, restores, roles, side, target
from mirai_backup.errors import EngineError, Interrupted, MismatchError, NotFoundError, PreflightError, UsageError
from mirai_backup.restore import Request
from stand_in import Answers, Target


@pytest.fixture
def settings(settings_of):
    return settings_of()


@pytest.fixture
def saved(settings, tmp_path):
    """A backup of one file, which somebody has changed since; returns the data directory."""
    data = tmp_path / "app/backend/data"
    (data / "a.json").write_bytes(b"[1]")
    backup.run(settings, "json")
    (data / "a.json").write_bytes(b"[2]")
    (data / "new.json").write_bytes(b"[3]")
    return data


def request(**values) -> Request:
    return Request(**{"components": "json", **values})


def content(directory) -> dict:
    return {name: open(os.path.join(directory, name)).read() for name in sorted(os.listdir(directory))}


def test_what_was_backed_up_is_back_and_what_was_there_is_kept(settings, saved):
    outcome = restore.run(settings, request())
    assert outcome.exit_code == 0
    assert content(saved) == {"a.json": "[1]"}
    assert content(outcome.document["previous"]) == {"a.json": "[2]", "new.json": "[3]"}
    assert outcome.document["proof"] == {"json": {"verdict": "pass", "files": 1}}
    said = "\n".join(outcome.lines)
    assert "1 files proven" in said and "undo with  mirai-backup rollback" in said


def test_the_plan_says_so_and_changes_nothing(settings, saved, contents, tmp_path):
    before = contents(tmp_path)
    document = restore.plan(settings, request()).document["plan"]
    assert (document["files"]["changed"], document["files"]["removed"]) == (["data/a.json"], ["data/new.json"])
    assert (document["database"], document["strategy"], document["foreign"]) == (None, "swap", "")
    assert contents(tmp_path) == before


def test_beside_what_is_in_service(settings, saved, tmp_path):
    outcome = restore.run(settings, request(to_dir=str(tmp_path / "copy")))
    assert content(tmp_path / "copy") == {"a.json": "[1]"}
    assert content(saved) == {"a.json": "[2]", "new.json": "[3]"}
    assert (outcome.document["previous"], outcome.document["strategy"]) == ("", "beside")
    assert restores.journals(settings.repository) == []


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"to_dir": "{tmp}/app"}, UsageError, "is already there"),
        ({"to_dir": "{tmp}/x", "components": "database"}, UsageError, "a place is given for a half"),
        ({"backup": "20200101_000000"}, NotFoundError, "there is no backup 20200101_000000"),
    ],
)
def test_what_cannot_be_done_is_said_beforehand(settings, saved, tmp_path, values, error, words):
    values = {key: value.format(tmp=tmp_path) for key, value in values.items()}
    with pytest.raises(error, match=words):
        restore.run(settings, request(**values))
    assert content(saved) == {"a.json": "[2]", "new.json": "[3]"}


def test_the_older_previous_state_is_let_go(settings, saved):
    first = restore.run(settings, request()).document["previous"]
    second = restore.run(settings, request())
    assert second.document["let_go"] == [first]
    assert not os.path.exists(first) and os.path.exists(second.document["previous"])
    assert f"  let go     {first}" in second.lines


def test_an_older_state_that_cannot_be_let_go_does_not_undo_the_restore(settings, saved, monkeypatch):
    def fail(*_arguments):
        raise EngineError("the disk does not answer")

    monkeypatch.setattr(restore.exchange, "let_go", fail)
    outcome = restore.run(settings, request())
    assert outcome.exit_code == 3
    assert "could not be let go: the disk does not answer" in outcome.lines[-1]
    assert content(saved) == {"a.json": "[1]"}


def test_files_that_came_out_otherwise_are_never_put_into_service(settings, saved, monkeypatch):
    monkeypatch.setattr(restore.filesproof, "differences", lambda *_arguments: ["data/a.json is missing"])
    with pytest.raises(MismatchError, match="not what was backed up: data/a.json is missing"):
        restore.run(settings, request())
    assert content(saved) == {"a.json": "[2]", "new.json": "[3]"}
    assert restores.journals(settings.repository) == []
    assert sorted(os.listdir(saved.parent)) == ["backups", "data"]


def test_a_failure_is_in_the_log_of_what_was_done(settings, saved, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device", "/somewhere")

    monkeypatch.setattr(side, "unpack", full)
    with pytest.raises(EngineError, match="/somewhere: No space left on device"):
        restore.run(settings, request())
    with open(os.path.join(settings.repository, "backup_metadata.log")) as file:
        last = json.loads(file.read().splitlines()[-1])
    assert (last["verb"], last["result"]) == ("restore", "failed")


def test_an_interrupt_says_how_to_go_on(settings, saved, monkeypatch):
    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(side, "unpack", interrupt)
    with pytest.raises(Interrupted) as caught:
        restore.run(settings, request())
    assert caught.value.next_step == "run it again; it settles what was left"
    assert content(saved) == {"a.json": "[2]", "new.json": "[3]"}


def killed_before_it_said_done(settings, monkeypatch):
    """A restore that dies when both halves are swapped and the journal does not say so yet."""

    class Death(BaseException):
        pass

    def die(repository_, journal, state):
        if state == "done":
            raise Death
        return advance(repository_, journal, state)

    advance = restores.advance
    with monkeypatch.context() as patch:
        patch.setattr(restores, "advance", die)
        with pytest.raises(Death):
            restore.run(settings, request())


def test_a_restore_that_died_while_it_swapped_is_finished_and_not_done_twice(settings, saved, monkeypatch):
    killed_before_it_said_done(settings, monkeypatch)
    outcome = restore.run(settings, request())
    assert content(saved) == {"a.json": "[1]"}
    assert len(restores.kept(settings.repository)) == 1
    assert outcome.document["strategy"] == "finished"
    assert "is restored and proven" in "\n".join(outcome.lines)


def test_one_that_was_finished_and_changed_since_is_restored_once_more(settings, saved, monkeypatch):
    killed_before_it_said_done(settings, monkeypatch)
    (saved / "a.json").write_bytes(b"[9]")
    assert restore.run(settings, request()).document["strategy"] == "swap"
    assert content(saved) == {"a.json": "[1]"}


def test_another_hosts_backup_takes_a_confirmation(settings, saved, monkeypatch):
    one = repository.listing(settings.repository).backups[0]
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    with pytest.raises(PreflightError, match="was made elsewhere: host .* this is elsewhere") as caught:
        restore.run(settings, request())
    assert f"--confirm {one.id}@elsewhere" in caught.value.next_step
    restore.run(settings, request(confirm=f"{one.id}@elsewhere"))
    assert content(saved) == {"a.json": "[1]"}


def test_nothing_to_lose_needs_no_confirmation(settings, saved, monkeypatch):
    for one in saved.iterdir():
        one.unlink()
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    restore.run(settings, request())
    assert content(saved) == {"a.json": "[1]"}


def test_too_little_space_is_found_out_beforehand(settings, saved, monkeypatch):
    monkeypatch.setattr(restore_plan, "_space", lambda *_arguments: (10**9, 10**6))
    with pytest.raises(PreflightError, match=r"needs about 1.0 GB, but 1.0 MB are free"):
        restore.run(settings, request())


def test_a_mount_point_cannot_be_swapped(settings, saved, monkeypatch):
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(saved))
    with pytest.raises(PreflightError, match="is a mount point, which cannot be swapped") as caught:
        restore.run(settings, request())
    assert "--to-dir" in caught.value.next_step


def test_nor_can_one_of_the_same_file_system(settings, saved, monkeypatch, tmp_path):
    mounts = tmp_path / "mountinfo"
    escaped = str(saved).replace("a", "\\141")
    mounts.write_text(f"22 1 254:1 / / rw - ext4 /dev/vda rw\n30 22 254:1 /x {escaped} rw - ext4 /dev/vda rw\n")
    monkeypatch.setattr(restore_plan, "_MOUNTS", str(mounts))
    with pytest.raises(PreflightError, match="is a mount point, which cannot be swapped"):
        restore.run(settings, request())
    monkeypatch.setattr(restore_plan, "_MOUNTS", str(tmp_path / "none"))
    assert restore.run(settings, request()).exit_code == 0


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EBUSY])
def test_a_directory_that_cannot_be_renamed_is_said_to_be_one(settings, saved, monkeypatch, number):
    def refuse(one, other):
        raise OSError(number, os.strerror(number), one, None, other)

    monkeypatch.setattr(restore.exchange.swap.safefile, "exchange", refuse)
    with pytest.raises(EngineError) as caught:
        restore.run(settings, request())
    assert str(saved) in caught.value.message and "cannot be renamed: use --to-dir" in caught.value.next_step
    assert content(saved) == {"a.json": "[2]", "new.json": "[3]"}


@pytest.fixture
def plan_of(settings, sealed, monkeypatch):
    """Plans the restore of a full backup onto a stand-in for the server."""
    sealed("full")

    def plan(place, **values):
        monkeypatch.setattr(target, "find", lambda _config, _database="": place)
        return restore_plan.make(settings, Request(**values))

    return plan


def test_everything_the_server_lacks_is_named_at_once(plan_of, monkeypatch):
    monkeypatch.setattr(target, "missing", lambda *_arguments: ["extension x is not installed"])
    monkeypatch.setattr(roles, "missing", lambda *_arguments: ("app",))
    place = Target(answers=Answers({"rolcreaterole": [{"may": False}], "pg_stat_activity": [{"n": 4}]}))
    plan = plan_of(place)
    assert plan.missing == (
        "extension x is not installed",
        "role app is not there, and postgres may not create roles",
    )
    assert plan.connections == 4
    with pytest.raises(PreflightError, match="cannot be restored whole here: extension x is not installed; role app"):
        restore_plan.preflight(plan, "")


def test_a_database_is_never_made_over_another(plan_of):
    with pytest.raises(UsageError, match="database copy is already there"):
        plan_of(Target(), to_database="copy")


def test_where_nothing_is_kept_no_way_back_is_promised(settings_of, settings, saved):
    outcome = restore.run(settings_of(keep_previous=0), request())
    assert outcome.document["let_go"] == [outcome.document["previous"]]
    assert not any("undo with" in line for line in outcome.lines)


def test_a_record_that_cannot_be_written_does_not_undo_the_restore(settings, saved, monkeypatch):
    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(restore.records, "append", fail)
    outcome = restore.run(settings, request())
    assert outcome.exit_code == 3 and "backup_metadata.log was not written: No space left" in outcome.lines[-1]
    assert content(saved) == {"a.json": "[1]"}


def test_a_journal_that_cannot_be_marked_as_done_does_not_undo_the_restore(settings, saved, full_at):
    with full_at("done"):
        outcome = restore.run(settings, request())
    assert (outcome.exit_code, content(saved)) == (3, {"a.json": "[1]"})
    assert "could not be marked as done" in outcome.document["incomplete"][0]
    assert restore.run(settings, request()).document["strategy"] == "finished"


def test_a_newer_backup_that_is_not_whole_is_not_passed_by_in_silence(settings, saved):
    saved.joinpath("a.json").write_text("[3]")
    newer = backup.run(settings, "json").document["backup"]
    os.truncate(newer["path"], 1)
    outcome = restore.run(settings, request())
    (note,) = outcome.document["notes"]
    assert note.startswith(f"passed by {newer['id']}, which is newer and not whole: ")
    assert note.endswith(f" has 1 bytes instead of {newer['size']}")
    assert content(saved) == {"a.json": "[1]"}
