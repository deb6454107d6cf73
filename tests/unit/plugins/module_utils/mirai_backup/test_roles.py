"""roles: those that a server lacks are made as the backup describes them, and nothing else of it is run."""

import gzip
import hashlib

import pytest
from mirai_backup import backup as making
from mirai_backup import repository, roles, seal
from mirai_backup.errors import MismatchError
from mirai_backup.sinks import Artifact
from stand_in import Answers, Target

GLOBALS = r"""
CREATE ROLE app;
ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:x';
CREATE ROLE "Read only";
ALTER ROLE "Read only" WITH NOLOGIN;
GRANT app TO "Read only" WITH INHERIT TRUE GRANTED BY postgres;
CREATE ROLE other;
ALTER ROLE app SET search_path TO 'x';
\! touch /tmp/x
CREATE ROLE "a\b";
DROP ROLE app;
"""


def test_statements_of_the_wanted_roles_alone():
    assert roles.statements(GLOBALS, ["app"]) == [
        "CREATE ROLE app;",
        "ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:x';",
    ]
    assert roles.statements(GLOBALS, ["Read only"])[-1].startswith('GRANT app TO "Read only"')


@pytest.mark.parametrize(
    "line", ["\\! rm -rf /", 'CREATE ROLE "a\\b";', "DROP ROLE app;", "CREATE ROLE app; DROP TABLE x;"]
)
def test_whatever_is_no_plain_statement_of_a_role_is_never_run(line):
    assert roles.statements(line, ["app", "a\\b"]) == []


def test_what_the_server_lacks():
    place = Target(answers=Answers({"pg_roles": [{"name": "postgres"}, {"name": "app"}]}))
    assert roles.missing(place, ["app", "gone"]) == ("gone",)
    assert roles.may_create(Target(answers=Answers({"rolcreaterole": [{"may": True}]})))


@pytest.fixture
def backup(repo, head_of):
    """A database backup with these globals beside the dump; ``size`` and bytes as they lie there."""

    def make(content=GLOBALS, lie=b""):
        packed = gzip.compress(content.encode())
        with seal.staging(repo) as stage:
            head = head_of("database")
            stamp = head.id[-15:]
            contents = {f"{head.id}.sql.gz": b"dump", f"mirai_globals_{stamp}.sql.gz": packed}
            artifacts = []
            for name, block in contents.items():
                with open(f"{stage}/{name}", "wb") as file:
                    file.write(block)
                artifacts.append(Artifact(name, len(block), hashlib.sha256(block + lie).hexdigest()))
            seal.publish(repo, stage, type(head)(**{**vars(head), "artifacts": tuple(artifacts)}), lambda: iter(()))
        return repository.listing(repo).backups[0]

    return make


def test_made_in_one_transaction_grants_last(backup):
    place = Target(answers=Answers())
    said = roles.create(place, backup(), ("Read only", "app", "unknown"))
    (script,) = place.answers.said
    lines = script.splitlines()
    assert (lines[0], lines[-1]) == ("BEGIN;", "COMMIT")
    assert lines[1] == 'CREATE ROLE "unknown";'
    assert lines[-2].startswith("GRANT app TO")
    assert said == [
        "role Read only was created without a password: set one",
        "role app was created",
        "role unknown was created without a password: set one",
    ]


def test_nothing_missing_nothing_read(backup):
    place = Target(answers=Answers())
    assert roles.create(place, None, ()) == []
    assert place.answers.said == []


def test_globals_that_are_not_as_sealed_are_not_used(backup):
    with pytest.raises(MismatchError, match="mirai_globals_.* is damaged: its SHA-256"):
        roles.create(Target(), backup(lie=b"?"), ("app",))


def test_a_backup_without_globals_describes_no_role(sealed, repo):
    sealed("database")
    place = Target(answers=Answers())
    roles.create(place, repository.listing(repo).backups[0], ("app",))
    assert place.answers.said == ['BEGIN;\nCREATE ROLE "app";\nCOMMIT']


def test_out_of_a_full_archive(settings_of, postgresql):
    url = "postgresql://app:x@localhost/mirai"
    settings = settings_of(database_url=url, admin_url=url, pg_bindir=postgresql.bindir)
    making.run(settings, "full")
    place = Target(answers=Answers())
    said = roles.create(place, repository.listing(settings.repository).backups[0], ("app",))
    assert said == ["role app was created without a password: set one"]
    assert place.answers.said == ["BEGIN;\nCREATE ROLE app;\nCOMMIT"]
