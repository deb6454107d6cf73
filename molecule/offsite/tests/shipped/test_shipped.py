"""Both stores hold every backup, also the one whose upload was cut; credentials are nowhere but in one file."""

import pytest

testinfra_hosts = ["ansible://mirai-offsite-app"]
CANARIES = ("canary-s3-access", "canary-s3-secret", "OPENSSH PRIVATE KEY")


def test_every_backup_is_in_both_stores(mirai_backup):
    local = {one["id"] for one in mirai_backup("--json", "list")["backups"]}
    stores = mirai_backup("--json", "list", "--offsite")["stores"]
    assert [one["store"] for one in stores] == ["s3", "sftp"]
    assert len(local) == 3
    for store in stores:
        assert {one["id"] for one in store["backups"]} == local
        assert store["damaged"] == store["unsealed"] == []


def test_every_byte_comes_back(mirai_backup):
    assert "fail" not in mirai_backup("verify", "--offsite", "--all")


def test_check_finds_both_stores_up_to_date(mirai_backup):
    mirai_backup("check")


def test_credentials_are_private(host):
    file = host.file("/etc/mirai-backup/rclone.conf")
    assert (file.mode, file.user) == (0o600, "root")
    assert all(canary in file.content_string for canary in CANARIES)


@pytest.mark.parametrize("path", ["/etc/mirai-backup/config.json", "/var/log/mirai-backup.log"])
def test_credentials_are_nowhere_else(host, path):
    assert not [canary for canary in CANARIES if canary in host.file(path).content_string]


def test_the_distributions_rclone_did_it(run):
    assert "v1.60" in run("rclone version")
