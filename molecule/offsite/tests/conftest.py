"""What was said and sent, and what must not be in it."""

import json
import os
from pathlib import Path

import pytest


@pytest.fixture
def canaries(host):
    """Look for the canaries: return those that are in a text."""
    planted = host.ansible.get_variables()["canaries"]
    return lambda text: [one for one in planted if one in text]


@pytest.fixture
def spoken():
    """What ``ansible-playbook -vvv --diff`` said in a run."""
    directory = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
    return lambda name: (directory / f"{name}.spoken").read_text()


@pytest.fixture
def sent(host):
    """What mail and HTTP servers of the storage host were sent, in order."""
    storage = host.get_host("ansible://mirai-offsite-storage", ansible_inventory=os.environ["MOLECULE_INVENTORY_FILE"])
    return [json.loads(line) for line in storage.file("/root/sink.log").content_string.splitlines()]


@pytest.fixture
def traces(host, run):
    """What a host's runs left for others to see: log, journal, memory, metrics, reports; and the arguments seen."""
    named = "/var/log/mirai-backup.log /var/lib/node-exporter/mirai_backup.prom /root/argv.log"
    shown = run(f"cat {named}; cd backend/backups; cat *.log LATEST_BACKUP.txt .watch/* .offsite/*/memory.json")
    shown += run("find backend/backups -name '*.manifest.json' -o -path '*/drills/*' -type f | xargs cat")
    return shown + run("journalctl --no-pager; mirai-backup config show; mirai-backup list --offsite")
