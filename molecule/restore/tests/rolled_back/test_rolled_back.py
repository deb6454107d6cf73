"""After `rollback.yml` the damaged state is back, whole, and the backups are untouched."""

testinfra_hosts = ["ansible://mirai"]


def test_damaged_state_is_back(run):
    assert run("application-state") == run("cat /root/damaged.state")


def test_backups_are_untouched(mirai_backup):
    mirai_backup("verify", "--all")
