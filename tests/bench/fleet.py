"""Measure playbooks/status.yml over simulated servers on this machine: seconds, and seconds per server, by forks.

    python3 tests/bench/fleet.py [--hosts 100] [--backups 30] [--forks 5,10,20]

Each server is a name in the inventory with a local connection, a prefix, a configuration and a repository of its own.
Some are late, damaged, broken, not set up or out of reach; the run fails unless the report says so of each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(1, str(ROOT / "plugins" / "module_utils"))

import machine
import simulated

PLAYBOOK = ROOT / "playbooks" / "status.yml"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=100, help="simulated servers (default: %(default)s)")
    parser.add_argument("--backups", type=int, default=30, help="backups on each (default: %(default)s)")
    parser.add_argument("--forks", default="5,10,20", help="how many at a time (default: %(default)s)")
    options = parser.parse_args()
    forks = [int(one) for one in options.forks.split(",")]
    with tempfile.TemporaryDirectory(prefix="mirai-fleet-") as name:
        inventory, states = simulated.build(Path(name), options.hosts, options.backups, sys.executable)
        print(f"{options.hosts} servers with {options.backups} backups each; {machine.cores()} cores. {machine.busy()}")
        print("| forks | seconds | seconds per server |\n|---|---|---|")
        for many in forks:
            seconds = run(inventory, Path(name) / "reports", many, states)
            print(f"| {many} | {seconds:.1f} | {seconds / options.hosts:.2f} |", flush=True)
    return 0


def run(inventory: Path, reports: Path, forks: int, states: "dict[str, str]") -> float:
    """Seconds that the playbook took. Raises SystemExit unless it fails at its end and the report is right."""
    argv = ("ansible-playbook", PLAYBOOK, "-i", inventory, "--forks", str(forks), "-e", f"status_reports={reports}")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    started = time.monotonic()
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    if done.returncode != 2 or not (reports / "status.json").exists():
        raise SystemExit(f"exit status {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    found = json.loads((reports / "status.json").read_text(encoding="utf-8"))
    wrong = {one["name"]: one["state"] for one in found["hosts"] if states.get(one["name"]) != one["state"]}
    if wrong or len(found["hosts"]) != len(states):
        raise SystemExit(f"{len(found['hosts'])} of {len(states)} servers in the report; wrong: {wrong}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
