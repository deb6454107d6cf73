"""Hooks around runs: what they are told, and what becomes of the run where one fails, hangs or the run is ended."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

HOOK = """#!/bin/sh
echo "$1 $MIRAI_BACKUP_VERB $MIRAI_BACKUP_KIND $MIRAI_BACKUP_RESULT $MIRAI_BACKUP_EXIT_CODE" >> {file}
echo "$1 $MIRAI_BACKUP_ID" >> {file}.ids
echo "$MIRAI_BACKUP_ERROR" >> {file}.errors
{more}
"""


@pytest.fixture
def hooked(app, tmp_path):
    """The application with hooks that note what they were told; ``hooked.more`` is put into them."""
    file = tmp_path / "hooks.log"

    def write(more: str = "") -> None:
        script = tmp_path / "hook"
        script.write_text(HOOK.format(file=file, more=more))
        script.chmod(0o755)

    def hook(word: str, **values) -> dict:
        return {"command": [str(tmp_path / "hook"), word], **values}

    app.write_hook, app.hook = write, hook
    app.hook_lines = lambda: file.read_text().splitlines()
    app.hook_file = file
    write()
    app.configure(
        hooks={
            "before_backup": [hook("before")],
            "after_backup": [hook("after")],
            "before_restore": [hook("before")],
            "after_restore": [hook("after")],
        }
    )
    return app


def test_hooks_around_backup_restore_and_rollback(hooked):
    hooked.succeed("backup")
    hooked.succeed("restore", "latest")
    hooked.succeed("rollback")
    assert hooked.hook_lines() == [
        "before backup full  ",
        "after backup full ok 0",
        "before restore full  ",
        "after restore full ok 0",
        "before rollback   ",
        "after rollback  ok 0",
    ]
    newest = hooked.ids()[0]
    ids = Path(f"{hooked.hook_file}.ids").read_text().splitlines()
    assert ids == ["before ", f"after {newest}", "before latest", f"after {newest}", "before ", f"after {newest}"]


def test_restore_beside_needs_no_maintenance(hooked):
    hooked.succeed("backup")
    hooked.hook_file.unlink()
    hooked.succeed("restore", "latest", "--json-only", "--to-dir", str(hooked.directory / "beside"))
    assert not hooked.hook_file.exists()


def test_damage_is_found_before_anything_is_stopped(hooked):
    hooked.succeed("backup")
    hooked.hook_file.unlink()
    path = Path(hooked.succeed("--json", "list").document["backups"][0]["path"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    result = hooked.run("restore", "latest", "--db-only")
    assert result.code == 2 and f"{path.name} is damaged: its SHA-256 is not the manifest's" in result.err
    assert not hooked.hook_file.exists()


def test_hooks_run_after_a_failure_and_know_it(hooked):
    hooked.write_env(hooked.url(port=1))
    assert hooked.run("backup").code == 1
    assert hooked.hook_lines() == ["before backup full  ", "after backup full failed 1"]
    assert "port 1" in Path(f"{hooked.hook_file}.errors").read_text()


def test_before_hook_aborts_or_warns(hooked):
    hooked.write_hook('[ "$1" = after ] || { echo no maintenance page >&2; exit 3; }')
    result = hooked.run("backup")
    assert result.code == 1
    assert "hook before_backup[0]" in result.err and "no maintenance page" in result.err
    assert hooked.hook_lines()[-1] == "after backup full failed 1"
    hooked.configure(hooks={"before_backup": [hooked.hook("before", on_failure="warn")]})
    result = hooked.run("--json", "backup")
    assert result.code == 0 and "no maintenance page" in result.document["watching"][0]


def test_hook_out_of_time(hooked):
    hooked.configure(hooks={"before_backup": [{"command": ["sleep", "60"], "timeout": 1}]})
    begun = time.monotonic()
    assert "did not finish within 1 s" in hooked.run("backup").err
    assert time.monotonic() - begun < 20


def test_terminated_run_leaves_maintenance_mode(hooked):
    hooked.write_hook('[ "$1" = after ] || sleep 30')
    process = hooked.start("backup")
    deadline = time.monotonic() + 30
    while not hooked.hook_file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert hooked.hook_lines() == ["before backup full  ", "after backup full failed 130"]
