# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Ansible gets to see of outcomes and errors."""

from __future__ import annotations

import errno

import pytest
from ansible_collections.mirai.backup.plugins.module_utils import ansible_edge
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup.errors import NotFoundError, UsageError
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup.outcome import Outcome


class Ended(Exception):
    """The module ended; ``failed`` says how, ``values`` with what."""

    def __init__(self, failed, values):
        super().__init__(values.get("msg", ""))
        self.failed = failed
        self.values = values


class Module:
    """Stands in for AnsibleModule, and ends as it does: by an exception."""

    def __init__(self):
        self.warnings = []

    def warn(self, warning):
        self.warnings.append(warning)

    def exit_json(self, **values):
        raise Ended(False, values)

    def fail_json(self, **values):
        raise Ended(True, values)


@pytest.fixture(name="module")
def _module():
    return Module()


def leave(module, outcome, changed=True):
    with pytest.raises(Ended) as ended:
        ansible_edge.leave(module, outcome, changed)
    return ended.value


def test_success_returns_the_document_the_lines_and_the_diff(module):
    ended = leave(module, Outcome({"backup": {"id": "x"}}, ("one", "two"), 0))
    assert not ended.failed
    assert ended.values == {
        "backup": {"id": "x"},
        "changed": True,
        "exit_code": 0,
        "lines": ["one", "two"],
        "diff": {"before": "", "after": "one\ntwo\n"},
    }


def test_what_changes_nothing_has_no_diff(module):
    ended = leave(module, Outcome({}, ("one",), 0), changed=False)
    assert ended.values["changed"] is False
    assert "diff" not in ended.values


def test_an_incomplete_backup_is_a_success_with_warnings(module):
    ended = leave(module, Outcome({"incomplete": ["a.json would not hold still"]}, ("one",), 3))
    assert not ended.failed
    assert ended.values["incomplete"] == ["a.json would not hold still"]
    assert module.warnings == ["incomplete: a.json would not hold still"]


def test_what_watching_could_not_do_is_a_warning(module):
    ended = leave(module, Outcome({"watching": ["alert by mail: refused"]}, ("one",)))
    assert ended.values["watching"] == ["alert by mail: refused"]
    assert module.warnings == ["watching: alert by mail: refused"]


@pytest.mark.parametrize("code", [1, 2, 4])
def test_every_other_code_fails_and_says_why(module, code):
    ended = leave(module, Outcome({"problems": ["p"]}, ("it is too old",), code))
    assert ended.failed
    assert ended.values["msg"] == "it is too old"
    assert ended.values["problems"] == ["p"]
    assert ended.values["exit_code"] == code


def test_an_error_becomes_its_document_and_its_words(module):
    with pytest.raises(Ended) as ended, ansible_edge.failures(module):
        raise NotFoundError("there is no backup x", "the nearest: y")
    assert ended.value.failed
    assert ended.value.values["msg"] == "there is no backup x\n  next: the nearest: y"
    assert ended.value.values["next_step"] == "the nearest: y"
    assert ended.value.values["exit_code"] == 10


def test_what_the_system_refuses_is_named_without_a_traceback(module):
    with pytest.raises(Ended) as ended, ansible_edge.failures(module):
        raise OSError(errno.ENOSPC, "No space left on device", "/srv/backups")
    assert ended.value.failed
    assert ended.value.values["msg"] == "/srv/backups: No space left on device"


def test_a_length_of_time_is_read_as_on_the_command_line_or_refused():
    assert ansible_edge.age("2d") == 2 * 86400
    with pytest.raises(UsageError, match="'soon' is not a length of time"):
        ansible_edge.age("soon")


def test_a_store_that_would_be_passed_over_is_refused(module):
    module.params = {"config": "/nowhere/config.json", "store": "s3", "offsite": False}
    with pytest.raises(UsageError, match="store means nothing without offsite"):
        ansible_edge.load(module)
