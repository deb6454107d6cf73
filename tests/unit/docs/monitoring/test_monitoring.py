"""Alert rules and dashboard speak of metrics that the engine exports, and the rules fire when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]
PAGES = ROOT / "docs" / "monitoring"
METRIC = re.compile(r"\bmirai_backup_\w+")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The metrics of a repository that has everything: backups, runs, drills, stores, keys."""
    sys.path.insert(0, str(ROOT / "plugins" / "module_utils"))
    from mirai_backup import config, drill_history, metrics, repository, runs, safefile

    directory = tmp_path_factory.mktemp("monitored")
    (directory / "backend" / "data").mkdir(parents=True)
    settings = config.from_mapping({"app_dir": str(directory)})
    repository.create(settings.repository)
    safefile.make_directory(f"{settings.repository}/{drill_history.DIRECTORY}")
    row = {
        "id": "drill_1",
        "backup": "x",
        "verdict": "pass",
        "started": "2026-01-01T00:00:00.000000Z",
        "rto_seconds": 1,
    }
    drill_history.append(settings.repository, row)
    run = runs.of_error(runs.Occasion("backup", "full"), ValueError("x"), 1)
    runs.remember(settings.repository, run)
    families = metrics.families(settings, {"s3": 1.0}, {"F00D": 2.0})
    return {f"mirai_backup_{family.name}" for family in families}


def rules() -> list[dict]:
    (group,) = yaml.safe_load((PAGES / "alerts.yml").read_text())["groups"]
    return group["rules"]


def panels() -> list[dict]:
    return json.loads((PAGES / "grafana-dashboard.json").read_text())["panels"]


def test_rules_use_exported_metrics_and_say_what_to_do(exported):
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) > 0
    for rule in rules():
        used = set(METRIC.findall(rule["expr"]))
        assert used and used <= exported, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert {"summary", "description"} == set(rule["annotations"])


def test_dashboard_uses_exported_metrics(exported):
    used = set()
    for panel in panels():
        for target in panel["targets"]:
            found = set(METRIC.findall(target["expr"]))
            assert found and found <= exported, panel["title"]
            used |= found
    assert exported - used == {"mirai_backup_info"}, "a metric that no panel shows"


def test_dashboard_panels_do_not_overlap():
    taken = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_every_rule_has_a_test():
    tests = yaml.safe_load((Path(__file__).parent / "alerts_test.yml").read_text())["tests"]
    fired = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", PAGES / "alerts.yml"), ("test", "rules", Path(__file__).parent / "alerts_test.yml")],
)
def test_promtool_agrees(arguments):
    program = shutil.which("promtool")
    assert program is not None, "promtool is not installed: apt-get install prometheus"
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
