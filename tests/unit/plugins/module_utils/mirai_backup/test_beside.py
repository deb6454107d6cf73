"""beside: the same as an examiner of our own, in a process that never outlives us."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mirai_backup import beside, examine, process
from mirai_backup.errors import ProcessError

BLOCK = b'{}[1, 2]{"a": ' * 1000
ROWS = [(b"a", b"z", 14 * one, 14 * one + 2 + 6 * (one % 3), True, False) for one in range(1000)]
PARENT = """
import os, sys
from mirai_backup import beside
one = beside.Beside(os.memfd_create("lines"))
one.take([], b"")
print(one._fed._child.popen.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lines(tmp_path):
    with (tmp_path / "lines").open("w+b") as file:
        yield file


@pytest.fixture
def running(lines):
    one = beside.Beside(lines.fileno())
    yield one
    one.end()


def give(one):
    """Hands over the block, as whoever gathers one does."""
    block = one.place()[: len(BLOCK)]
    block[:] = BLOCK
    one.take(ROWS, block)


def gone_within(seconds, pid):
    deadline = time.monotonic() + seconds
    stat = Path(f"/proc/{pid}/stat")
    while time.monotonic() < deadline:
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


def test_it_finds_what_an_examiner_here_finds(running, lines):
    here = examine.Examiner(io.BytesIO())
    for _number in range(50):
        give(running)
        here.take(ROWS, BLOCK)
    assert running.finish() == here.torn != {}
    assert Path(lines.name).read_bytes() == here._out.getvalue()


def test_it_holds_no_other_program_back(running):
    assert running.finish() == {}
    assert not process._live


def test_a_death_of_it_is_an_error(running):
    os.kill(running._fed._child.popen.pid, signal.SIGKILL)
    with pytest.raises(ProcessError, match="was killed by signal 9"):
        for _number in range(200):
            give(running)


def test_a_death_of_it_at_the_end_is_an_error(running):
    give(running)
    os.kill(running._fed._child.popen.pid, signal.SIGKILL)
    with pytest.raises(ProcessError, match="was killed by signal 9"):
        running.finish()


def test_a_full_disk_is_said():
    with Path("/dev/full").open("wb") as full:
        one = beside.Beside(full.fileno())
        try:
            with pytest.raises(ProcessError, match="the list of files cannot be written: No space left on device"):
                for _number in range(200):
                    give(one)
        finally:
            one.end()


def test_it_is_ended_with_work_left(lines):
    one = beside.Beside(lines.fileno())
    give(one)
    one.end()
    assert one._fed._child.popen.returncode is not None
    assert not process._live


def test_where_it_cannot_be_started_nothing_is_kept_open(lines, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    before = os.listdir("/proc/self/fd")
    with pytest.raises(ProcessError, match="python3 cannot be started"):
        beside.Beside(lines.fileno())
    assert os.listdir("/proc/self/fd") == before


def test_it_does_not_outlive_us():
    environment = {**os.environ, "PYTHONPATH": str(Path(beside.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as parent:
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.kill()
    assert gone_within(5, pid)
