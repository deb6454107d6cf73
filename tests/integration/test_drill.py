"""The drill's own place, whatever is configured."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile


def test_the_directory_may_have_a_path_longer_than_a_socket_may(app):
    with tempfile.TemporaryDirectory(prefix="d" * 90, dir="/var/tmp") as directory:
        os.chmod(directory, 0o711)
        app.configure(drill_dir=directory)
        app.succeed("backup")
        drill = app.run("--json", "drill").document
        assert {one["verdict"] for one in drill["checks"]} == {"pass", "not_configured"}, drill["checks"]
        assert drill["verdict"] == "pass"
        assert os.listdir(directory) == []


def test_interrupted_while_rows_are_proven_it_is_no_drill(app):
    app.succeed("backup")
    code = (
        "import os, signal, sys; from mirai_backup import cli, fingerprint\n"
        "fingerprint.take = lambda *_arguments: os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    argv = [sys.executable, "-c", code, *app.argv("drill")[3:]]
    done = subprocess.run(argv, env=app.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 130, done.stderr
    assert not (app.repository / "drills").exists()


def test_another_repository_can_be_drilled(app):
    app.succeed("backup")
    elsewhere = app.directory / "brought"
    shutil.move(app.repository, elsewhere)
    assert app.run("drill").code == 10
    drill = app.succeed("--json", "drill", "--repository", str(elsewhere)).document
    assert drill["verdict"] == "pass"
    assert drill["directory"].startswith(str(elsewhere))


def test_an_encoding_set_for_the_role_does_not_reach_the_dump(app):
    app.server.psql(f"ALTER ROLE \"{app.database}\" SET client_encoding TO 'latin1'")
    app.succeed("backup", "--db-only")
    app.succeed("restore", "latest", "--db-only", "--to-database", f"{app.database} copy")


def test_the_four_damages_of_the_negative_control_are_each_named(app):
    app.succeed("backup")
    controls = [app.succeed("--json", "drill").document["negative_control"] for _turn in range(5)]
    archive = r"mirai_full_\d{8}_\d{6}\.tar\.gz"
    seen = {
        "truncation": rf"byte (\d+) of (\d+) of ({archive})\n\3 is damaged: \1 bytes instead of \2\b",
        "flipped_bytes": rf"byte \d+ of \d+ of ({archive})\n\1 is damaged: its SHA-256 is not the manifest's",
        "row_changed": r"one value of (\w+\.\w+)\.\w+\ntable \1 has other content in its \d+ rows",
        "file_dropped": r"(data/\S+)\n\1 is missing",
    }
    assert [one["damage"] for one in controls] == [*seen, "truncation"]
    for control in controls:
        assert control["verdict"] == "pass"
        told = f"{control['where']}\n{control['found_by']}"
        assert re.match(seen[control["damage"]], told), told
