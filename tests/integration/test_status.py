"""playbooks/status.yml over a small simulated fleet: every server is in the report, and the play says how it is."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "bench"))

import simulated

HOSTILE = '<script>alert(1)</script>&"; $(id)'


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """Ten servers, one of each fate, and one with a name that wants to be markup; inventory and expected states."""
    inventory, states = simulated.build(tmp_path_factory.mktemp("fleet"), 10, 5, sys.executable)
    document = json.loads(inventory.read_text())
    hosts = document["mirai"]["hosts"]
    hosts[HOSTILE], states[HOSTILE] = hosts["app004"], "unreachable"
    inventory.write_text(json.dumps(document))
    return inventory, states


def play(inventory, reports, *arguments):
    """Run the playbook; returns its exit status, the report and what it said."""
    argv = ["ansible-playbook", str(ROOT / "playbooks" / "status.yml"), "-i", str(inventory), "--forks", "4"]
    argv += ["-e", f"status_reports={reports}", *arguments]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["PWD"] = str(inventory.parent)
    done = subprocess.run(
        argv, cwd=inventory.parent, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    path = inventory.parent / reports / "status.json"
    found = json.loads(path.read_text()) if path.exists() else None
    return done.returncode, found, done.stdout + done.stderr


def test_every_server_is_in_the_report_and_the_play_fails_after_it(fleet, tmp_path):
    inventory, states = fleet
    code, found, said = play(inventory, tmp_path, "-e", "status_language=ja")
    assert code == 2, said
    assert {one["name"]: one["state"] for one in found["hosts"]} == states, said
    assert found["hosts"][0]["state"] == "problem" and found["hosts"][-1]["state"] == "ok"
    assert all(one["problems"] and one["next_step"] for one in found["hosts"] if one["state"] not in ("ok", "warning"))
    page = (tmp_path / "status.html").read_text()
    assert '<html lang="ja">' in page and "<script" not in page
    assert "alert(1)" in page
    assert re.search(r"Not every server is in order: see .*status.html", said)


def test_it_can_be_told_not_to_fail_and_writes_to_a_relative_path(fleet):
    inventory, _states = fleet
    code, found, said = play(inventory, "reports_of_mine", "-e", "status_fail=false")
    assert (code, found["verdict"]) == (0, "problem"), said


@pytest.mark.parametrize(("fail", "code"), [("true", 2), ("problem", 0)])
def test_a_warning_fails_the_play_unless_only_problems_are_to(fleet, tmp_path, fail, code):
    inventory, _states = fleet
    limit = ("--limit", "app000,app005", "-e", f"status_fail={fail}")
    ended, found, said = play(inventory, tmp_path, *limit)
    assert (ended, found["verdict"]) == (code, "warning"), said
    assert [one["name"] for one in found["hosts"]] == ["app005", "app000"]


def test_a_fleet_in_order_passes_and_check_mode_writes_nothing(fleet, tmp_path):
    inventory, _states = fleet
    code, found, said = play(inventory, tmp_path, "--limit", "app000,app008", "--check")
    assert (code, found) == (0, None), said
    assert "2 servers: 2 ok" in said
    code, _found, said = play(inventory, tmp_path, "--limit", "app000", "-e", "status_max_age=1s")
    assert code == 2 and "old (mirai_full" in said


def test_no_servers_are_no_good_news(fleet, tmp_path):
    code, found, said = play(fleet[0], tmp_path, "-e", "target=nobody")
    assert (code, found) == (2, None)
    assert "The inventory has no hosts nobody" in said
