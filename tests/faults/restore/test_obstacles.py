"""What stands in the way of a restore: named before anything is touched, or endured."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from subject import chaotic


@pytest.fixture(params=[False, True], ids=["swap", "in-place"])
def damaged(subject, request):
    """The subject, damaged, with and without the right to create databases."""
    subject.damage(request.param)
    return subject


def refused(subject, words: str, code: int = 1, **environment: str) -> None:
    """A restore is refused with these words, and nothing has changed."""
    result = subject.app.run("restore", "latest", **environment)
    assert result.code == code, result.out + result.err
    assert words in result.err
    assert subject.app.content() == subject.damaged
    subject.assert_clean()


def test_corrupt_tail(damaged):
    artifact = next((damaged.app.repository / "full").glob("*.tar.gz"))
    whole = artifact.read_bytes()
    try:
        artifact.write_bytes(whole[:-100] + bytes(100))
        refused(damaged, "is damaged", 2)
        artifact.write_bytes(whole[:-100])
        refused(damaged, "no good backup", 10)
    finally:
        artifact.write_bytes(whole)


def test_missing_extension(damaged, tmp_path):
    """The server's control files are where an extension is looked for; a copy of the engine asks for another one."""
    engine = chaotic(tmp_path, "target.py", 'name = extension["name"]', 'name = "no_such_extension"')
    refused(damaged, "extension no_such_extension is not installed on the server", PYTHONPATH=engine)


def test_missing_role_without_the_right_to_make_it(subject, tmp_path):
    subject.damage(in_place=True)
    engine = chaotic(tmp_path, "roles.py", "for name in wanted if", 'for name in (*wanted, "gone") if')
    refused(subject, "role gone is not there", PYTHONPATH=engine)


def test_missing_locale(subject, tmp_path):
    subject.damage(in_place=False)
    engine = chaotic(tmp_path, "target.py", 'properties["ctype"]}', '"xx_XX.UTF-8"}')
    refused(subject, "locale xx_XX.UTF-8 is not there", PYTHONPATH=engine)


@pytest.mark.parametrize("half", ["database", "directory"])
def test_target_renamed_under_it(subject, half):
    """Somebody takes the live half away while the other one is made."""
    subject.damage(in_place=False)
    app = subject.app
    run = app.start("restore", "latest")
    while not list(app.backend.glob("data_restore_*")):
        assert run.poll() is None
        time.sleep(0.01)
    taken = app.directory / "taken"
    if half == "directory":
        os.rename(app.data, taken)
    else:
        app.server.psql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{app.database}';"
            f'ALTER DATABASE "{app.database}" RENAME TO "elsewhere"'
        )
    try:
        _out, err = run.communicate(timeout=60)
    finally:
        if half == "directory":
            os.rename(taken, app.data)
        else:
            app.server.psql(f'ALTER DATABASE "elsewhere" RENAME TO "{app.database}"')
    assert run.returncode == 1
    assert "was taken away during the restore" in err
    assert app.content() == subject.damaged
    subject.assert_clean()


def test_live_traffic_that_reconnects_all_the_time(damaged, tmp_path):
    """Eight clients of the application, each with a new connection for each transaction, and two that stay."""
    app = damaged.app
    script = tmp_path / "script.sql"
    script.write_text("SELECT count(*) FROM auth.users;\nUPDATE auth.users SET name = name WHERE id = 1;\n")
    program = Path(app.server.bindir) / "pgbench"
    arguments = ["-h", app.server.directory, "-p", str(app.server.port), "-U", "postgres", "-n", "-T", "60"]
    arguments += ["-f", script]
    loop = ["bash", "-c", 'while true; do "$0" "$@" >/dev/null 2>&1; done', str(program), *map(str, arguments)]
    kinds = (["-C", "-c", "8"], ["-c", "2"])
    crowd = [subprocess.Popen([*loop, *more, app.database], start_new_session=True) for more in kinds]
    try:
        time.sleep(1)
        result = app.run("--json", "restore", "latest")
    finally:
        for one in crowd:
            os.killpg(one.pid, 9)
            one.wait()
    assert result.code == 0, result.err
    assert result.document["window_seconds"] < 30
    assert app.content() == damaged.backed_up
    app.succeed("rollback")
    assert app.content() == damaged.damaged
    damaged.assert_clean()


def test_keep_previous_of_none(damaged):
    app = damaged.app
    app.configure(keep_previous=0)
    assert "keep_previous is 0" in app.succeed("restore", "latest", "--plan").out
    assert "let go" in app.succeed("restore", "latest").out
    assert app.content() == damaged.backed_up
    assert app.run("rollback").code == 10
    damaged.assert_clean()


def test_previous_states_that_go_are_announced(damaged):
    app = damaged.app
    app.succeed("restore", "latest")
    kept = app.succeed("--json", "list").document["previous_states"][0]["names"]
    assert kept in app.succeed("restore", "latest", "--plan").out
    assert kept in app.succeed("restore", "latest").out
    damaged.assert_clean()


def test_service_that_does_not_stop(damaged):
    damaged.app.configure(app_services=["no-such-unit-of-mirai"])
    refused_early = damaged.app.run("restore", "latest")
    assert refused_early.code == 1
    assert "no-such-unit-of-mirai did not" in refused_early.err
    assert damaged.app.content() == damaged.damaged
    damaged.app.configure(app_services=[])
    damaged.app.succeed("restore", "latest")
    assert damaged.app.content() == damaged.backed_up
    damaged.assert_clean()


def test_an_empty_target_needs_no_words(subject):
    """A backup of another application: refused where something would be lost, restored where nothing is."""
    subject.damage(in_place=False)
    app = subject.app
    app.configure(application="Another")
    try:
        refused(subject, f"--confirm {app.ids()[0]}@{os.uname().nodename}")
        app.server.psql(f'DROP DATABASE "{app.database}"')
        app.server.psql(f'CREATE DATABASE "{app.database}" OWNER "{app.database}"')
        for path in sorted(app.data.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        app.succeed("restore", "latest")
        assert app.content() == subject.backed_up
    finally:
        app.configure(application="app")
