"""The new host holds what the old one held, goes on backing up, and has given nothing away."""

import os
from pathlib import Path

import pytest

testinfra_hosts = ["ansible://mirai-offsite-disaster"]


def test_the_application_is_back(run, canaries):
    state = run("application-state")
    assert state == run("cat /root/before.state")
    assert "table public.canary 1 " in state and "canary.json" in state


def test_the_key_is_gone(run):
    assert run("find /dev/shm /tmp -name 'mirai-*'") == ""


def test_the_drill_passed(spoken):
    assert "verdict: pass" in spoken("drill")


def test_no_canary_in_what_the_runs_left(traces, canaries):
    assert "pg_restore" in traces and "drill.json" in traces and canaries(traces) == []


@pytest.mark.parametrize("name", ["restore", "drill"])
def test_no_canary_in_what_ansible_said(spoken, canaries, name):
    assert "Bring the key" in spoken(name) and canaries(spoken(name)) == []


def test_no_canary_in_the_reports_that_were_fetched(canaries):
    reports = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "drill_reports"
    found = [path.read_text() for path in reports.rglob("*") if path.is_file()]
    assert len(found) == 3 and canaries("".join(found)) == []


def test_no_canary_in_what_was_sent(sent, canaries):
    assert canaries("".join(one.text for one in sent)) == []


def test_the_next_backup_follows_in_order(mirai_backup):
    before = mirai_backup("--json", "list")["backups"][0]["sequence"]
    made = mirai_backup("--json", "backup")
    assert made["backup"]["sequence"] == before + 1
    assert [one["result"] for one in made["offsite"]] == ["ok", "ok"]
