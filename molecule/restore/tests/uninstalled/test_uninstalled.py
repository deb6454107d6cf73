"""`mirai_backup_state: absent` takes away what setup brought, and never a backup."""

import pytest

testinfra_hosts = ["ansible://mirai"]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/cron.d/mirai-backup",
        "/etc/logrotate.d/mirai-backup",
        "/etc/mirai-backup",
        "/usr/local/bin/mirai-backup",
        "/usr/local/lib/mirai-backup",
        "/usr/local/share/bash-completion/completions/mirai-backup",
        "/usr/local/share/man/man1/mirai-backup.1",
        "/var/log/mirai-backup.log",
    ],
)
def test_is_gone(host, path):
    assert not host.file(path).exists


def test_backups_stay(host, run, sealed):
    backups = sealed("full")
    assert backups
    for archive in backups:
        assert host.file(archive).size > 0
        run(f"tar -tzf {archive}")


def test_application_is_untouched(run):
    assert run("application-state") == run("cat /root/damaged.state")
