"""The operators' guide by hand: its commands, as written, on what was backed up.

The guide's operator is root with a database account of the same name.
"""

import re

import pytest


@pytest.fixture(scope="module")
def operator(host):
    """Give root the database account an administrator has."""
    statement = "DO $do$ BEGIN IF to_regrole('root') IS NULL THEN CREATE ROLE root SUPERUSER LOGIN; END IF; END $do$"
    result = host.run("runuser -u postgres -- psql -v ON_ERROR_STOP=1 -c %s", statement)
    assert result.rc == 0, result.stderr


@pytest.fixture
def fresh(run, mirai_backup, operator):
    """Make a backup of each kind and return its ID and what the application held then."""

    def make(*flags):
        identity = mirai_backup("--json", "backup", *flags)["backup"]["id"]
        return identity, run("application-state")

    return make


def tables(state):
    """The lines of a state that are about the database."""
    return [line for line in state.splitlines() if line.startswith(("table ", "sequence "))]


def contents(state):
    """The lines of a state that are about the content of files."""
    return [line for line in state.splitlines() if re.match(r"[0-9a-f]{64} ", line)]


def test_look_at_the_backups(run):
    assert "mirai_" in run("cat backend/backups/LATEST_BACKUP.txt")
    assert run("cat backend/backups/backup_metadata.log")
    assert "mirai_full_" in run("ls -lht backend/backups/full/ | head -6")
    run("ls -lht backend/backups/database/ | head -11")
    run("du -sh backend/backups/*")
    assert run("tail -50 /var/log/mirai-backup.log")


def test_restore_the_database(run, fresh, mirai_backup):
    identity, state = fresh("--db-only")
    run(f"gunzip backend/backups/database/{identity}.sql.gz")
    run("dropdb mirai_knowledge_db; createdb mirai_knowledge_db")
    run(f"pg_restore -d mirai_knowledge_db backend/backups/database/{identity}.sql")
    assert tables(run("application-state")) == tables(state)
    # The guide unpacks inside the repository: the collection has to live with it.
    run(f"rm backend/backups/database/{identity}.sql*")
    mirai_backup("list")
    mirai_backup("backup", "--db-only")


def test_restore_the_database_with_the_settings_of_env(run, fresh):
    identity, state = fresh("--db-only")
    run(f"gunzip backend/backups/database/{identity}.sql.gz")
    run("dropdb mirai_knowledge_db; createdb -O mirai_app mirai_knowledge_db")
    run(f"source backend/.env; pg_restore -d $DATABASE_URL backend/backups/database/{identity}.sql")
    assert tables(run("application-state")) == tables(state)
    run(f"rm backend/backups/database/{identity}.sql*")


def test_restore_the_files(run, fresh):
    identity, state = fresh("--json-only")
    run("mv backend/data backend/data.old")
    run(f"tar -xzf backend/backups/json/{identity}.tar.gz -C backend/")
    assert run("application-state") == state
    run("rm -rf backend/data.old")


def test_restore_everything(run, fresh):
    identity, state = fresh()
    run("dropdb mirai_knowledge_db; createdb mirai_knowledge_db; rm -rf backend/data")
    run("mkdir -p /tmp/mirai_restore")
    run(f"tar -xzf backend/backups/full/{identity}.tar.gz -C /tmp/mirai_restore")
    run("gunzip /tmp/mirai_restore/database/mirai_db_*.sql.gz")
    run("pg_restore -d mirai_knowledge_db /tmp/mirai_restore/database/mirai_db_*.sql")
    run("tar -xzf /tmp/mirai_restore/json/mirai_json_*.tar.gz -C backend/")
    assert run("application-state") == state
    run("rm -rf /tmp/mirai_restore")
