# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the answers of all servers into one document, worst first: what is wrong where, and what to do next."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Optional

SCHEMA = 1
# Worst first. Of a server that is not set up or does not answer it is not known that anything is there to restore.
STATES = ("problem", "not_set_up", "unreachable", "warning", "ok")
_LONGEST_MESSAGE = 600
# What each next step is on the command line, after the words for it on the page.
_COMMANDS = {
    "reach": "ansible {host} -m ansible.builtin.ping",
    "set_up": "ansible-playbook mirai.backup.setup -e target={host}",
    "back_up": "ansible-playbook mirai.backup.backup -e target={host}",
    "drill": "ansible-playbook mirai.backup.restore_test -e target={host}",
    "push": "ansible {host} --become -a '/usr/local/bin/mirai-backup push'",
    "verify": "ansible {host} --become -a '/usr/local/bin/mirai-backup verify --all'",
    "ask": "ansible {host} --become -a '/usr/local/bin/mirai-backup check'",
}


@dataclass(frozen=True)
class Host:
    """One server. ``status`` is what ``backup_info`` returned under that name, None where it returned none.

    ``action`` names the next step, empty where there is nothing to do; ``advice`` is what an error itself advised.
    """

    name: str
    state: str
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    action: str = ""
    advice: str = ""
    status: Optional[dict] = None

    def next_step(self) -> str:
        """What to do, as a command or, where an error gave one, its advice."""
        return self.advice or self.command()

    def command(self) -> str:
        """The command of the next step, empty where there is none."""
        return _COMMANDS[self.action].format(host=shlex.quote(self.name)) if self.action else ""

    def document(self) -> dict:
        """The server as JSON values."""
        return {
            "name": self.name,
            "state": self.state,
            "problems": list(self.problems),
            "warnings": list(self.warnings),
            "next_step": self.next_step(),
            "status": self.status,
        }


def host(name: str, answer: dict) -> Host:
    """Judge what came of asking one server: ``answer`` is the task's result, with ``status`` or with an error."""
    status = answer.get("status")
    if status is not None:
        return _judged(name, status)
    message = _one_line(answer.get("error") or answer.get("msg") or "it gave no answer")
    if answer.get("unreachable"):
        return Host(name, "unreachable", (message,), action="reach")
    if answer.get("error_type") == "NotSetUpError":
        return Host(name, "not_set_up", (message,), action="set_up")
    advice = _one_line(answer.get("next_step") or "")
    return Host(name, "problem", (message,), action="" if advice else "ask", advice=advice)


def ordered(hosts: list[Host]) -> list[Host]:
    """Worst first; among equals the one with the oldest backup, then by name."""
    return sorted(hosts, key=lambda one: (STATES.index(one.state), -_oldest(one), one.name))


def counts(hosts: list[Host]) -> dict[str, int]:
    """How many servers are in each state, worst first; states that do not occur are there with 0."""
    return {state: sum(one.state == state for one in hosts) for state in STATES}


def verdict(hosts: list[Host]) -> str:
    """``ok``, ``warning`` or ``problem``. A fleet without servers is a problem: nothing was looked at."""
    found = {one.state for one in hosts}
    if found == {"ok"}:
        return "ok"
    return "warning" if found and found <= {"ok", "warning"} else "problem"


def document(hosts: list[Host], time: str) -> dict:
    """The fleet as JSON values. Schema 1."""
    return {
        "schema": SCHEMA,
        "time": time,
        "verdict": verdict(hosts),
        "counts": counts(hosts),
        "hosts": [one.document() for one in ordered(hosts)],
    }


def lines(hosts: list[Host]) -> tuple[str, ...]:
    """For people: the count, then each server that is not ok with what is wrong and what to do."""
    said = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts(hosts).items() if count)
    found = [f"{len(hosts)} {'server' if len(hosts) == 1 else 'servers'}: {said or 'nothing was looked at'}"]
    for one in ordered(hosts):
        if one.state != "ok":
            found.append(f"{one.name}: {one.state.replace('_', ' ')}: {'; '.join(one.problems + one.warnings)}")
            found += [f"  next: {one.next_step()}"] if one.next_step() else []
    return tuple(found)


def _judged(name: str, status: dict) -> Host:
    problems, warnings = (tuple(map(_one_line, status[key])) for key in ("problems", "warnings"))
    state = "problem" if problems else "warning" if warnings else "ok"
    return Host(name, state, problems, warnings, action=_action(status, state), status=status)


def _action(status: dict, state: str) -> str:
    """The next step, from what the figures show; where they are all good, the findings speak for themselves."""
    if state == "ok":
        return ""
    halves = status["halves"].values()
    if any(half is None or half["age_seconds"] > status["max_age_seconds"] for half in halves):
        return "back_up"
    if state == "problem" and status["drill_wanted"] and (status["drill"] or {}).get("verdict") != "pass":
        return "drill"
    if state == "problem" and status["lagging_stores"]:
        return "push"
    return "verify" if state == "problem" else ""


def _oldest(one: Host) -> float:
    """The age of the older half's newest backup in seconds, without end where a half has none."""
    if one.status is None:
        return float("inf")
    return max((half["age_seconds"] if half else float("inf") for half in one.status["halves"].values()), default=0)


def _one_line(message: str) -> str:
    """A message of any length and shape in one line."""
    words = " ".join(str(message).split())
    return words if len(words) <= _LONGEST_MESSAGE else f"{words[:_LONGEST_MESSAGE]}…"
