"""Backups of PostgreSQL 13 and 15 were carried to the drill host and pass there, and nobody could look on."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

CONTROLLER = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
DRILL_HOST = "mirai-drill-trixie"
MAJORS = {"mirai-drill-bullseye": "13", "mirai-drill-bookworm": "15"}
FILES = ("drill.json", "junit.xml", "report.html")


@pytest.fixture
def name(host):
    """The host's name in the inventory."""
    return host.backend.get_pytest_id().partition("://")[2]


@pytest.mark.parametrize("server", MAJORS)
def test_the_report_came_to_the_controller(server):
    drill, cases, page = ((CONTROLLER / "reports" / server / one) for one in FILES)
    document = json.loads(drill.read_text())
    verdicts = {check["name"]: check["verdict"] for check in document["checks"]}
    assert verdicts.pop("assertions") == "not_configured"
    assert set(verdicts.values()) == {"pass"}, document["differences"]
    assert document["verdict"] == "pass"
    assert document["backup"]["server_version"].split(".")[0] == MAJORS[server]
    assert document["place"]["server_version"].split(".")[0] == "17"
    assert len(document["tables"]) > 60
    suite = ElementTree.parse(cases).getroot()
    found = list(suite.iter("testcase"))
    assert len(found) >= len(document["checks"])
    assert not [one for one in found if one.find("failure") is not None or one.find("error") is not None]
    assert document["backup"]["id"] in page.read_text()


def test_one_server_can_be_chosen():
    assert [one.name for one in (CONTROLLER / "reports_of_one").iterdir()] == ["mirai-drill-bullseye"]
    drill = json.loads((CONTROLLER / "reports_of_one/mirai-drill-bullseye/drill.json").read_text())
    assert drill["verdict"] == "pass"
    assert len(drill["history"]) == 2


def test_nobody_could_look_on(host, name):
    watched = json.loads(host.file("/root/watched").content_string)
    assert watched["exposed"] == []
    seen = [(path, mode) for path, _owner, mode in watched["seen"]]
    if name == DRILL_HOST:
        account = host.user("drills").uid
        brought = [one for one in watched["seen"] if one[0].startswith("/srv/drills/servers/")]
        assert {path.split("/")[4] for path, _owner, _mode in brought} == set(MAJORS)
        assert [one for one in brought if one[1:] == [account, 0o600]]
    elif name in MAJORS:
        lent = [mode for path, mode in seen if path.startswith("/var/tmp/mirai-carry-")]
        assert 0o600 in lent
        assert not [mode for mode in lent if mode & 0o077]


def test_nobody_could_look_on_at_the_controller():
    watched = json.loads((CONTROLLER / "watched").read_text())
    assert watched["exposed"] == []
    assert [path for path, _owner, _mode in watched["seen"] if "/mirai-drill-" in path]


def test_nothing_is_left_of_the_way(host, name):
    # The servers here are called mirai-drill-… too, and what was drilled of them lies under their names.
    named = r"-regex '.*/mirai-\(carry\|drill\|socket\)-[^/]*' -type d"
    leftovers = host.run(f"find / -xdev -path /srv/drills/servers -prune -o {named} -print")
    assert leftovers.stdout.split() == []
    assert not list(CONTROLLER.glob("mirai-drill-*"))
    if name == DRILL_HOST:
        assert host.run("find /srv/drills -name 'mirai_*'").stdout == ""


def test_server_and_drill_host_know_of_the_drills(host, name):
    top = "/srv/drills" if name == DRILL_HOST else "/opt/Mirai-Knowledge-Systems/backend/backups"
    account = "drills" if name == DRILL_HOST else host.ansible.get_variables().get("mirai_backup_user", "root")
    found = host.run(f"find {top} -path '*drills*' -printf '%u %m %y %p\\n'").stdout.splitlines()
    assert [line for line in found if line.endswith("/report.html")]
    assert not [line for line in found if not line.startswith((f"{account} 700 d", f"{account} 600 f"))]
    if name in MAJORS:
        verified = json.loads(host.run("mirai-backup --json info latest-verified").stdout)
        assert verified["backup"]["drilled"] is True
        drills = CONTROLLER / "reports" / name / "drill.json"
        assert json.loads(drills.read_text())["backup"]["id"] == verified["backup"]["id"]


def test_the_drill_host_has_programs_and_no_cluster(host, name):
    if name == DRILL_HOST:
        assert host.file("/usr/lib/postgresql/17/bin/postgres").exists
        assert host.run("pg_lsclusters --no-header").stdout == ""
        assert not host.file("/etc/cron.d/mirai-backup").exists
        assert not host.process.filter(comm="postgres")
