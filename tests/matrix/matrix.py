"""Runs the collection from its artifact: every controller against every target, over SSH, and prints what held.

matrix.py                       all pairs; writes docs/compatibility.md
matrix.py --quick               the oldest and the newest controller, one target each
matrix.py --controllers 2.19 --targets bullseye,trixie
"""

from __future__ import annotations

import argparse
import datetime
import re
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import machines
from compatibility import Cell, page, table
from machines import BIN, Broken, Machine
from steps import STEPS, Done, Step, Wrong

# Debian's Python is 3.11 on bookworm and 3.13 on trixie.
CONTROLLERS = {
    "2.18": ("bookworm", "ansible-core==2.18.*"),
    "2.19": ("bookworm", "ansible-core==2.19.*"),
    "newest": ("trixie", "ansible-core"),
}
TARGETS = ("bullseye", "bookworm", "trixie")
QUICK = (("2.18", ("bullseye",)), ("newest", ("trixie",)))
DOCUMENT = machines.ROOT / "docs" / "compatibility.md"
PASSWORD = "p@ss:w/ord?#%&+ \"q'$x;{}|\\パス"
_AT_ONCE = 2  # controllers; each waits for its targets most of the time
DEPRECATED = "[DEPRECATION WARNING]"
RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Round:
    """One controller, its targets, and which of them have failed, with the reason."""

    name: str
    controller: Machine
    targets: list[Machine]
    failures: dict[str, str]

    def standing(self) -> list[Machine]:
        return [target for target in self.targets if target.name not in self.failures]

    def take(self, step: Step) -> None:
        """Run the step's playbook over the targets that are left; who fails or is not as it must be, is out."""
        targets = self.standing()
        begun = time.monotonic()
        names = [target.name for target in targets]
        argv = (f"{BIN}ansible-playbook", *step.playbook, "--inventory", "/matrix/inventory.yml")
        done = self.controller.run(*argv, "--limit", ",".join(names))
        output = done.stdout + done.stderr
        recap = {name: [int(one) for one in numbers] for name, *numbers in RECAP.findall(output)}
        for target in targets:
            changed, unreachable, failed = recap.get(target.name, (0, 0, 0))
            problem = None
            if unreachable or failed or (done.returncode and not any(sum(one[1:]) for one in recap.values())):
                problem = f"ansible-playbook ended with {done.returncode}: {output[-3000:]}"
            problem = problem or _kept_from(step, Done(target, self.controller, changed, output))
            if DEPRECATED in output:
                problem = problem or f"deprecated: {output.partition(DEPRECATED)[2][:2000]}"
            if problem:
                self.failures[target.name] = f"{step.name}: {problem}"
                say(f"{target.name} FAILED at {self.failures[target.name]}")
        took = time.monotonic() - begun
        say(f"{self.name}: {step.name}: {len(self.standing())} of {len(targets)} in {took:.0f} s")


def _kept_from(step: Step, done: Done) -> Optional[str]:
    """What keeps the target from being as the step wants it."""
    try:
        step.holds(done)
    except (Broken, Wrong) as error:
        return str(error)
    return None


def say(words: str) -> None:
    print(f"matrix: {words}", flush=True)


def inventory(targets: list[Machine]) -> str:
    hosts = "".join(f"    {target.name}:\n" for target in targets)
    password = PASSWORD.replace("'", "''")
    return (
        f"mirai:\n  hosts:\n{hosts}  vars:\n    ansible_user: deploy\n"
        "    ansible_ssh_common_args: -o StrictHostKeyChecking=accept-new\n"
        f"    app_password: '{password}'\n"
    )


def run(name: str, suites: tuple[str, ...], artifact: Path) -> list[Cell]:
    """All steps by one controller over fresh targets."""
    suite, core = CONTROLLERS[name]
    controller = machines.controller(name, suite, core, artifact)
    key = controller.ask("cat", "/root/.ssh/id_ed25519.pub")
    targets = machines.targets(name, list(suites), key)
    controller.ask("tee", "/matrix/inventory.yml", data=inventory(targets))
    controller.ask("tee", "/matrix/drill_host.yml", data=f"mirai_drill:\n  hosts:\n    {targets[-1].name}:\n")
    this = Round(name, controller, targets, {})
    for step in STEPS:
        if this.standing() and (len(targets) > 1 or not step.among_several):
            this.take(step)
    version = controller.ask(f"{BIN}ansible", "--version")
    core, python = (re.search(what, version)[1] for what in (r"core ([\d.]+)", r"python version = ([\d.]+)"))
    cells = [
        Cell(
            controller=f"ansible-core {core}, Python {python}",
            target=_described(target, suite),
            failure=this.failures.get(target.name, ""),
        )
        for target, suite in zip(targets, suites)
    ]
    machines.remove([controller, *targets])
    return cells


def _described(target: Machine, suite: str) -> str:
    debian = target.ask("cat", "/etc/debian_version").strip()
    python = target.ask("python3", "--version").split()[1]
    server = target.ask("runuser", "-u", "postgres", "--", "psql", "-AtXc", "SHOW server_version").split()[0]
    return f"Debian {debian} ({suite}), Python {python}, PostgreSQL {server}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the oldest and the newest controller, one target each")
    parser.add_argument("--controllers", default=",".join(CONTROLLERS), help="some of %(default)s")
    parser.add_argument("--targets", default=",".join(TARGETS), help="some of %(default)s")
    asked = parser.parse_args()
    suites = tuple(one for one in TARGETS if one in asked.targets.split(","))
    rounds = QUICK if asked.quick else [(name, suites) for name in CONTROLLERS if name in asked.controllers.split(",")]
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machines.clear()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            machines.network()
            artifact = machines.artifact(Path(scratch))
            waiting = [pool.submit(run, name, targets, artifact) for name, targets in rounds]
            cells = [cell for one in waiting for cell in one.result()]
        except Broken as error:
            say(str(error))
            return 1
        finally:  # who still runs finds no machine, and ends
            pool.shutdown(wait=False, cancel_futures=True)
            machines.clear()
    print(table(cells), end="")
    say(f"{sum(not cell.failure for cell in cells)} of {len(cells)} passed in {time.monotonic() - begun:.0f} s")
    if len(cells) == len(CONTROLLERS) * len(TARGETS):
        DOCUMENT.write_text(page(cells, datetime.date.today(), [step.name for step in STEPS]), encoding="utf-8")
    return int(any(cell.failure for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
