"""What `restore.yml` and `rollback.yml` refuse before they connect to anything: misspelt options, unnamed servers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def play(tmp_path):
    """Runs a playbook on two servers that do not exist; gives what it said."""
    inventory = tmp_path / "inventory.ini"
    settings = ("ansible_connection=local", f"ansible_python_interpreter={sys.executable}", "to_dirs=of somebody's own")
    inventory.write_text("\n".join(("[mirai]", "a.invalid", "b.invalid", "[mirai:vars]", *settings, "")))
    program = Path(sys.executable).with_name("ansible-playbook")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"}

    def run(playbook: str, *arguments: str) -> str:
        # Under a prefix where nothing is: what the guard lets through finds a fresh server, and would set it up.
        argv = [program, f"playbooks/{playbook}.yml", "-i", inventory, "-e", f"mirai_backup_prefix={tmp_path}"]
        argv += ["-e", "mirai_backup_become=false", *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=120)
        assert done.returncode or "--check" in arguments, done.stdout
        return " ".join((done.stdout + done.stderr).split())

    return run


@pytest.mark.parametrize("playbook", ["restore", "rollback"])
def test_servers_are_named(play, playbook):
    said = play(playbook, "-e", "backup=latest")
    assert "would replace what is in service on 2 servers" in said and "--limit SERVER" in said


@pytest.mark.parametrize(
    "option, meant",
    [("tabel=public.knowledge", "table"), ("to_databse=look", "to_database"), ("component=database", "components")],
)
def test_a_misspelt_option_is_not_ignored(play, option, meant):
    said = play("restore", "--limit", "a.invalid", "-e", "backup=latest", "-e", option)
    assert f"No option is called {option.partition('=')[0]} ({meant}?)" in said


def test_a_misspelt_target_does_not_roll_everything_back(play):
    assert "No option is called targt (target?)" in play("rollback", "-e", "targt=a.invalid")


def test_what_is_named_passes(play):
    for named in (["--limit", "a.invalid"], ["-e", "target=mirai"]):
        assert "Say which backup to restore" in play("restore", *named)


def test_the_plan_of_every_server_may_be_looked_at(play):
    assert "was never set up" in play("restore", "--check", "-e", "backup=latest")
