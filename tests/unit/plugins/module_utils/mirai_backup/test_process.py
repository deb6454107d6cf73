"""process: every status counts, the culprit is named, nothing outlives us, nothing leaks."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from mirai_backup import process
from mirai_backup.command import Command
from mirai_backup.errors import EngineError, ProcessError

ENDLESS = Command(("yes",))
PARENT = """
from mirai_backup import command, process
one = command.Command(("sh", "-c", "echo $$; exec sleep 60"))
process.pump((one,), lambda block: print(block.decode(), flush=True))
"""


def shell(script, **values):
    return Command(("sh", "-c", script), **values)


def collect(stages, source=None):
    blocks = []
    process.pump(stages, blocks.append, source)
    return b"".join(blocks)


def alive(pid):
    """Whether the process runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(seconds, pid):
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


def test_run_returns_what_it_said():
    assert process.run(Command(("cat",)), b"in\0put") == b"in\0put"


def test_a_pipe_of_any_length():
    content = os.urandom(3_000_000)
    cat = Command(("cat",))
    assert collect((cat,) * 4, lambda write: write(content)) == content
    assert collect((shell("seq 3"), cat)) == b"1\n2\n3\n"
    assert collect((), lambda write: write(content)) == content
    assert collect((cat,)) == b""


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_stage_that_fails_is_named_wherever_it_stands(place):
    stages = [Command(("cat",))] * 3
    stages[place] = shell("head -c 10; echo it broke >&2; exit 7")
    with pytest.raises(ProcessError, match="^sh exited with status 7: it broke$"):
        collect(tuple(stages), lambda write: [write(b"0" * 65536) for _time in range(100)])


def test_who_only_lost_its_reader_is_not_blamed():
    with pytest.raises(ProcessError, match="sh exited with status 3"):
        collect((ENDLESS, shell("head -c 1; exit 3")))


def test_a_reader_that_leaves_early_is_still_an_error():
    with pytest.raises(ProcessError, match="yes was killed by signal 13"):
        collect((ENDLESS, Command(("head", "-c1"))))


def test_a_source_that_fails_is_the_cause_whatever_the_stages_made_of_it():
    def source(write):
        write(b"half")
        raise EngineError("the file cannot be read")

    for script in ("cat", "cat; exit 1"):
        with pytest.raises(EngineError, match="the file cannot be read"):
            collect((shell(script),), source)
    with pytest.raises(EngineError, match="the file cannot be read"):
        collect((), source)


def test_a_consumer_that_fails_ends_the_stages():
    def refuse(_block):
        raise EngineError("enough")

    with pytest.raises(EngineError, match="enough"):
        process.pump((ENDLESS,), refuse)
    assert not process._live


def test_the_rest_is_read_so_that_the_status_is_known():
    with pytest.raises(ProcessError, match="status 5"), process.reading((shell("seq 200000; exit 5"),)) as stream:
        stream.read(1)


def test_a_program_that_is_not_there_is_named():
    for stages in ((Command(("/no/such/program",)),), (Command(("cat",)), Command(("/no/such/program",)))):
        with pytest.raises(ProcessError, match="^program cannot be started: No such file") as caught:
            collect(stages)
        assert caught.value.next_step.startswith("install program")


def test_a_run_that_takes_too_long_is_ended():
    with pytest.raises(ProcessError, match=r"^sleep did not finish within 0\.1 s$"):
        process.run(Command(("sleep", "60")), timeout=0.1)
    assert not process._live


def test_a_child_that_will_not_listen_is_killed():
    child = process.Child(
        shell("trap '' TERM; echo ready; while :; do sleep 0.05; done"), subprocess.DEVNULL, subprocess.PIPE
    )
    assert child.popen.stdout.readline() == b"ready\n"
    child.end(patience=0.2)
    assert child.popen.returncode == -signal.SIGKILL
    child.popen.stdout.close()
    child.close()


def test_secrets_are_taken_out_of_messages():
    said = "echo 'password \"hunter2\" for hunter2%2F' >&2; exit 1"
    with pytest.raises(ProcessError) as caught:
        process.run(shell(said, secrets=("hunter2/", "hunter2")))
    assert str(caught.value) == 'sh exited with status 1: password "********" for ********'


def test_only_the_end_of_a_long_complaint_is_kept():
    with pytest.raises(ProcessError) as caught:
        process.run(shell("seq 100000 >&2; exit 1"))
    assert caught.value.message == "sh exited with status 1: 99995 / 99996 / 99997 / 99998 / 99999 / 100000"


def test_only_named_descriptors_are_inherited():
    read_end, write_end = os.pipe()
    script = f"ls /proc/self/fd | grep -cx {read_end} || :"
    assert process.run(shell(script, descriptors=(read_end,))) == b"1\n"
    assert process.run(shell(script)) == b"0\n"
    os.close(read_end)
    os.close(write_end)


def test_end_all_ends_what_other_threads_run():
    failures = []

    def work():
        try:
            collect((ENDLESS, Command(("cat",))))
        except ProcessError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _number in range(3)]
    for thread in threads:
        thread.start()
    while len(process._live) < 6:
        time.sleep(0.01)
    process.end_all()
    for thread in threads:
        thread.join(10)
    assert len(failures) == 3
    assert not process._live


def test_children_die_with_a_parent_that_is_killed():
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(process.__file__))}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment) as parent:
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    assert gone_within(10, child)


def test_two_hundred_runs_leak_nothing():
    def runs(times):
        for _time in range(times):
            collect((Command(("true",)),), lambda write: None)
            for stages in ((Command(("false",)),), (Command(("/no/such",)),)):
                with pytest.raises(ProcessError):
                    collect(stages)

    runs(1)
    before = os.listdir("/proc/self/fd")
    runs(67)
    assert os.listdir("/proc/self/fd") == before
    assert not process._live
    assert threading.active_count() == 1


@pytest.fixture
def out(tmp_path):
    with (tmp_path / "out").open("w+b") as file:
        yield file


def test_a_program_beside_us_gets_what_it_is_fed(out):
    one = process.Fed(Command(("tr", "a-z", "A-Z")), out.fileno())
    for _number in range(3):
        one.write(b"word ")
    one.finish()
    one.end()
    assert out.seek(0) == 0
    assert out.read() == b"WORD WORD WORD "
    assert not process._live


def test_a_program_beside_us_that_fails_is_named(out):
    for ends, script in ((True, "exit 3"), (False, "cat; echo it broke >&2; exit 3")):
        one = process.Fed(shell(script), out.fileno())
        if ends:
            one._child.popen.wait()
        with pytest.raises(ProcessError, match="^sh exited with status 3"):
            one.write(b"word")
            one.finish()
        one.end()


def test_a_program_beside_us_that_is_not_there_is_named(out):
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(ProcessError, match="program cannot be started"):
        process.Fed(Command(("/no/such/program",)), out.fileno())
    assert len(os.listdir("/proc/self/fd")) == len(before)
