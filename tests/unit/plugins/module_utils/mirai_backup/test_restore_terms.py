"""restore_terms: what a restore is going to do, in words and by name."""

import datetime
import socket
from dataclasses import replace

import pytest
from mirai_backup import repository
from mirai_backup.restore_terms import RestorePlan
from stand_in import Target


@pytest.fixture
def backup(repo, sealed):
    """A full backup, two hours old."""
    sealed("full", age=datetime.timedelta(hours=2))
    return repository.listing(repo).backups[0]


@pytest.fixture
def plan(backup):
    """Makes a plan of replacing both halves, but for the values given."""

    def make(**values):
        usual = {
            "backup": backup,
            "strategy": "swap",
            "database": Target(),
            "directory": "/srv/data",
            "uncounted": "",
            "tables": ({"table": "a", "now": 3, "backup": 3}, {"table": "b", "now": None, "backup": 5}),
            "files": {"added": ["n.json"], "changed": [], "removed": []},
            "missing": (),
            "missing_roles": (),
            "foreign": "",
            "connections": 4,
            "lets_go": (),
            "strangers": (),
            "needed_bytes": 10**6,
            "free_bytes": 10**9,
            "expected_seconds": None,
            "keeps": 1,
            "previous": "database mirai_before_x and /srv/data_before_x",
        }
        return RestorePlan(**{**usual, **values})

    return make


def text(plan) -> str:
    return "\n".join(plan.lines())


def test_the_plan_of_a_replacement(plan):
    said = text(plan())
    assert "2 h old, made on host.example" in said
    assert "replaces mirai; 4 connections will be ended" in said
    assert "server 15.14, backup of 15.14, pg_restore 15.14" in said
    assert "b: no rows now, 5 in the backup" in said
    assert "  a:" not in said
    assert "/srv/data: 1 added, 0 changed, 0 removed" in said and "added: n.json" in said
    assert "1.0 MB needed, 1.0 GB free" in said
    assert "not known before a drill has passed" in said
    assert "the present state will be database mirai_before_x" in said
    assert "undo with  mirai-backup rollback" in said


def test_what_is_newer_and_not_whole_is_named(plan):
    assert "passed by  mirai_full_x, which is newer" in text(plan(passed_over=("mirai_full_x, which is newer",)))


def test_beside_nothing_is_kept_or_undone(plan):
    one = plan(strategy="beside", database=replace(Target(), live="copy", exists=False), previous="")
    assert not one.replaces
    assert "creates copy" in text(one)
    assert "undo with" not in text(one) and "\nbefore " not in text(one)


def test_what_happens_to_the_present_state(plan):
    assert "nothing is there that would be replaced" in text(plan(previous=""))
    assert "will be deleted in the end: keep_previous is 0, no rollback" in text(plan(keeps=0))
    assert "lets go    mirai_before_y, kept by an earlier restore" in text(plan(lets_go=("mirai_before_y",)))


def test_many_files_are_counted_and_the_first_named(plan):
    said = text(plan(files={"removed": [f"{number}.json" for number in range(25)]}))
    assert "removed: 19.json" in said
    assert "removed: 20.json" not in said
    assert "… and 5 more removed" in said


def test_whatever_stands_in_the_way_is_said(plan, backup):
    said = text(
        plan(
            missing=("extension x is not installed",),
            missing_roles=("app",),
            foreign="was made elsewhere",
            strangers=("mirai (number 999)",),
            uncounted="locked",
            expected_seconds=35.0,
        )
    )
    for words in (
        "missing    extension x is not installed",
        "creates    role app",
        "no account mirai (number 999): its files keep the number",
        f"confirm    {backup.id}@{socket.gethostname()}",
        "the rows of now could not be counted: locked",
        "about 35 s, as the last drill took",
    ):
        assert words in said


def test_an_encrypted_backup_names_whose_key_it_takes(plan, backup):
    backup.__dict__["manifest"] = replace(backup.manifest, encryption={"recipients": ["A" * 40]})
    assert f"encrypted  to {'A' * 40}; takes one of their private keys" in text(plan())


def test_a_half_that_stays_is_not_spoken_of(plan):
    one = plan(database=None, directory="", tables=())
    assert "database   " not in text(one) and "files      " not in text(one)
    document = one.document()
    assert (document["database"], document["server_version"], document["directory"]) == (None, None, None)


def test_as_a_document(plan, backup):
    document = plan().document()
    assert document["backup"]["id"] == backup.id
    assert (document["database"], document["database_exists"], document["client_version"]) == ("mirai", True, "15.14")
    assert document["files"]["added"] == ["n.json"]


def test_names_of_both_halves(settings_of, plan, tmp_path):
    config = settings_of()
    live = tmp_path / "app/backend/data"
    database, files = plan(directory=str(live)).names(config, "20261124_020000")
    assert database == {
        "live": "mirai", "side": "mirai_restore_20261124_020000", "previous": "mirai_before_20261124_020000",
    }  # fmt: skip
    assert files["previous"] == f"{live}_before_20261124_020000"
    live.rmdir()
    fresh = plan(directory=str(live), database=replace(Target(), exists=False)).names(config, "x")
    assert [half["previous"] for half in fresh] == ["", ""]
    assert plan(directory="", database=None).names(config, "x") == (None, None)


def test_within_itself_a_database_comes_from_the_backup_and_goes_to_a_safety_backup(settings_of, plan, backup):
    database, _files = plan(database=replace(Target(), in_place=True)).names(settings_of(), "20261124_020000")
    assert database["side"] == backup.manifest_path
    assert database["previous"].endswith("/.before/20261124_020000")
    assert database["xid"] == ""
