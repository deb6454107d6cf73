"""streams: side by side, and the first failure ends them all."""

import threading
import time

import pytest
from mirai_backup import process, streams
from mirai_backup.command import Command
from mirai_backup.errors import EngineError, Interrupted


@pytest.fixture
def abort():
    return streams.Abort(lambda count: None)


def test_results_come_back_by_name(abort):
    tasks = {"one": lambda: 1, "two": lambda: 2}
    assert streams.side_by_side(tasks, abort) == {"one": 1, "two": 2}
    assert streams.side_by_side({}, abort) == {}


def test_they_do_run_at_the_same_time(abort):
    barrier = threading.Barrier(3, timeout=10)
    streams.side_by_side(dict.fromkeys("abc", barrier.wait), abort)


def test_the_first_failure_ends_processes_and_writers(abort):
    seen = {}

    def child():
        process.pump((Command(("sleep", "60")),), lambda block: None)

    def writer():
        try:
            while True:
                abort(1)
                time.sleep(0.001)
        except Interrupted as error:
            seen["writer"] = error.message
            raise

    def fails():
        while not process._live:
            time.sleep(0.001)
        raise EngineError("the table is locked")

    begun = time.monotonic()
    with pytest.raises(EngineError, match="the table is locked"):
        streams.side_by_side({"child": child, "writer": writer, "fails": fails}, abort)
    assert time.monotonic() - begun < 10
    assert seen == {"writer": "the run was given up"}
    assert not process._live


def test_progress_adds_up_over_threads():
    total = []
    abort = streams.Abort(total.append)
    tasks = {str(number): lambda: [abort(1) for _time in range(500)] for number in range(4)}
    streams.side_by_side(tasks, abort)
    assert sum(total) == 2000
