"""fleet_files: two files, whole and private, that say the same."""

import json
import os

from fleets import NOT_SET_UP, UNREACHABLE, status
from mirai_backup import fleet, fleet_files

HOSTS = [fleet.host(*one) for one in (("a", {"status": status()}), ("b\udc80", UNREACHABLE), ("c", NOT_SET_UP))]


def test_both_files_are_written_and_replaced(tmp_path):
    directory = str(tmp_path / "new" / "reports")
    for _time in range(2):
        fleet_files.keep(directory, HOSTS, "ja")
    assert sorted(os.listdir(directory)) == ["status.html", "status.json"]
    assert {os.stat(os.path.join(directory, name)).st_mode & 0o777 for name in os.listdir(directory)} == {0o600}
    summary = fleet_files.summary(directory, HOSTS)
    with open(summary["json"], encoding="utf-8") as file:
        document = json.load(file)
    assert document["schema"] == 1
    assert document["verdict"] == summary["verdict"] == "problem"
    assert document["counts"] == summary["counts"]
    with open(summary["html"], encoding="utf-8") as file:
        assert '<html lang="ja">' in file.read()
