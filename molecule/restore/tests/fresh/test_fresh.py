"""A server that had only Debian holds what the other one held when it was backed up, and is set up itself."""

import pytest

testinfra_hosts = ["ansible://fresh"]


def test_both_halves_are_back(run):
    assert run("application-state") == run("cat /root/before.state")


def test_the_application_can_log_in_and_owns_its_database(run):
    run(
        "source backend/.env; psql -v ON_ERROR_STOP=1 -d $DATABASE_URL "
        "-c 'CREATE SCHEMA try; CREATE TABLE try.try (id int); DROP SCHEMA try CASCADE'"
    )


@pytest.mark.parametrize("path", ["/etc/cron.d/mirai-backup", "/etc/mirai-backup/config.json"])
def test_the_server_is_set_up(host, path):
    assert host.file(path).exists


def test_it_can_be_backed_up(mirai_backup):
    mirai_backup("backup")
    mirai_backup("verify", "latest")
