"""backup: both halves out of one instant, sealed only when all of it is there."""

import json
import os

import pytest
from fake_postgresql import PROPERTIES, SERVER
from mirai_backup import archive, backup, drill, harvest, jsoncheck, plan, repository, restore, rollback, verify
from mirai_backup.errors import DatabaseError, EngineError, Interrupted, PreflightError
from mirai_backup.restore import Request

URL = "postgresql://app:hunter2@localhost/mirai"


@pytest.fixture
def settings(settings_of, postgresql, tmp_path):
    """A configuration with a database, whose server is a stand-in, and one file."""
    (tmp_path / "app/backend/data/a.json").write_bytes(b"[1]")
    (tmp_path / "drills").mkdir()
    return settings_of(
        database_url=URL,
        admin_url=URL,
        pg_bindir=postgresql.bindir,
        lock_timeout=5,
        drill_dir=str(tmp_path / "drills"),
        drill_user="root",
    )


def only(settings):
    (found,) = repository.listing(settings.repository).backups
    return found


def test_a_full_backup_holds_dump_roles_and_files(settings):
    outcome = backup.run(settings, "full")
    head = only(settings).manifest
    assert (outcome.exit_code, head.kind) == (0, "full")
    assert [one.role for one in head.members] == ["database", "globals", "json"]
    assert head.database["fingerprint"]["tables"] == {"public.t": {"rows": 3, "digest": "71"}}
    assert head.database["fingerprint"]["sequences"]["public.t_id_seq"]["high"] == 3
    assert (head.database["roles"], head.database["properties"]) == (["app"], PROPERTIES)
    assert head.files["count"] == 1
    assert verify.run(settings).exit_code == 0


def test_what_moves_while_it_is_read_is_kept_still(settings, postgresql):
    backup.run(settings, "database")
    said = postgresql.said()
    assert 'LOCK TABLE ONLY "public"."t" IN ACCESS SHARE MODE' in said
    assert said.count("s.is_called") == 2


def test_without_a_fingerprint_there_is_none(settings_of, settings):
    backup.run(type(settings)(**{**vars(settings), "fingerprint": "off"}), "database")
    assert only(settings).manifest.database["fingerprint"] is None


def nothing_is_left(settings) -> bool:
    return not repository.listing(settings.repository).backups and not os.listdir(f"{settings.repository}/.staging")


def test_a_dump_that_fails_is_no_backup(settings, postgresql):
    postgresql.client("pg_dump", "echo no >&2; exit 1")
    with pytest.raises(EngineError, match="pg_dump exited with status 1"):
        backup.run(settings, "full")
    assert nothing_is_left(settings)
    with open(f"{settings.repository}/backup_metadata.log") as log:
        assert json.loads(log.read().splitlines()[-1])["result"] == "failed"


@pytest.mark.parametrize(
    ("answers", "error", "message", "hint"),
    [
        ({"IN ACCESS SHARE": "lock timeout: LOCK TABLE ONLY public.t IN ACCESS SHARE MODE"},
         DatabaseError, "table public.t stayed locked for 5 s", "pg_locks"),
        ({"IN ACCESS SHARE": "permission denied for table t"}, DatabaseError, "permission denied", "grant the role"),
        ({"IN ACCESS SHARE": "query would be affected by row-level security policy"}, DatabaseError, "row-level",
         "BYPASSRLS"),
        ({"count(*)": "could not read block 7"}, DatabaseError, "could not read block 7", "server's message"),
        ({"pg_control_system": "could not connect"}, DatabaseError, "could not connect", "start the server"),
    ],
)  # fmt: skip
def test_what_the_server_refuses_is_named_with_the_next_step(settings, postgresql, answers, error, message, hint):
    postgresql.answer(**answers)
    with pytest.raises(error) as caught:
        backup.run(settings, "database")
    assert message in caught.value.message
    assert hint in caught.value.next_step
    assert "hunter2" not in caught.value.words
    assert nothing_is_left(settings) if os.path.isdir(settings.repository) else True


@pytest.mark.parametrize(
    ("facts", "warning"),
    [
        ({"is_superuser": False}, "app is no superuser"),
        ({"is_superuser": True}, None),
    ],
)
def test_roles_without_their_passwords_are_warned_of(settings, postgresql, facts, warning):
    postgresql.answer(pg_control_system=[{**SERVER, **facts}])
    backup.run(settings, "database")
    warnings = only(settings).manifest.warnings
    assert (f"roles are backed up without their passwords: {warning}" in warnings) is (warning is not None)


def test_the_plan_of_a_backup(settings, postgresql):
    document = plan.run(settings, "full").document["plan"]
    assert document["database"]["server_version"] == document["database"]["client_version"] == "15.14"
    assert document["estimated_bytes"] == 1003
    assert "hunter2" not in json.dumps(document)
    backup.run(settings, "full")
    assert plan.run(settings, "full").document["plan"]["estimated_bytes"] == only(settings).head.size
    assert any(line.startswith("versions    server 15.14, client 15.14") for line in plan.run(settings, "full").lines)


@pytest.mark.parametrize(
    ("used", "free", "estimated"),
    [
        pytest.param(5_000, 100 << 20, 0, id="room for all that is on the disk"),
        pytest.param(90 << 20, 100 << 20, 1003, id="room for what the directory holds"),
    ],
)
def test_the_files_of_a_first_backup_are_looked_at_where_room_may_be_short(
    settings, postgresql, monkeypatch, used, free, estimated
):
    monkeypatch.setattr(plan, "_used", lambda _path: used)
    monkeypatch.setattr(plan, "_free", lambda _path: free)
    made = plan.make(settings, "full")
    assert made.estimated_bytes == estimated
    assert 16 << 20 < made.needed_bytes < free


def test_an_older_client_does_not_do(settings, postgresql):
    postgresql.answer(pg_control_system=[{**SERVER, "version": "17.1", "version_num": 170001}])
    with pytest.raises(PreflightError, match=r"pg_dump 15.14 .* is older than the server, PostgreSQL 17.1") as caught:
        plan.run(settings, "database")
    assert "postgresql-client-17" in caught.value.next_step


def test_no_client_at_all_is_said(settings, postgresql):
    os.unlink(f"{postgresql.bindir}/psql")
    with pytest.raises(PreflightError, match="pg_dump: command not found in"):
        plan.run(settings, "database")


def test_a_client_that_does_not_run_is_none(settings, postgresql):
    postgresql.program("pg_dump", "exit 1")
    with pytest.raises(PreflightError, match="command not found"):
        plan.run(settings, "database")


def test_a_full_disk_is_found_out_beforehand(settings, monkeypatch):
    monkeypatch.setattr(plan, "_free", lambda _path: 10)
    with pytest.raises(PreflightError, match="has 10 B free, but the backup needs about") as caught:
        backup.run(settings, "full")
    assert "prune --dry-run" in caught.value.next_step


def test_an_interrupt_leaves_nothing(settings, monkeypatch):
    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(harvest.database, "dump", interrupt)
    with pytest.raises(Interrupted):
        backup.run(settings, "full")
    assert nothing_is_left(settings)


def test_restored_swapped_and_swapped_back(settings, postgresql, tmp_path):
    backup.run(settings, "full")
    (tmp_path / "app/backend/data/a.json").write_bytes(b"[2]")
    outcome = restore.run(settings, Request())
    assert outcome.document["proof"]["database"] == {
        "verdict": "pass",
        "tables": 1,
        "rows": 3,
        "schema_differences": [],
    }
    assert (tmp_path / "app/backend/data/a.json").read_bytes() == b"[1]"
    said = postgresql.said()
    assert 'CREATE DATABASE "mirai_restore_' in said
    assert 'ALTER DATABASE "mirai" RENAME TO "mirai_before_' in said
    assert any("1 tables, 3 rows proven" in one for one in outcome.lines)
    rollback.run(settings)
    assert (tmp_path / "app/backend/data/a.json").read_bytes() == b"[2]"


def test_other_content_than_was_backed_up_is_never_swapped_in(settings, postgresql):
    backup.run(settings, "database")
    postgresql.answer(**{"SELECT count(*) AS rows": [{"rows": 2, "digest": "5"}]})
    with pytest.raises(EngineError, match="table public.t has 2 rows instead of 3"):
        restore.run(settings, Request(components="database"))
    said = postgresql.said()
    assert "RENAME TO" not in said
    assert 'DROP DATABASE IF EXISTS "mirai_restore_' in said


def test_drilled_on_a_throwaway_server(settings, postgresql):
    backup.run(settings, "full")
    postgresql.answer(**{"name = 'amcheck'": [{"one": 1}]})
    outcome = drill.run(settings)
    assert (outcome.exit_code, outcome.document["verdict"]) == (0, "pass"), outcome.lines
    assert outcome.document["place"] == {"kind": "throwaway", "server_version": "15.14"}


@pytest.fixture
def vouching(monkeypatch):
    """The manifests that backups took the files for checked by."""
    found = []
    archiver = archive.Archiver
    monkeypatch.setattr(archive, "Archiver", lambda *values: found.append(values[2]) or archiver(*values))
    return found


def test_what_the_newest_backup_found_whole_is_not_checked_again(settings, vouching):
    for kind in ("full", "json", "database", "json"):
        backup.run(settings, kind)
    full, json_one, _database = repository.listing(settings.repository).backups[:3]
    assert vouching == ["", full.manifest_path, json_one.manifest_path]


def test_a_backup_that_found_a_torn_file_vouches_for_none(settings, vouching):
    with open(f"{settings.data_dir}/torn.json", "w") as file:
        file.write("{")
    backup.run(settings, "json")
    backup.run(settings, "json")
    assert vouching == ["", ""]


@pytest.mark.parametrize("rule", [0, None])
def test_a_backup_checked_by_another_rule_or_none_vouches_for_nothing(settings, vouching, monkeypatch, rule):
    with monkeypatch.context() as earlier:
        earlier.setattr(jsoncheck, "RULE", rule)
        backup.run(settings, "json")
    backup.run(settings, "json")
    assert vouching == ["", ""]


def test_a_damaged_manifest_vouches_for_nothing(settings, vouching):
    backup.run(settings, "json")
    with open(only(settings).manifest_path, "a") as file:
        file.write("x")
    assert backup.run(settings, "json").exit_code == 0
    assert vouching[0] == ""


def test_what_retention_cannot_do_leaves_the_backup_good(settings, monkeypatch):
    def fail(*_arguments):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(backup.prune, "apply", fail)
    outcome = backup.run(settings, "json")
    assert outcome.exit_code == 3
    assert any("incomplete: retention was not carried out" in one for one in outcome.lines)
    assert not only(settings).problem


def test_what_a_dead_run_left_is_swept_and_said(settings):
    backup.run(settings, "json")
    os.makedirs(f"{settings.repository}/.staging/run-dead")
    backup.run(settings, "json")
    with open(settings.log) as log:
        assert "swept debris of a dead run" in log.read()


def test_a_disk_that_fills_up_names_the_file_and_what_helps(settings, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device", "/backups/x")

    monkeypatch.setattr(backup.seal, "publish", full)
    with pytest.raises(EngineError, match="/backups/x: No space left on device") as caught:
        backup.run(settings, "json")
    assert "free space" in caught.value.next_step


def test_the_plan_is_not_made_where_a_backup_could_not_be(settings, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for values, words in (
        ({"repository": str(file / "x")}, "is not a directory"),
        ({"data_dir": str(tmp_path / "none")}, "cannot be read: No such file"),
    ):
        with pytest.raises(PreflightError, match=words):
            plan.run(type(settings)(**{**vars(settings), **values}), "json")


def test_retention_does_not_hang_on_what_people_read(settings, monkeypatch):
    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup.records, "write_latest", fail)
    monkeypatch.setattr(backup.prune, "apply", lambda *_arguments: ["an old one"])
    outcome = backup.run(settings, "json")
    assert (outcome.exit_code, outcome.document["pruned"]) == (3, ["an old one"])
    assert outcome.document["incomplete"] == ["LATEST_BACKUP.txt was not written: No space left on device"]
