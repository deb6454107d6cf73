"""drill_proof: what a drill restored is claimed to be proven exactly as far as it was."""

from dataclasses import replace

import pytest
from mirai_backup import assertions, drill_proof, fingerprint, postgres
from mirai_backup.drill_findings import Findings
from stand_in import Answers, Session, Target

COUNTED = {
    "mode": "counts",
    "server_major": 15,
    "tables": {"t": {"rows": 3, "digest": ""}},
    "sequences": {},
    "large_objects": None,
    "schema": {"table t": "1"},
}


@pytest.fixture
def findings():
    return Findings()


@pytest.fixture
def proven(head_of, findings):
    """Prove a database by a backup's fingerprint; returns verdict and detail of each check."""

    def prove(expected, target=None) -> dict:
        head = head_of("database")
        head = replace(head, database={**head.database, "fingerprint": expected})
        drill_proof.database(findings, head, target, "scratch")
        return verdicts(findings)

    return prove


def verdicts(findings) -> dict:
    return {name: (check["verdict"], check["detail"]) for name, check in findings.checks.items()}


def test_without_a_database_half_there_is_nothing_to_prove(proven):
    said = set(proven(None).values())
    assert said == {("not_configured", "the backup has no database half")}


def test_without_a_fingerprint_the_content_is_not_proven(proven):
    assert proven(None, Target())["tables"] == ("could_not_verify", "the backup was made with fingerprint: off")


def test_counted_large_objects_are_not_claimed(proven, monkeypatch):
    monkeypatch.setattr(postgres, "Session", Session.on(Answers()))
    monkeypatch.setattr(fingerprint, "take", lambda *_arguments: {**COUNTED, "schema": {}})
    checks = proven(COUNTED, Target())
    assert checks["large_objects"] == ("not_configured", "the backup was made with fingerprint: counts")
    assert checks["tables"][0] == "pass"
    assert checks["schema"] == ("fail", "table t is missing")


def test_without_a_files_half_there_is_nothing_to_prove(findings, sealed):
    drill_proof.files(findings, sealed("database"), None)
    assert verdicts(findings)["files"] == ("not_configured", "the backup has no files half")


@pytest.mark.parametrize(("verdict", "detail"), [("pass", ""), ("fail", "people: found 0, expected >= 1")])
def test_the_operators_assertions_decide_too(findings, settings_of, monkeypatch, verdict, detail):
    test = {"name": "people", "sql": "SELECT 1", "expect": ">= 1"}
    result = {"name": "people", "verdict": verdict, "detail": detail.partition(": ")[2]}
    monkeypatch.setattr(assertions, "run", lambda *_arguments: [result])
    drill_proof.operators(findings, settings_of(drill_assertions=(test,)), Target(), "scratch")
    assert verdicts(findings)["assertions"] == (verdict, detail)
    assert findings.assertions == [result]


def test_no_assertions_no_verdict(findings, settings_of):
    drill_proof.operators(findings, settings_of(), Target(), "scratch")
    assert verdicts(findings)["assertions"] == ("not_configured", "drill_assertions is empty")
