"""Both stores hold every backup, also the one whose upload was cut, and nobody but the key's holder can read it."""

import pytest

testinfra_hosts = ["ansible://mirai-offsite-app"]
CREDENTIALS = ("canary-s3-access", "canary-s3-secret", "OPENSSH PRIVATE KEY")


def test_every_backup_is_in_both_stores(mirai_backup):
    local = mirai_backup("--json", "list")["backups"]
    stores = mirai_backup("--json", "list", "--offsite")["stores"]
    assert [one["store"] for one in stores] == ["s3", "sftp"]
    assert len(local) == 3 and all(one["encrypted"] for one in local)
    for store in stores:
        assert {one["id"] for one in store["backups"]} == {one["id"] for one in local}
        assert store["damaged"] == store["unsealed"] == []


def test_every_byte_comes_back(mirai_backup):
    assert "fail" not in mirai_backup("verify", "--offsite", "--all")


def test_the_server_cannot_read_what_it_wrote(mirai_backup):
    assert "not decoded" in mirai_backup("verify", status=4)


def test_check_finds_both_stores_up_to_date(mirai_backup):
    mirai_backup("check")


def test_metrics_say_when_each_store_was_up_to_date(host, mirai_backup):
    mirai_backup("--json", "list")
    lines = host.file("/var/lib/node-exporter/mirai_backup.prom").content_string.splitlines()
    name = "mirai_backup_offsite_newest_timestamp_seconds"
    ended = {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith(name)}
    (newest,) = [float(line.split()[1]) for line in lines if 'newest_timestamp_seconds{half="database"}' in line]
    assert ended == {f'{name}{{store="s3"}}': newest, f'{name}{{store="sftp"}}': newest}


def test_credentials_are_private(host):
    file = host.file("/etc/mirai-backup/rclone.conf")
    assert (file.mode, file.user) == (0o600, "root")
    assert all(one in file.content_string for one in CREDENTIALS)
    assert not [one for one in CREDENTIALS if one in host.file("/etc/mirai-backup/config.json").content_string]


def test_the_distributions_rclone_did_it(run):
    assert "v1.60" in run("rclone version")


@pytest.mark.parametrize("kind", ["mail", "http"])
def test_people_were_told(sent, kind):
    first = [one.subject.split()[0] for one in sent if one.kind == kind and one.subject]
    assert first == ["TEST", "TEST", "INCOMPLETE", "FAILED", "RECOVERED"]


def test_the_heartbeat_told_how_each_run_ended(sent):
    pings = [one.path.rpartition("/")[2] for one in sent if one.path.startswith("/ping/")]
    assert pings == ["start", "0", "start", "3", "start", "1", "start", "0"]


def test_no_canary_in_what_was_sent(sent, canaries):
    assert canaries("".join(one.text for one in sent)) == []


def test_no_canary_in_what_the_runs_left(traces, canaries):
    assert "rclone" in traces and "pg_dump" in traces and canaries(traces) == []


@pytest.mark.parametrize("name", ["setup", "setup_again"])
def test_no_canary_in_what_ansible_said(spoken, canaries, name):
    assert "Write the credentials of the stores" in spoken(name) and canaries(spoken(name)) == []
