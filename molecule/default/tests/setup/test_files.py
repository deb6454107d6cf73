"""What setup leaves on the host: programs, configuration, schedule, and who may read them."""

import json

import pytest


def test_configuration_is_private_and_valid(host, user, mirai_backup):
    config = host.file("/etc/mirai-backup/config.json")
    assert config.is_file
    assert config.mode == 0o600
    assert config.user == user
    assert json.loads(config.content_string)["repository"].endswith("/backend/backups")
    mirai_backup("config", "validate")


def test_password_is_in_no_file_of_ours(host, run, mirai_backup):
    password = host.ansible.get_variables()["app_password"]
    encoded = run("sed -n 's/^DATABASE_URL=.*:\\(.*\\)@localhost.*/\\1/p' backend/.env").strip()
    assert encoded
    written = run("cat /etc/mirai-backup/* /var/log/mirai-backup.log")
    written += run("find backend/backups -name '*.manifest.json' -exec cat {} + ; cat backend/backups/*.log")
    written += mirai_backup("config", "show")
    assert password not in written
    assert encoded not in written


def test_schedule(host, user):
    if "trixie" in host.backend.hostname:
        assert not host.file("/etc/cron.d/mirai-backup").exists
        return
    entry = host.file("/etc/cron.d/mirai-backup")
    assert entry.is_file
    assert (entry.mode, entry.user) == (0o644, "root")
    assert 'MAILTO=""' in entry.content_string.splitlines()
    jobs = [line.split() for line in entry.content_string.splitlines() if "/mirai-backup " in line]
    assert [job[:6] for job in jobs] == [["0", "2", "*", "*", "*", user], ["0", "4", "1", "*", "*", user]]
    assert [job[11] for job in jobs] == ["backup", "drill"]
    assert {job[6] for job in jobs} == {"sleep"} and {job[8] for job in jobs} == {"&&"}
    assert 0 < int(jobs[0][7]) <= 20 and jobs[0][7] == jobs[1][7]


def test_log_is_the_users_and_rotated(host, run, user, paths):
    log = host.file(paths.log)
    assert log.is_file
    assert log.user == user
    assert log.mode & 0o007 == 0
    assert host.file("/etc/logrotate.d/mirai-backup").is_file
    run("logrotate --debug /etc/logrotate.d/mirai-backup")


def test_command_runs_without_a_login_environment(host, user):
    result = host.run("runuser -u %s -- env -i /usr/local/bin/mirai-backup list", user)
    assert result.rc == 0, result.stderr


@pytest.mark.parametrize("kind", ["full", "database", "json"])
def test_repository_is_private_from_the_top(host, user, paths, kind):
    directories = [host.file(paths.repository)]
    if host.file(f"{paths.repository}/{kind}").exists:
        directories.append(host.file(f"{paths.repository}/{kind}"))
    for directory in directories:
        assert directory.is_directory
        assert directory.mode == 0o700, directory.path
        assert directory.user == user, directory.path
