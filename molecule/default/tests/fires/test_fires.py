"""The scheduler itself starts the entry: a new sealed backup appears, and the log says so. The other one is gone."""

import time

import pytest

PATIENCE = 150  # seconds: cron reads a new entry at the next full minute and fires at the one after


@pytest.fixture
def by_systemd(host):
    return "bookworm" in host.backend.hostname


def test_only_one_scheduler_is_left(host, by_systemd):
    assert host.file("/etc/cron.d/mirai-backup").exists != by_systemd
    timers = host.run("systemctl list-unit-files --no-legend 'mirai-backup-*'").stdout
    assert ("mirai-backup-full.timer" in timers) == by_systemd
    assert ("mirai-backup-drill.service" in timers) == by_systemd
    assert host.run("ls /etc/systemd/system/timers.target.wants").stdout.count("mirai-backup") == 2 * by_systemd


def test_scheduler_makes_a_backup(host, sealed, paths, mirai_backup, by_systemd):
    assert by_systemd or host.service("cron").is_running
    before = sealed("full")
    log_before = host.file(paths.log).content_string
    deadline = time.monotonic() + PATIENCE
    while sealed("full") == before and time.monotonic() < deadline:
        time.sleep(2)

    new = sorted(set(sealed("full")) - set(before))
    assert new, f"no new backup after {PATIENCE} s"
    identity = new[0].rsplit("/", 1)[1].removesuffix(".tar.gz")
    mirai_backup("verify", identity)
    assert identity in host.file(paths.log).content_string[len(log_before) :]


def test_drill_within_the_hardened_service_of_root(host, run, by_systemd):
    if by_systemd:
        run("systemctl start mirai-backup-drill.service")
    assert "pass" in run("tail -n 1 backend/backups/drills/history.log")
