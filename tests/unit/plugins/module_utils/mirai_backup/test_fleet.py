"""fleet: every server has a state, a reason and a next step, and the worst comes first."""

import shlex

import pytest
from fleets import BROKEN, NOT_SET_UP, NOW, UNREACHABLE, answers, drill, half, status
from hypothesis import given
from mirai_backup import fleet


def host(name="app1", **answer):
    return fleet.host(name, answer)


def judged(**values):
    return host(status=status(**values))


LATE = {"database": half(age=30 * 3600), "json": half()}
EMPTY = {"database": None, "json": half()}


@pytest.mark.parametrize(
    ("one", "state", "next_step"),
    [
        (judged(), "ok", ""),
        (judged(warnings=["roles without passwords"]), "warning", ""),
        (judged(problems=["old"], halves=LATE), "problem", "ansible-playbook mirai.backup.backup -e target=app1"),
        (judged(problems=["none"], halves=EMPTY), "problem", "ansible-playbook mirai.backup.backup -e target=app1"),
        (
            judged(problems=["f"], drill=drill("fail")),
            "problem",
            "ansible-playbook mirai.backup.restore_test -e target=app1",
        ),
        (judged(problems=["f"], drill=None), "problem", "ansible-playbook mirai.backup.restore_test -e target=app1"),
        (
            judged(problems=["lag"], lagging_stores=["s3"]),
            "problem",
            "ansible app1 --become -a '/usr/local/bin/mirai-backup push'",
        ),
        (
            judged(problems=["key x expires in 9 d"]),
            "problem",
            "ansible app1 --become -a '/usr/local/bin/mirai-backup verify --all'",
        ),
        (host(**UNREACHABLE), "unreachable", "ansible app1 -m ansible.builtin.ping"),
        (host(**NOT_SET_UP), "not_set_up", "ansible-playbook mirai.backup.setup -e target=app1"),
        (host(**BROKEN), "problem", "did you mean y?"),
        (
            host(msg="MODULE FAILURE", failed=True),
            "problem",
            "ansible app1 --become -a '/usr/local/bin/mirai-backup check'",
        ),
        (host(), "problem", "ansible app1 --become -a '/usr/local/bin/mirai-backup check'"),
    ],
)
def test_state_and_next_step(one, state, next_step):
    assert (one.state, one.next_step()) == (state, next_step)
    assert bool(one.problems + one.warnings) == (state != "ok")


def test_a_message_is_one_line_and_no_longer_than_a_person_reads():
    assert host(**UNREACHABLE).problems == ("Failed to connect: refused",)
    assert len(host(msg="x" * 10_000).problems[0]) == 601


def test_a_name_cannot_leave_its_place_in_a_command():
    name = "a b; $(rm x) 'q'"
    assert shlex.split(host(name, **UNREACHABLE).next_step())[1] == name


def test_worst_first_then_the_oldest_backup_then_by_name():
    hosts = [
        host("ok", status=status()),
        host("warned", status=status(warnings=["w"])),
        host("b-late", status=status(problems=["old"], halves=LATE)),
        host("a-damaged", status=status(problems=["not whole"])),
        host("away", **UNREACHABLE),
        host("new", **NOT_SET_UP),
        host("z-broken", **BROKEN),
    ]
    names = ["z-broken", "b-late", "a-damaged", "new", "away", "warned", "ok"]
    assert [one.name for one in fleet.ordered(hosts)] == names
    document = fleet.document(hosts, NOW)
    assert [one["name"] for one in document["hosts"]] == names
    assert document["counts"] == {"problem": 3, "not_set_up": 1, "unreachable": 1, "warning": 1, "ok": 1}
    assert fleet.lines(hosts)[:3] == (
        "7 servers: 3 problem, 1 not set up, 1 unreachable, 1 warning, 1 ok",
        "z-broken: problem: key x is unknown",
        "  next: did you mean y?",
    )


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ((), "problem"),
        (("ok",), "ok"),
        (("ok", "warning"), "warning"),
        (("warning", "unreachable"), "problem"),
        (("ok", "not_set_up"), "problem"),
    ],
)
def test_the_verdict_is_that_of_the_worst_and_of_nothing_a_problem(states, verdict):
    assert fleet.verdict([fleet.Host(str(index), state) for index, state in enumerate(states)]) == verdict


@given(answers)
def test_no_server_is_ever_dropped(found):
    hosts = [fleet.host(name, answer) for name, answer in found.items()]
    document = fleet.document(hosts, NOW)
    assert sorted(one["name"] for one in document["hosts"]) == sorted(found)
    assert sum(document["counts"].values()) == len(found)
    assert all(one["state"] == "ok" or one["problems"] or one["warnings"] for one in document["hosts"])
