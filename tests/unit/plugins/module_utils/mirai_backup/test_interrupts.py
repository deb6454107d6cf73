"""interrupts: whoever is asked to end does, but never in the middle of a fork."""

import signal
import subprocess
import threading

import pytest
from mirai_backup import interrupts, process
from mirai_backup.command import Command


def test_it_is_raised_at_once(strike):
    with pytest.raises(KeyboardInterrupt):
        strike()


def test_it_waits_for_the_end_of_the_block_and_comes_once(strike):
    done = []
    with pytest.raises(KeyboardInterrupt):
        with interrupts.deferred():
            strike()
            done.append("whole")
    assert done == ["whole"]
    with interrupts.deferred():
        pass


def test_a_block_within_a_block_leaves_it_to_the_outer_one(strike):
    done = []
    with pytest.raises(KeyboardInterrupt):
        with interrupts.deferred():
            with interrupts.deferred():
                strike()
            done.append("whole")
    assert done == ["whole"]


def test_it_comes_before_an_error_of_the_block(strike):
    with pytest.raises(KeyboardInterrupt):
        with interrupts.deferred():
            strike()
            raise OSError


def test_a_thread_that_starts_something_holds_nothing_up(strike):
    inside, leave = threading.Event(), threading.Event()

    def start():
        with interrupts.deferred():
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=start)
    thread.start()
    assert inside.wait(60)
    with pytest.raises(KeyboardInterrupt):
        strike()
    leave.set()
    thread.join()


def test_a_process_that_is_being_started_is_started_and_ended(strike, monkeypatch):
    started = []
    popen = subprocess.Popen

    def struck(*arguments, **options):
        strike()
        started.append(popen(*arguments, **options))
        return started[0]

    monkeypatch.setattr(process.subprocess, "Popen", struck)
    with pytest.raises(KeyboardInterrupt):
        process.run(Command(("sleep", "600")))
    assert started[0].poll() == -signal.SIGTERM


def test_a_process_that_cannot_be_started_is_no_way_out(strike, monkeypatch):
    monkeypatch.setattr(process.subprocess, "Popen", lambda *_arguments, **_options: strike() or _fail())
    with pytest.raises(KeyboardInterrupt):
        process.run(Command(("sleep", "600")))


def _fail():
    raise FileNotFoundError(2, "No such file or directory")


def test_in_the_background_sigint_stays_ignored():
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        interrupts.install()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
