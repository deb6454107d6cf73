"""What each controller does to its targets, step by step, and what must be so on each target afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Callable

from machines import Machine

SHARED = "/matrix/molecule/shared"
RESTORE = "/matrix/molecule/restore"
REPORTS = "/root/reports"
BACKEND = "/opt/Mirai-Knowledge-Systems/backend"


class Wrong(Exception):
    """Something on a target is not as it must be; the message says what, and what was found."""


@dataclass(frozen=True)
class Done:
    """What a playbook did to one target: the line of Ansible's recap, and what it printed of all."""

    target: Machine
    controller: Machine
    changed: int
    output: str


@dataclass(frozen=True)
class Step:
    """A playbook with its options, and what must hold for each target after it."""

    name: str
    playbook: tuple[str, ...]
    holds: Callable[[Done], None]
    among_several: bool = False  # one target drills for the others


def _nothing_more(done: Done) -> None:
    """Ansible's own verdict is all that is asked for."""


def _prepared(done: Done) -> None:
    _expect("table public.projects" in _state(done), "the application has no data", _state(done)[:500])


def _shown(done: Done) -> None:
    there = done.target.run("ls", "-d", "/etc/mirai-backup", "/usr/local/bin/mirai-backup", f"{BACKEND}/backups")
    _expect(not there.stdout, "check mode left something behind", there.stdout)
    _expect(done.changed > 0, "check mode foresees no change on a server that has nothing", done.output)


def _set_up(done: Done) -> None:
    _expect(done.changed > 0, "nothing was changed on a server that had nothing", done.output)
    _expect(len(_full(done)) == 1, "there is not one first backup", _full(done))


def _unchanged(done: Done) -> None:
    _expect(done.changed == 0, f"changed={done.changed} where nothing is to be done", done.output)


def _backed_up(done: Done) -> None:
    _expect(len(_full(done)) == 2, "there are not two backups now", _full(done))
    for one in _full(done):
        done.target.ask("test", "-s", f"{one['path']}.manifest.json")
    done.target.ask("mirai-backup", "verify", "--all")


def _drilled(done: Done) -> None:
    _passed(done, "own")


def _carried(done: Done) -> None:
    drill = _passed(done, "carried")
    _expect(drill["place"]["server_version"].startswith("17."), "not drilled on the drill host", drill["place"])
    left = done.target.ask("find", "/tmp", "/var/tmp", "-name", "mirai-carry-*")
    _expect(not left, "carrying left something behind", left)


def _passed(done: Done, reports: str) -> dict:
    """The report on the controller: the drill of this target, passed."""
    drill = json.loads(done.controller.ask("cat", f"{REPORTS}/{reports}/{done.target.name}/drill.json"))
    _expect(drill["verdict"] == "pass", f"the drill's verdict is {drill['verdict']}", drill["differences"])
    tables = sum(line.startswith("table ") for line in _state(done).splitlines())
    _expect(len(drill["tables"]) == tables, f"not all {tables} tables were compared", drill["checks"])
    return drill


def _damaged(done: Done) -> None:
    _expect(_state(done) != _kept(done, "before"), "the damage did nothing", "")


def _planned(done: Done) -> None:
    _expect(_state(done) == _kept(done, "damaged"), "check mode changed the application", "")
    for name in ("search_history", "made_by_the_damage", "knowledge.json"):
        _expect(name in done.output, f"the plan does not speak of {name}", done.output)


def _restored(done: Done) -> None:
    _expect(_state(done) == _kept(done, "before"), "the application is not what it was before the damage", "")
    counted = done.target.ask(
        *("runuser", "-u", "postgres", "--", "psql", "-AtX", "-d", "mirai_knowledge_db"),
        *("-c", "SELECT count(*) FROM audit.access_logs"),
    )
    line = next(line for line in _kept(done, "before").splitlines() if line.startswith("table audit.access_logs "))
    _expect(int(counted) == int(line.split()[2]) > 0, "the rows of the emptied table are not back", f"{counted} {line}")


def _rolled_back(done: Done) -> None:
    _expect(_state(done) == _kept(done, "damaged"), "the application is not what it was before the restore", "")


def _state(done: Done) -> str:
    return done.target.ask("application-state")


def _kept(done: Done, name: str) -> str:
    return done.target.ask("cat", f"/root/{name}.state")


def _full(done: Done) -> list[dict]:
    return json.loads(done.target.ask("mirai-backup", "--json", "list", "--kind", "full"))["backups"]


def _expect(holds: bool, words: str, found: object) -> None:
    if not holds:
        raise Wrong(f"{words}: {found}")


_SHOW = ("--check", "--diff")
_LATEST = ("mirai.backup.restore", "--extra-vars", "backup=latest")
STEPS = (
    Step("an application server", (f"{SHARED}/prepare.yml", "--become"), _prepared),
    Step("setup, --check --diff", ("mirai.backup.setup", *_SHOW), _shown),
    Step("setup", ("mirai.backup.setup",), _set_up),
    Step("setup again", ("mirai.backup.setup",), _unchanged),
    Step("setup again, --check --diff", ("mirai.backup.setup", *_SHOW), _unchanged),
    Step("backup", ("mirai.backup.backup",), _backed_up),
    Step("status", ("mirai.backup.status",), _nothing_more),
    Step("drill", ("mirai.backup.restore_test", "--extra-vars", f"drill_reports={REPORTS}/own"), _drilled),
    Step(
        "drill of carried backups",
        (
            *("mirai.backup.restore_test", "--inventory", "/matrix/drill_host.yml"),
            *("--extra-vars", f"drill_reports={REPORTS}/carried"),
        ),
        _carried,
        among_several=True,
    ),
    Step("damage", (f"{RESTORE}/damage.yml",), _damaged),
    Step("restore, --check --diff", (*_LATEST, *_SHOW), _planned),
    Step("restore", _LATEST, _restored),
    Step("rollback", ("mirai.backup.rollback",), _rolled_back),
)
