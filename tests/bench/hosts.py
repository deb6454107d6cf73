"""Times ``playbooks/setup.yml`` over many hosts that are all this machine, each below a prefix of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from peaks import CommandFailed

if TYPE_CHECKING:
    from subject import Subject

ROOT = Path(__file__).resolve().parents[2]
FORKS = 20


@dataclass(frozen=True)
class Setups:
    """Seconds of the first and the second run over ``hosts``, and of a second run on one; what the second changed."""

    hosts: int
    first: float
    second: float
    one: float
    changed: int


def setups(subject: Subject, count: int) -> Setups:
    """Set ``count`` hosts up twice, then one of them again."""
    inventory = subject.directory / "hosts.ini"
    inventory.write_text("[mirai]\n" + "".join(_host(subject, number) for number in range(count)))
    first, _said = _play(inventory, "all")
    second, said = _play(inventory, "all")
    one, _said = _play(inventory, "host0")
    changed = sum(int(number) for number in re.findall(r"changed=(\d+)", said))
    return Setups(count, first, second, one, changed)


def _host(subject: Subject, number: int) -> str:
    """A line of the inventory; the host's application is a directory of its own with the same database."""
    place = subject.directory / "hosts" / str(number)
    (place / "root").mkdir(parents=True)
    (place / "app" / "backend" / "data").mkdir(parents=True)
    (place / "app" / "backend" / "data" / "knowledge.json").write_text("[]")
    shutil.copy(subject.backend / ".env", place / "app" / "backend" / ".env")
    values = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "mirai_backup_become": "false",
        "mirai_backup_prefix": place / "root",
        "mirai_backup_app_dir": place / "app",
        "mirai_backup_pg_bindir": subject.server.bindir,
        "mirai_backup_manage_packages": "false",
    }
    return f"host{number} " + " ".join(f"{name}={value}" for name, value in values.items()) + "\n"


def _play(inventory: Path, limit: str) -> tuple[float, str]:
    argv = ["ansible-playbook", str(ROOT / "playbooks" / "setup.yml"), "-i", str(inventory), "--limit", limit]
    environment = {
        **os.environ,
        "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ.get('PATH', '')}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
    }
    begun = time.monotonic()
    done = subprocess.run(
        [*argv, "--forks", str(FORKS)], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )
    if done.returncode:
        raise CommandFailed(f"{argv} ended with status {done.returncode}: {(done.stdout + done.stderr)[-3000:]}")
    return time.monotonic() - begun, done.stdout
