"""What was said and sent, and what must not be in it."""

import email
import email.policy
import json
import os
from pathlib import Path
from types import SimpleNamespace

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
    """What mail and HTTP servers of the storage host were sent, in order: kind, path (HTTP only), subject, text."""
    storage = host.get_host("ansible://mirai-offsite-storage", ansible_inventory=os.environ["MOLECULE_INVENTORY_FILE"])
    lines = storage.file("/root/sink.log").content_string.splitlines()
    return [_mail(one["content"]) if one["kind"] == "mail" else _request(one) for one in map(json.loads, lines)]


def _mail(content):
    """A mail with its headers and parts decoded."""
    mail = email.message_from_string(content.replace("\r\n", "\n"), policy=email.policy.default)
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    assert parts, content
    return SimpleNamespace(
        kind="mail", path="", subject=mail["Subject"], text="".join([*map(str, mail.values()), *parts])
    )


def _request(one):
    alert = json.loads(one["body"]) if "/alerts/" in one["request"] else {}
    return SimpleNamespace(
        kind="http", path=one["request"].split()[1].split("?")[0], subject=alert.get("title", ""), text=one["body"]
    )


@pytest.fixture
def traces(run):
    """What a host's runs left for others to see: log, journal, memory, metrics, reports; and the arguments seen."""
    named = "-name '*.log' -o -name '*.txt' -o -name '*.json' -o -name '*.html' -o -name '*.xml'"
    shown = run("cat /var/log/mirai-backup.log /var/lib/node-exporter/mirai_backup.prom /root/argv.log")
    shown += run(f"find backend/backups -type f '(' {named} ')' -print -exec cat '{{}}' +")
    return shown + run("journalctl --no-pager; mirai-backup config show; mirai-backup list --offsite")
