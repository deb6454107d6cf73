"""Fixtures of every scenario's tests, and the evidence a failing one prints."""

import json
from types import SimpleNamespace

import pytest

APP = "/opt/Mirai-Knowledge-Systems"
BACKEND = f"{APP}/backend"
REPOSITORY = f"{BACKEND}/backups"
DATABASE = "mirai_knowledge_db"
LOG = "/var/log/mirai-backup.log"

EVIDENCE = (
    f"ls -laR {REPOSITORY}",
    f"tail -n 5 {REPOSITORY}/backup_metadata.log",
    f"tail -n 60 {LOG}",
    "cat /etc/cron.d/mirai-backup",
    "journalctl --no-pager --lines 40 --unit cron --unit 'postgresql*' --unit 'mirai-backup*'",
    "tail -n 30 /var/log/postgresql/*.log",
)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Add repository, log and journal of the host to the report of a test that failed on it."""
    outcome = yield
    report = outcome.get_result()
    host = getattr(item, "funcargs", {}).get("host")
    if not report.failed or host is None:
        return
    for command in EVIDENCE:
        result = host.run(command)
        report.sections.append((f"{host.backend.hostname}: {command}", result.stdout + result.stderr))


@pytest.fixture
def paths():
    """Where the application and its backups are: app, backend, repository, log."""
    return SimpleNamespace(app=APP, backend=BACKEND, repository=REPOSITORY, log=LOG)


@pytest.fixture
def user(host):
    """The account that runs the backups of this host."""
    return host.ansible.get_variables().get("mirai_backup_user", "root")


@pytest.fixture
def run(host):
    """Run a command in bash as root in the application's directory; return its standard output."""

    def run_command(command, status=0):
        result = host.run("cd %s && bash -c %s", APP, f"set -o pipefail; {command}")
        assert result.rc == status, f"{command}: exit {result.rc}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    return run_command


@pytest.fixture
def mirai_backup(run, user):
    """Run the command as the backups' user; return what it printed, or its document with `--json`."""

    def run_verb(*words, status=0):
        output = run(f"runuser -u {user} -- mirai-backup {' '.join(words)}", status)
        return json.loads(output) if "--json" in words else output

    return run_verb


@pytest.fixture
def sealed(host):
    """List the sealed backups of a kind, oldest name first: paths of artifacts that have a manifest."""

    def list_sealed(kind):
        found = host.run(f"ls -1 {REPOSITORY}/{kind}/").stdout.split()
        suffix = ".manifest.json"
        return sorted(f"{REPOSITORY}/{kind}/{name[: -len(suffix)]}" for name in found if name.endswith(suffix))

    return list_sealed
