"""matrix: a pair is out when Ansible, or what is found afterwards, says so; the others go on."""

import subprocess
from dataclasses import dataclass, field

import pytest
import yaml
from matrix import DEPRECATED, Round, inventory
from steps import Step, Wrong


@dataclass(frozen=True)
class Said:
    """A machine that answers every program with the same."""

    name: str
    status: int = 0
    output: str = ""
    asked: list = field(default_factory=list)

    def run(self, *argv, data=""):
        self.asked.append(argv)
        return subprocess.CompletedProcess(argv, self.status, self.output, "")


def recap(**hosts):
    return "PLAY RECAP ****\n" + "".join(
        f"{name}        : ok=9    changed={changed}    unreachable={away}    failed={failed}    skipped=1\n"
        for name, (changed, away, failed) in hosts.items()
    )


def taken(controller, holds=lambda done: None):
    this = Round("2.18", controller, [Said("a"), Said("b")], {})
    this.take(Step("setup", ("mirai.backup.setup",), holds))
    return this


def test_all_is_well():
    changes = {}
    this = taken(
        Said("c", output=recap(a=(3, 0, 0), b=(0, 0, 0))), lambda done: changes.update({done.target.name: done})
    )
    assert this.failures == {}
    assert {name: done.changed for name, done in changes.items()} == {"a": 3, "b": 0}
    assert this.controller.asked[0][-2:] == ("--limit", "a,b")


@pytest.mark.parametrize("counts", [(0, 1, 0), (0, 0, 1)])
def test_whom_ansible_names_is_out_alone(counts):
    this = taken(Said("c", 2, recap(a=(3, 0, 0), b=counts)))
    assert list(this.failures) == ["b"]
    assert [one.name for one in this.standing()] == ["a"]


def test_nobody_stands_where_ansible_names_nobody():
    this = taken(Said("c", 4, "ERROR! the role was not found\n"))
    assert list(this.failures) == ["a", "b"]
    assert "the role was not found" in this.failures["a"]


def test_what_is_found_afterwards_counts():
    def holds(done):
        if done.target.name == "a":
            raise Wrong("changed=1 where nothing is to be done: …")

    this = taken(Said("c", output=recap(a=(1, 0, 0), b=(0, 0, 0))), holds)
    assert this.failures == {"a": "setup: changed=1 where nothing is to be done: …"}


def test_a_deprecation_warning_counts():
    this = taken(Said("c", output=f"{DEPRECATED}: use something else\n" + recap(a=(0, 0, 0), b=(0, 0, 0))))
    assert "use something else" in this.failures["b"]


def test_the_inventory_keeps_the_password():
    group = yaml.safe_load(inventory([Said("a"), Said("b")]))["mirai"]
    assert list(group["hosts"]) == ["a", "b"]
    assert group["vars"]["app_password"] == "p@ss:w/ord?#%&+ \"q'$x;{}|\\パス"
