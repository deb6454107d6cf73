"""What the matrix found, as a table and as docs/compatibility.md."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One controller against one target; ``failure`` is empty where everything held."""

    controller: str
    target: str
    failure: str


def table(cells: list[Cell]) -> str:
    """A row for each target, a column for each controller."""
    controllers = list(dict.fromkeys(cell.controller for cell in cells))
    found = {(cell.target, cell.controller): cell for cell in cells}
    rows = [["target", *controllers], ["---"] * (len(controllers) + 1)]
    for target in dict.fromkeys(cell.target for cell in cells):
        rows.append([target, *(_word(found.get((target, one))) for one in controllers)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _word(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    return f"FAILED: {cell.failure.partition(':')[0]}" if cell.failure else "passed"


def page(cells: list[Cell], day: datetime.date, steps: list[str]) -> str:
    """The whole document of a run on ``day``."""
    listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return f"""<!-- written by tests/matrix/matrix.py: make matrix -->
# Compatibility

Run on {day}: controllers against targets, from the artifact that Galaxy gets. A dash is a pair that was not run.

{table(cells)}
Controllers are containers of Debian with ansible-core from the package index in a virtual environment, and no
collection but this one. Targets are containers of Debian with systemd, sshd and the distribution's PostgreSQL, reached
over SSH as an account that becomes root. Each pair has a fresh target and does, by full names (`mirai.backup.setup` …):

{listed}

After each step the target is looked at: check mode has changed nothing, a second run changes nothing, every backup has
its manifest and is decoded, the drill passes and has compared every table, the restored application is row by row and
file by file what it was before the damage, and after the rollback what it was before the restore. Backups are carried
to a drill host with PostgreSQL 17. A deprecation warning of Ansible fails the pair.

`make matrix` runs this; `make test` runs the oldest and the newest controller against one target each. The unit tests
run on every Python from 3.9 to 3.14 that is there (`tests/ansible_test.sh units`).

## Not verified

- **The RedHat family was never run on a machine.** The role knows its package names, paths and services; unit tests
  hold these to what the role and the engine need of them. Try a server before you rely on it.
- Other distributions are refused; a set-up below `mirai_backup_prefix` works where Python 3.9 and PostgreSQL's clients
  are there.
- Machines with a kernel of their own: the targets share that of their host.
"""
