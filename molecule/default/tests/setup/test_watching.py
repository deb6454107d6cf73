"""Timer, hardened service, hooks, alerts, heartbeat and metrics of the host that has them."""

import json
import re

import pytest

KEYS = ("t0ken-in-the-path", "s3cret-uuid")
METRICS = "/var/lib/node-exporter/mirai_backup.prom"


@pytest.fixture
def watched(host):
    """Whether this is the host with all that; the other one has none of it."""
    return "trixie" in host.backend.hostname


@pytest.fixture
def sent(host):
    """What the servers were sent, in order."""

    def read():
        return [json.loads(line) for line in host.file("/root/sink.log").content_string.splitlines()]

    return read


def test_timers_are_enabled_and_wait(host, run, watched):
    timers = run("systemctl list-timers --all --no-legend 'mirai-backup-*'")
    assert len(timers.splitlines()) == (2 if watched else 0)
    if watched:
        shown = run("systemctl show --property=Persistent,TimersCalendar mirai-backup-full.timer")
        assert "Persistent=yes" in shown and "OnCalendar=*-*-* 02:00:00" in shown
        assert run("systemd-analyze verify /etc/systemd/system/mirai-backup-*") == ""


def test_service_is_hardened(run, watched):
    if watched:
        result = run("systemd-analyze security --no-pager mirai-backup-full.service | tail -n 1")
        assert float(re.search(r": (\d+\.\d+)", result).group(1)) < 3.0, result


def test_alert_urls_are_private(host, user, watched):
    file = host.file("/etc/mirai-backup/alerts.conf")
    assert file.exists == watched
    if watched:
        assert (file.mode, file.user) == (0o600, user)


def test_setup_tried_the_channels(sent, watched):
    if watched:
        first = sent()[:2]
        assert {one["kind"] for one in first} == {"http", "mail"}
        assert all("TEST" in json.dumps(one) for one in first)


def test_backup_and_drill_within_the_hardened_services(host, run, sealed, sent, watched):
    if not watched:
        return
    before = len(sealed("full")), len(sent())
    run("systemctl start mirai-backup-full.service")
    assert len(sealed("full")) == before[0] + 1
    pings = [one["request"].split()[1] for one in sent()[before[1] :]]
    assert [one.split("?")[0] for one in pings] == ["/ping/s3cret-uuid/start", "/ping/s3cret-uuid/0"]
    identity = sealed("full")[-1].rsplit("/", 1)[1].removesuffix(".tar.gz")
    assert host.file("/var/lib/hooks/told").content_string.splitlines()[-2:] == ["before", f"after ok {identity}"]
    assert "mirai_backup_last_success_timestamp_seconds" in host.file(METRICS).content_string
    assert host.file(METRICS).mode == 0o644
    run("systemctl start mirai-backup-drill.service")
    assert 'mirai_backup_drill_verdict{verdict="pass"} 1' in host.file(METRICS).content_string


def test_failure_and_recovery_arrive(host, run, sent, watched):
    if not watched:
        return
    begin = len(sent())
    run("sed -i.bak s/^DATABASE_URL/NO_URL/ backend/.env")
    run("systemctl start mirai-backup-full.service", status=1)
    run("mv backend/.env.bak backend/.env")
    run("systemctl start mirai-backup-full.service")
    told = [json.dumps(one) for one in sent()[begin:] if one["kind"] == "mail" or "/alerts" in one["request"]]
    assert len(told) == 4
    assert sum("FAILED" in one for one in told) == 2 and sum("RECOVERED" in one for one in told) == 2


def test_keys_are_in_no_file_but_their_own(run, watched):
    if watched:
        shown = run(f"cat /var/log/mirai-backup.log {METRICS} backend/backups/*.log backend/backups/.watch/*")
        shown += run("journalctl --no-pager --unit 'mirai-backup*'; mirai-backup config show; mirai-backup check", 0)
        assert not [key for key in KEYS if key in shown]
        assert "alert by channel3 (json)" in shown
