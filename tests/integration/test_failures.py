"""Every failure has its exit code and words, leaves nothing half-made, and the next run works unaided."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest


@pytest.fixture
def undisturbed(app):
    """The application with one good backup; afterwards it is untouched and a new one can be made."""
    app.succeed("backup")
    before, latest = app.files(), (app.repository / "LATEST_BACKUP.txt").read_bytes()
    log_lines = len((app.repository / "backup_metadata.log").read_text().splitlines())
    yield app
    assert app.files() == before
    assert (app.repository / "LATEST_BACKUP.txt").read_bytes() == latest
    assert os.listdir(app.repository / ".staging") == []
    records = (app.repository / "backup_metadata.log").read_text().splitlines()[log_lines:]
    assert all(json.loads(line)["result"] == "failed" for line in records)
    app.configure(pg_bindir=app.server.bindir, repository=str(app.repository), lock_timeout=60)
    app.write_env(app.url())
    app.data.mkdir(exist_ok=True)
    app.succeed("backup")
    app.succeed("verify", "--all")


def fails(app, code: int, *words: str, arguments=("backup",)) -> None:
    """The run ends with ``code`` and says ``words``, on the screen and in the log."""
    result = app.run(*arguments)
    assert result.code == code, result.err
    for word in words:
        assert word in result.err, result.err
    assert "Traceback" not in result.err
    if arguments[0] == "backup" and code == 1:
        assert words[0] in app.log.read_text()
        assert words[0] in (app.repository / "backup_metadata.log").read_text()


def test_wrong_password(undisturbed):
    undisturbed.write_env(undisturbed.url(password="wrong"))
    fails(undisturbed, 1, "password authentication failed", "correct the user and password")


def test_server_down_is_a_failure_and_never_a_skip(undisturbed):
    undisturbed.write_env(undisturbed.url(port=1))
    fails(undisturbed, 1, "port 1", "start the server")


def test_missing_data_directory(undisturbed):
    os.rename(undisturbed.data, str(undisturbed.data) + ".away")
    fails(undisturbed, 1, str(undisturbed.data), "correct data_dir")
    os.rename(str(undisturbed.data) + ".away", undisturbed.data)


def test_unknown_backup_lists_the_nearest(undisturbed):
    newest = undisturbed.ids()[0]
    fails(undisturbed, 10, "there is no backup", newest, arguments=("restore", newest[:-1] + "x"))


def test_no_repository_yet(app):
    fails(app, 10, "there is no repository", arguments=("list",))


def test_second_run_at_the_same_time(undisturbed):
    undisturbed.sql("CREATE TABLE public.slow (x int)")
    blocker = blocking(undisturbed, "public.slow")
    first = undisturbed.start("backup", "--db-only")
    wait_for(lambda: os.listdir(undisturbed.repository / ".staging"))
    fails(undisturbed, 11, "another run: backup database", str(first.pid))
    first.terminate()
    assert first.wait(20) == 130
    blocker.kill()
    blocker.wait()


def test_pg_dump_that_dies_half_way(undisturbed, tmp_path):
    fake = tmp_path / "bin"
    fake.mkdir()
    for name in os.listdir(undisturbed.server.bindir):
        (fake / name).symlink_to(os.path.join(undisturbed.server.bindir, name))
    (fake / "pg_dump").unlink()
    (fake / "pg_dump").write_text(
        "#!/bin/bash\n"
        f'[ "$1" = --version ] && exec {undisturbed.server.bindir}/pg_dump --version\n'
        f'{undisturbed.server.bindir}/pg_dump "$@" | head -c 20000; echo "the disk of the server died" >&2; exit 1\n'
    )
    (fake / "pg_dump").chmod(0o755)
    undisturbed.configure(pg_bindir=str(fake))
    fails(undisturbed, 1, "the disk of the server died")


def test_a_client_older_than_the_server_is_refused(undisturbed, tmp_path):
    fake = tmp_path / "old"
    fake.mkdir()
    (fake / "psql").symlink_to(os.path.join(undisturbed.server.bindir, "psql"))
    (fake / "pg_dump").write_text('#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.24"\n')
    (fake / "pg_dump").chmod(0o755)
    undisturbed.configure(pg_bindir=str(fake))
    fails(undisturbed, 1, "pg_dump 9.6.24", "older than the server")


def test_no_client_at_all(undisturbed, tmp_path):
    undisturbed.configure(pg_bindir=str(tmp_path))
    fails(undisturbed, 1, "pg_dump: command not found", "postgresql-client")


def test_a_locked_table_is_named_after_the_timeout(undisturbed):
    undisturbed.configure(lock_timeout=1)
    blocker = blocking(undisturbed, "public.knowledge")
    fails(undisturbed, 1, "public.knowledge", "stayed locked for 1 s")
    blocker.kill()
    blocker.wait()


def test_row_security_is_never_a_filtered_dump(undisturbed):
    undisturbed.sql("ALTER TABLE audit.log ENABLE ROW LEVEL SECURITY; ALTER TABLE audit.log FORCE ROW LEVEL SECURITY")
    fails(undisturbed, 1, "row-level security")
    undisturbed.sql("ALTER TABLE audit.log DISABLE ROW LEVEL SECURITY")


@pytest.fixture
def small_disk(app, tmp_path):
    """The application with its repository on a file system of 64 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], check=True)
    app.repository = disk / "backups"
    app.configure(repository=str(app.repository))
    yield app
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_disk_too_small_is_foreseen(small_disk):
    (small_disk.repository.parent / "hog").write_bytes(b"x" * (60 << 20))
    fails(small_disk, 1, "the backup needs about", "free space")
    (small_disk.repository.parent / "hog").unlink()
    small_disk.succeed("backup")


@pytest.mark.parametrize("left", [0, 4096, 8192, 16384, 24576, 32768])
def test_a_disk_that_fills_during_the_run(small_disk, left):
    """The run waits for a lock while somebody else takes all but ``left`` bytes."""
    small_disk.succeed("backup")
    before = small_disk.files()
    blocker = blocking(small_disk, "public.knowledge")
    run = small_disk.start("backup")
    wait_for(lambda: waiting(small_disk))
    hog = small_disk.repository.parent / "hog"
    with open(hog, "wb") as file:
        try:
            while True:
                os.write(file.fileno(), b"x" * 4096)
        except OSError:
            os.ftruncate(file.fileno(), max(0, os.fstat(file.fileno()).st_size - left))
    blocker.kill()
    blocker.wait()
    _out, err = run.communicate(timeout=60)
    assert run.returncode == 1, err
    assert "No space left on device" in err
    assert small_disk.files() == before
    assert os.listdir(small_disk.repository / ".staging") == []
    hog.unlink()
    small_disk.succeed("backup")
    small_disk.succeed("verify", "--all")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_leaves_no_children_and_no_sessions(undisturbed, number):
    blocker = blocking(undisturbed, "public.knowledge")
    run = undisturbed.start("backup")
    wait_for(lambda: waiting(undisturbed))
    run.send_signal(number)
    assert run.wait(20) == (130 if number != signal.SIGKILL else -signal.SIGKILL)
    wait_for(lambda: not waiting(undisturbed), seconds=10)
    blocker.kill()
    blocker.wait()
    undisturbed.succeed("prune")  # sweeps


def test_a_session_killed_in_mid_dump(undisturbed):
    blocker = blocking(undisturbed, "public.knowledge")
    run = undisturbed.start("backup")
    wait_for(lambda: waiting(undisturbed))
    undisturbed.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    out, err = run.communicate(timeout=30)
    assert run.returncode == 1, out + err
    assert "terminating connection" in err
    blocker.kill()
    blocker.wait()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"retension": {}}, "did you mean retention?"),
        ({"compression": "rar"}, "compression is 'rar'"),
        ({"retention": {"full": {"days": "many"}}}, "retention.full.days"),
        ({"schedules": [{"kind": "full", "cron": "daily"}]}, "schedules[0].cron"),
        ({"data_dir": "relative"}, "data_dir is 'relative'"),
    ],
)
def test_a_wrong_configuration_names_the_key(app, changes, words):
    app.configure(**changes)
    fails(app, 64, words, arguments=("config", "validate"))


def blocking(app, table: str) -> subprocess.Popen:
    """A session that holds the strongest lock on ``table``."""
    blocker = subprocess.Popen(
        [f"{app.server.bindir}/psql", "-Xq", "-h", app.server.directory, "-p", str(app.server.port)]
        + ["-U", "postgres", "-d", app.database],
        stdin=subprocess.PIPE,
        text=True,
    )
    blocker.stdin.write(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n")
    blocker.stdin.flush()
    wait_for(lambda: app.server.psql("SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
                                     f" AND relation = '{table}'::regclass", app.database))  # fmt: skip
    return blocker


def waiting(app) -> str:
    """Sessions of ours on the server."""
    return app.server.psql("SELECT pid FROM pg_stat_activity WHERE application_name = 'mirai-backup'"
                           " AND wait_event_type = 'Lock'")  # fmt: skip


def wait_for(condition, seconds: float = 15) -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)
