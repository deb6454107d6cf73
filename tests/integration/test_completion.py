"""The completions in real shells, and the manual page: what is offered is what the command takes."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "roles" / "mirai_backup" / "files"
BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
compopt() { :; }
_mirai_backup
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def command(app, tmp_path):
    """The command for this application, named as it is installed, first on PATH; it has made one backup."""
    path = tmp_path / "bin" / "mirai-backup"
    path.parent.mkdir()
    words = " ".join(f"'{word}'" for word in app.argv()[:3])
    path.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}/plugins/module_utils" exec {words} --config "{app.config_path}" "$@"\n'
    )
    path.chmod(0o755)
    assert subprocess.run((path, "--quiet", "backup"), check=False).returncode == 0
    return path


def backup_id(command) -> str:
    done = subprocess.run((command, "list"), capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


def bash(*words) -> list:
    """What bash offers for the last of ``words``."""
    argv = ("bash", "-c", BASH, "bash", FILES / "mirai-backup.bash", *words)
    done = subprocess.run([str(one) for one in argv], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def fish(command, line) -> list:
    """What fish offers at the end of ``line``."""
    environment = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "HOME": str(command.parent)}
    script = f"source {FILES}/mirai-backup.fish; complete -C '{line}'"
    done = subprocess.run(("fish", "-c", script), env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [one.split("\t")[0] for one in done.stdout.splitlines()]


def test_bash_offers_verbs_options_and_values():
    assert bash("mirai-backup", "ba") == ["backup"]
    assert {"restore", "drill", "--config"} <= set(bash("mirai-backup", ""))
    assert bash("mirai-backup", "--json", "backup", "--d") == ["--db-only"]
    assert bash("mirai-backup", "list", "--kind", "") == ["full", "database", "json"]
    assert bash("mirai-backup", "config", "") == ["validate", "show", "test-alerts"]
    assert bash("mirai-backup", "backup", "--wait", "") == []


def test_bash_offers_the_backups_that_are_there(command, app):
    found = backup_id(command)
    assert bash(command, "restore", "mirai_") == [found]
    assert bash(command, "verify", "") == ["latest", "oldest", "latest-verified", found]
    assert bash(command, "--config", app.config_path, "info", "mirai_full") == [found]
    assert bash("/nowhere/mirai-backup", "restore", "la") == ["latest", "latest-verified"]


def test_bash_offers_paths_where_paths_belong(tmp_path):
    (tmp_path / "a dir").mkdir()
    (tmp_path / "a file").touch()
    argv = (FILES / "mirai-backup.bash", "mirai-backup", "restore", "latest", "--to-dir", f"{tmp_path}/a")
    done = subprocess.run(("bash", "-c", BASH, "bash", *argv), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{tmp_path}/a dir"]


def test_fish_offers_verbs_options_and_backups(command):
    assert "backup" in fish(command, "mirai-backup ba")
    assert "--db-only" in fish(command, "mirai-backup backup --d")
    assert fish(command, "mirai-backup restore mirai_") == [backup_id(command)]
    assert sorted(fish(command, "mirai-backup list --kind ")) == ["database", "full", "json"]


def test_zsh_takes_the_file_and_offers_verbs_options_and_backups(command):
    # zpty gives the completion a terminal, which zsh does not complete without.
    script = f"""
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PS1= PATH={command.parent}:$PATH fpath=({FILES} \\$fpath); autoload -U compinit; compinit -u -D"
    zpty -w shell "zstyle ':completion:*' list-colors ''; LISTMAX=1000; print READY"
    zpty -r shell seen '*READY*READY*' || zpty -r shell seen '*READY*'
    zpty -n -w shell "$1"$'\t\t'
    sleep 3
    while zpty -rt shell line; do print -r -- "$line"; done
    zpty -d shell
    """
    for line, offered in (
        ("mirai-backup roll", "rollback"),
        ("mirai-backup backup --db", "--db-only"),
        ("mirai-backup restore mirai_", backup_id(command)),
    ):
        done = subprocess.run(("zsh", "-f", "-c", script, "zsh", line), capture_output=True, text=True, check=False)
        assert offered in done.stdout, (line, done.stdout, done.stderr)


def test_the_manual_page_is_sound_and_shows_every_verb():
    lint = subprocess.run(
        ("mandoc", "-Tlint", "-Wwarning", FILES / "mirai-backup.1"), capture_output=True, text=True, check=False
    )
    assert (lint.returncode, lint.stdout) == (0, "")
    shown = subprocess.run(("mandoc", "-Tutf8", FILES / "mirai-backup.1"), capture_output=True, text=True, check=True)
    text = re.sub(r".\x08", "", shown.stdout)  # bold is a letter over itself
    for words in ("EXIT STATUS", "could not verify", "/etc/mirai-backup/config.json", "NO_COLOR"):
        assert words in text
