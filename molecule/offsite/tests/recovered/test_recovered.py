"""The new host holds what the old one held, and goes on backing up."""

testinfra_hosts = ["ansible://mirai-offsite-disaster"]


def test_the_application_is_back(run):
    assert run("application-state") == run("cat /root/before.state")


def test_the_next_backup_follows_in_order(mirai_backup):
    before = mirai_backup("--json", "list")["backups"][0]["sequence"]
    made = mirai_backup("--json", "backup")
    assert made["backup"]["sequence"] == before + 1
    assert [one["result"] for one in made["offsite"]] == ["ok", "ok"]
