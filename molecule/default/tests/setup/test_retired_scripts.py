"""The old schedule is commented out where that was asked for, and nowhere else."""

import pytest


@pytest.fixture
def entries(host):
    return [line for line in host.file("/etc/cron.d/mirai-scripts").content_string.splitlines() if "backup.sh" in line]


def test_the_old_schedule(host, entries):
    (entry,) = entries
    retired = host.ansible.get_variables().get("mirai_backup_retire_scripts", False)
    assert entry.startswith("# retired by mirai.backup: 0 2 * * * root ") == retired
    assert entry.startswith("0 2 * * * root ") != retired
