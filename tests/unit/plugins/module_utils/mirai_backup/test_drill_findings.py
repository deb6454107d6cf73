"""drill_findings: a drill passes when every check did; what did not run shows nothing."""

import datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import drill_findings, repository
from mirai_backup.drill_choice import Damaged
from mirai_backup.drill_findings import CHECKS, Findings
from mirai_backup.errors import CouldNotVerifyError, MismatchError

SETTINGS = SimpleNamespace(application="mirai", drill_rto_target=0, drill_rpo_target=0)
LOST = Damaged("mirai_full_20261123_020000", "/backups/full/x.manifest.json", "its digest does not fit")
VERDICTS = ("pass", "fail", "could_not_verify", "not_configured")


def raising(error):
    def act():
        raise error

    return act


@given(st.dictionaries(st.sampled_from(CHECKS), st.sampled_from(VERDICTS)))
def test_one_failure_fails_it_and_one_open_check_leaves_it_open(noted):
    found = Findings()
    for name, verdict in noted.items():
        found.set(name, verdict, "")
    document = found.document(SETTINGS, LOST, [])
    assert [one["name"] for one in document["checks"]] == list(CHECKS)
    if "fail" in noted.values():
        assert document["verdict"] == "fail"
    elif set(noted) == set(CHECKS) and "could_not_verify" not in noted.values():
        assert document["verdict"] == "pass"
    else:
        assert document["verdict"] == "could_not_verify"


def test_a_drill_that_checked_nothing_is_no_pass():
    document = Findings().document(SETTINGS, LOST, [])
    assert document["verdict"] == "could_not_verify"
    assert {one["detail"] for one in document["checks"]} == {"it was not reached"}


def test_a_check_passes_where_nothing_is_raised():
    found = Findings()
    assert found.check("manifest", lambda: None)
    assert found.checks["manifest"]["verdict"] == "pass"
    assert not found.failed()


def test_a_check_that_fails_is_a_difference():
    found = Findings()
    assert not found.check("artifacts", raising(MismatchError("x.tar.gz is damaged")))
    assert (found.checks["artifacts"]["verdict"], found.differences) == ("fail", ["x.tar.gz is damaged"])
    assert found.failed()


def test_a_check_that_could_not_be_made_says_nothing_against_the_backup():
    found = Findings()
    assert not found.check("indexes", raising(CouldNotVerifyError("amcheck is not installed")))
    assert (found.checks["indexes"]["verdict"], found.differences) == ("could_not_verify", [])
    assert not found.failed()


def test_comparisons_are_counted_and_the_first_differences_are_in_the_detail():
    found = Findings()
    found.compared("tables", [], 12, 1.23456)
    assert found.checks["tables"] == {
        "name": "tables",
        "verdict": "pass",
        "detail": "",
        "seconds": 1.235,
        "compared": 12,
    }
    found.compared("files", [f"file {number} differs" for number in range(7)], 9)
    assert found.checks["files"]["detail"].count("differs") == 5
    assert len(found.differences) == 7


def test_a_phase_is_measured_even_when_it_breaks_off():
    found = Findings()
    with pytest.raises(MismatchError), found.phase("restore"):
        raise MismatchError("broken")
    assert found.phases["restore"] >= 0


def test_of_a_damaged_manifest_only_the_name_is_known():
    document = Findings().document(SETTINGS, LOST, [])
    assert (document["backup"], document["rpo_seconds"], document["rto_seconds"]) == (None, None, None)
    assert document["history"][-1]["backup"] == LOST.id
    assert document["targets"] == {"rto_seconds": None, "rpo_seconds": None}


@pytest.mark.parametrize(("kind", "version"), [("full", "15.14"), ("json", None)])
def test_a_backup_is_described_with_its_age(repo, sealed, kind, version):
    sealed(kind, age=datetime.timedelta(hours=2))
    (backup,) = repository.listing(repo).backups
    found = Findings(rto=34.5678)
    document = found.document(SimpleNamespace(**{**vars(SETTINGS), "drill_rto_target": 900}), backup, [])
    assert document["backup"]["id"] == backup.id
    assert document["backup"]["server_version"] == version
    assert document["rpo_seconds"] == pytest.approx(7200, abs=60)
    assert (document["rto_seconds"], document["targets"]["rto_seconds"]) == (34.568, 900)


def test_two_drills_of_one_second_have_different_names():
    started = datetime.datetime(2026, 11, 23, 4, 0, tzinfo=datetime.timezone.utc)
    first = Findings(started=started).document(SETTINGS, LOST, [])
    second = Findings(started=started).document(SETTINGS, LOST, first["history"])
    assert first["id"] != second["id"]
    assert [one["id"] for one in second["history"]] == [first["id"], second["id"]]


def test_the_history_ends_after_five_years_of_months():
    past = [{"id": f"drill_{number}"} for number in range(100)]
    history = Findings().document(SETTINGS, LOST, past)["history"]
    assert (len(history), history[0]["id"]) == (60, "drill_41")


def test_what_was_noted_is_not_overwritten_by_what_was_not_reached():
    found = Findings()
    found.set("manifest", "pass", "")
    found.fill("the disk was full")
    assert found.checks["manifest"]["verdict"] == "pass"
    assert found.checks["restore"]["detail"] == "the disk was full"
    assert set(found.checks) == set(drill_findings.CHECKS)
