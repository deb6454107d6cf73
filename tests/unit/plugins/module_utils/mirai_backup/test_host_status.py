"""host_status: one server in one document, with the figures that a fleet is compared by."""

import datetime
import os

import pytest
from mirai_backup import drill_history, host_status, text
from mirai_backup.errors import NotFoundError
from mirai_backup.sinks import Artifact

HOUR = datetime.timedelta(hours=1)
DAY = 24 * 3600.0


@pytest.fixture
def settings(settings_of):
    return settings_of()


def members(database: int, roles: int, files: int) -> tuple:
    names = ("database/mirai_db_x.sql.gz", "database/mirai_globals_x.sql.gz", "json/mirai_json_x.tar.gz")
    return tuple(Artifact(name, size, "0" * 64) for name, size in zip(names, (database, roles, files)))


def test_each_half_has_its_newest_backup_and_its_own_sizes(settings, sealed):
    sealed("full", sequence=1, age=30 * HOUR, members=members(100, 10, 5))
    newest = sealed("full", sequence=2, age=6 * HOUR, members=members(200, 10, 7))
    alone = sealed("json", sequence=3, age=HOUR, content=b"123")
    status = host_status.of(settings, DAY)
    database, files = status["halves"]["database"], status["halves"]["json"]
    assert (database["id"], database["kind"], database["sizes"]) == (newest.id, "full", [110, 210])
    assert (files["id"], files["kind"], files["sizes"], files["size"]) == (alone.id, "json", [5, 7, 3], 3)
    assert database["age_seconds"] == pytest.approx(6 * 3600, abs=60)
    assert (status["backups"], status["problems"], status["engine_version"]) == (3, [], "0.1.0")


def test_a_half_without_a_good_backup_is_none_and_a_finding(settings, repo, sealed):
    lost = sealed("database", sequence=1)
    sealed("json", sequence=2)
    os.unlink(f"{repo}/database/{lost.artifacts[0].name}")
    status = host_status.of(settings, DAY)
    assert status["halves"]["database"] is None
    assert status["problems"][0] == "there is no good backup of the database half"


def test_what_is_too_old_is_decided_by_the_age_asked_for(settings, sealed):
    sealed("full", age=30 * HOUR)
    assert host_status.of(settings, 26 * 3600.0)["problems"]
    assert host_status.of(settings, 2 * DAY)["problems"] == []
    assert host_status.of(settings, 2 * DAY)["max_age_seconds"] == 2 * DAY


def test_only_the_last_drill_counts(settings, repo, sealed):
    sealed("full")
    assert host_status.of(settings, DAY)["drill"] is None
    os.mkdir(f"{repo}/drills")
    now = datetime.datetime.now(datetime.timezone.utc)
    for hours, verdict in ((9, "fail"), (3, "pass")):
        row = {"id": f"d{hours}", "backup": "b", "verdict": verdict, "started": text.utc(now - hours * HOUR)}
        drill_history.append(repo, row)
    drill = host_status.of(settings, DAY)["drill"]
    assert (drill["id"], drill["verdict"], drill["rto_seconds"]) == ("d3", "pass", None)
    assert drill["age_seconds"] == pytest.approx(3 * 3600, abs=60)


def test_an_empty_repository_and_none_at_all(settings, settings_of, repo, tmp_path):
    status = host_status.of(settings, DAY)
    assert (status["halves"], status["engine_version"]) == ({"database": None, "json": None}, None)
    with pytest.raises(NotFoundError):
        host_status.of(settings_of(repository=str(tmp_path / "none")), DAY)
