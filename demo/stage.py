"""The demo's places, its voice, and the one way it runs commands."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
WORK = CHECKOUT / "demo" / ".work"
APP = WORK / "app"
BACKEND = APP / "backend"
PREFIX = WORK / "prefix"
COMMAND = PREFIX / "usr/local/bin/mirai-backup"


class DemoError(Exception):
    """Something is not as the demo claims. Its text is for people."""


def heading(number: int, text: str) -> None:
    print(f"\n━━ {number}. {text}", flush=True)


def tell(text: str) -> None:
    print(f"   {text}", flush=True)


def shown(argv: tuple[str, ...]) -> str:
    """The command as a person in the checkout would type it."""
    return shlex.join(argument.replace(f"{CHECKOUT}/", "") for argument in argv)


def environment() -> dict[str, str]:
    """This process's environment, with Ansible told to keep to the checkout and to demo/.work."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PG"))}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_HOME": str(WORK / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(WORK / "ansible" / "local"),
        "ANSIBLE_REMOTE_TEMP": str(WORK / "ansible" / "remote"),
        "ANSIBLE_DISPLAY_OK_HOSTS": "false",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_NOCOLOR": "1",
    }


@dataclass(frozen=True)
class Done:
    """What came of a command: the seconds it took and what it said."""

    seconds: float
    output: str


def run(*argv: str) -> Done:
    """Echo a command and run it in the checkout, with its output indented.

    Raises DemoError when it exits with anything but 0.
    """
    print(f"   $ {shown(argv)}", flush=True)
    started = time.monotonic()
    said = []
    with subprocess.Popen(
        argv,
        cwd=CHECKOUT,
        env=environment(),
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            for line in process.stdout:
                said.append(line)
                print(f"   │ {line}" if line.strip() else "   │\n", end="", flush=True)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise DemoError(f"exit status {process.returncode} of: {shown(argv)}")
    return Done(time.monotonic() - started, "".join(said))


def same(what: str, before: dict, after: dict) -> None:
    """Raise DemoError that names up to five differing entries unless both are equal."""
    differing = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    if differing:
        lines = "".join(f"\n     {key}: {before.get(key)} → {after.get(key)}" for key in differing[:5])
        raise DemoError(f"{what}: {len(differing)} differ, such as{lines}")
