"""cron itself starts the entry: a new sealed backup appears, and the log says so."""

import time

PATIENCE = 150  # seconds: cron reads a new entry at the next full minute and fires at the one after


def test_cron_makes_a_backup(host, sealed, paths, mirai_backup):
    assert host.service("cron").is_running
    assert "* * * * *" in host.file("/etc/cron.d/mirai-backup").content_string
    before = sealed("full")
    log_before = host.file(paths.log).content_string
    deadline = time.monotonic() + PATIENCE
    while sealed("full") == before and time.monotonic() < deadline:
        time.sleep(2)

    new = sorted(set(sealed("full")) - set(before))
    assert new, f"no new backup after {PATIENCE} s"
    identity = new[0].rsplit("/", 1)[1].removesuffix(".tar.gz")
    mirai_backup("verify", identity)
    assert identity in host.file(paths.log).content_string[len(log_before) :]
