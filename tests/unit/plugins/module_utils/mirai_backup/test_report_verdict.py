"""report_verdict.py: the sentence at the top claims what was compared, and nothing more."""

import pytest
from drill_documents import failing, passing, unverified
from mirai_backup import report_verdict
from parsed_page import Page


def proven(drill: dict) -> str:
    return " ".join(one.en for one in report_verdict.proven(drill))


def text(markup: str) -> str:
    return Page(markup).text


def test_a_full_backup():
    assert proven(passing()) == "2 tables, 1,245 rows and 3 files are exactly what the snapshot held."


def test_files_alone():
    drill = passing()
    drill["backup"]["kind"], drill["tables"] = "json", []
    drill["checks"][7]["compared"] = 1
    assert proven(drill) == "1 file is exactly what the snapshot held."


def test_counted_rows_are_not_called_content():
    drill = passing()
    for table in drill["tables"]:
        table.update(expected_digest="", found_digest="")
    assert proven(drill).startswith(
        "2 tables hold as many rows as in the snapshot (1,245 rows). Only rows were counted"
    )
    assert proven(drill).endswith("3 files are exactly what the snapshot held.")


def test_a_database_without_fingerprint_is_not_called_empty():
    drill = passing()
    drill["backup"]["kind"], drill["tables"] = "database", []
    for index in (3, 7):
        drill["checks"][index].update(verdict="not_configured", compared=None)
    assert proven(drill) == "The backup was restored without an error. The content of the database was not compared."


def test_an_empty_source():
    drill = passing()
    drill["tables"] = []
    drill["checks"][3]["compared"] = drill["checks"][7]["compared"] = 0
    assert proven(drill) == "The source was empty, and so is what was restored."


def test_nothing_compared_is_never_called_empty():
    drill = passing()
    drill.update(backup=None, checks=[], tables=[])
    assert proven(drill) == "Nothing was compared, so nothing is proven."


def test_differences_are_shown_whatever_the_verdict():
    assert "one too many" in text(report_verdict.findings(dict(passing(), differences=["one too many"])))


def test_a_failed_drill():
    assert proven(failing()) == "What was restored is not what the snapshot held: 1 difference."


def test_a_backup_that_fails_before_it_is_restored():
    drill = failing()
    drill["checks"][1]["verdict"] = "fail"
    assert proven(drill) == "The backup is not what its manifest says: 1 difference."


def test_a_missed_control_is_named():
    drill = passing()
    drill["verdict"] = drill["checks"][10]["verdict"] = "fail"
    assert proven(drill).startswith("The drill failed its own control")


def test_failing_checks_are_named():
    drill = passing()
    drill["verdict"] = drill["checks"][8]["verdict"] = drill["checks"][9]["verdict"] = "fail"
    assert proven(drill) == "This backup did not pass: Indexes and storage and Assertions."


@pytest.mark.parametrize("verdict", ["could_not_verify", "not_configured"])
def test_without_a_verdict_nothing_is_proven(verdict):
    assert proven(dict(passing(), verdict=verdict)).startswith("Nothing is proven.")


def test_a_restore_that_failed_is_not_called_a_difference():
    drill = dict(passing(), verdict="fail", differences=["pg_restore: out of memory"])
    drill["checks"][2]["verdict"] = "fail"
    assert proven(drill) == "The backup could not be restored."


def test_an_assertion_that_fails_does_not_deny_the_snapshot():
    drill = dict(passing(), verdict="fail", differences=["newest row: found f, expected t"])
    drill["checks"][9]["verdict"] = "fail"
    assert proven(drill) == "This backup did not pass: Assertions."


def test_a_failed_drill_without_a_failed_check():
    assert proven(dict(passing(), verdict="fail")) == "This backup did not pass: the drill as a whole."


def test_findings_name_places_first_and_say_everything_once():
    drill = failing()
    drill["checks"][8].update(verdict="fail", detail="pg_amcheck broke off")
    shown = text(report_verdict.findings(drill))
    assert shown.count("has 1203 rows instead of 1204") == 1
    assert shown.index("has 1203 rows instead of 1204") < shown.index("pg_amcheck broke off")
    assert text(report_verdict.findings(unverified())).count("no server to drill on") == 1
    assert report_verdict.findings(passing()) == ""


def test_many_differences_are_folded_up_and_counted():
    drill = dict(failing(), differences=[f"place {index}." for index in range(1500)])
    shown = text(report_verdict.findings(drill))
    assert "Show 1,480 more" in shown
    assert "and 500 more" in shown
    assert "place 999." in shown
    assert "place 1000." not in shown


def test_checks_that_did_not_run_are_not_counted_as_passed():
    shown = text(report_verdict.tiles(unverified()))
    assert "2 of 11" in shown
    assert "9 not run" in shown


@pytest.mark.parametrize(
    ("measured", "target", "words"),
    [
        (900, 900, "within the target of 15 min"),
        (901, 900, "over the target of 15 min"),
        (5, None, "no target set"),
        (None, 900, "not measured"),
    ],
)
def test_rto_against_its_target(measured, target, words):
    drill = passing()
    drill["rto_seconds"], drill["targets"] = measured, {"rto_seconds": target, "rpo_seconds": 86400}
    assert words in text(report_verdict.tiles(drill))


def test_some_more_differences_than_are_shown_at_once_are_all_there():
    drill = dict(failing(), differences=[f"place {index}." for index in range(25)])
    shown = text(report_verdict.findings(drill))
    assert "Show 5 more" in shown
    assert "place 24." in shown
    assert "beyond" not in shown and "and 0 more" not in shown
