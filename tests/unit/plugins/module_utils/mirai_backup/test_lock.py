"""lock: one writer at a time, whoever dies."""

import os
import signal
import subprocess
import sys

import pytest
from mirai_backup import lock
from mirai_backup.errors import LockedError

HOLDER = """
import sys, time
from mirai_backup import lock
with lock.hold(sys.argv[1], "backup full"):
    print("held", flush=True)
    time.sleep(60)
"""
STARTER = """
import sys, time
from mirai_backup import lock, errors
sys.stdin.readline()
try:
    with lock.hold(sys.argv[1], "backup full"):
        print("won", flush=True)
        sys.stdin.readline()
except errors.LockedError as error:
    print(error.exit_code, flush=True)
"""


@pytest.fixture
def start():
    """Starts a Python that uses the engine; ended with the test."""
    started = []

    def run(code, *arguments):
        environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(lock.__file__))}
        child = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        started.append(child)
        return child

    yield run
    for child in started:
        child.kill()
        child.communicate()


def test_a_second_run_is_refused_and_told_who_holds_it(tmp_path, start):
    child = start(HOLDER, str(tmp_path))
    assert child.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=f"another run: backup full, process {child.pid}, since 20") as caught:
        with lock.hold(str(tmp_path), "prune"):
            pytest.fail("two hold it")
    assert caught.value.exit_code == 11


def test_it_is_free_when_its_holder_was_killed(tmp_path, start):
    child = start(HOLDER, str(tmp_path))
    child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.wait()
    with lock.hold(str(tmp_path), "prune"):
        assert b'"verb": "prune"' in (tmp_path / ".lock").read_bytes()
    assert (tmp_path / ".lock").exists()


def test_of_twenty_at_once_exactly_one_wins(tmp_path, start):
    starters = [start(STARTER, str(tmp_path)) for _number in range(20)]
    for one in starters:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.stdout.readline().strip() for one in starters]
    assert sorted(said) == ["11"] * 19 + ["won"]


def test_who_waits_gets_it_when_it_is_free(tmp_path, start):
    child = start(STARTER, str(tmp_path))
    child.stdin.write("go\n")
    child.stdin.flush()
    assert child.stdout.readline() == "won\n"
    with pytest.raises(LockedError):
        with lock.hold(str(tmp_path), "prune", wait=0.15):
            pytest.fail("two hold it")
    child.stdin.write("end\n")
    child.stdin.flush()
    with lock.hold(str(tmp_path), "prune", wait=20):
        child.wait(10)


def test_a_lock_file_without_words_is_no_obstacle(tmp_path):
    (tmp_path / ".lock").write_bytes(b"[1, 2")
    with lock.hold(str(tmp_path), "prune"):
        pass
    (tmp_path / ".lock").write_bytes(b"{}")
    descriptor = os.open(tmp_path / ".lock", os.O_RDWR)
    assert lock._holder(descriptor) == "another run"
    os.close(descriptor)


def test_it_is_private_and_no_link_is_followed(tmp_path):
    with lock.hold(str(tmp_path), "prune"):
        assert os.stat(tmp_path / ".lock").st_mode & 0o777 == 0o600
    os.unlink(tmp_path / ".lock")
    (tmp_path / ".lock").symlink_to("elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        with lock.hold(str(tmp_path), "prune"):
            pass
