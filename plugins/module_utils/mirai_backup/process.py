# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only room that starts processes. Argv is a tuple, every exit status counts, nothing outlives us."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import io
import os
import signal
import subprocess
import threading
from typing import Callable, Iterator, Optional

from . import interrupts
from .command import Command, environment, identity
from .errors import EngineError, ProcessError
from .redact import redact, without_rows

PIPE_BYTES = 1 << 20
_BETWEEN_PROGRAMS = 256 << 10  # a dump is faster so than through 1 MiB; what we read ourselves is slower
STDERR_TAIL = 4096
_TOGETHER = 64 << 10  # what is fed in larger pieces goes without a copy
_F_SETPIPE_SZ = 1031
_PR_SET_PDEATHSIG = 1

_prctl = ctypes.CDLL(None, use_errno=True).prctl
_live: set = set()
_live_guard = threading.Lock()


class Child:
    """A started process with its stderr kept in memory; ended with us, whatever happens to us."""

    def __init__(self, command: Command, stdin: object, stdout: object) -> None:
        self.command = command
        self.output: Optional[io.FileIO] = None
        account = identity(command)
        self._stderr = os.memfd_create("stderr")
        try:
            with interrupts.deferred():
                self.popen = subprocess.Popen(
                    command.argv,
                    stdin=stdin,
                    stdout=self._stderr if command.complains_on_stdout else stdout,
                    stderr=self._stderr,
                    env=environment(command.env),
                    cwd="/" if command.user else None,
                    pass_fds=command.descriptors,
                    start_new_session=True,
                    preexec_fn=_end_with_parent(command.end_signal),
                    **account,
                )
                with _live_guard:
                    _live.add(self)
        except OSError as error:
            os.close(self._stderr)
            raise ProcessError(
                f"{command.name} cannot be started: {error.strerror}", f"install {command.name}, or mend PATH"
            ) from error
        except KeyboardInterrupt:
            if self in _live:  # and nobody else knows it yet
                self.end()
            os.close(self._stderr)
            raise

    def wait(self, timeout: Optional[float] = None) -> int:
        """Wait for the end and return the exit status (negative: the signal)."""
        status = self.popen.wait(timeout)
        with _live_guard:
            _live.discard(self)
        return status

    def end(self, patience: float = 5.0) -> None:
        """End the process: politely first, then for certain."""
        if self.popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, self.command.end_signal)
            try:
                self.popen.wait(patience)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.popen.pid, signal.SIGKILL)
        self.wait()

    def complaint(self) -> str:
        """The last lines it wrote to stderr, on one line, without secrets and without rows."""
        said = without_rows(self._said(), joined=False)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return redact(" / ".join(lines[-6:]), self.command.secrets)

    def _said(self) -> str:
        size = os.fstat(self._stderr).st_size
        return os.pread(self._stderr, STDERR_TAIL, max(0, size - STDERR_TAIL)).decode("utf-8", "replace")

    def lost_its_reader(self, status: int) -> bool:
        """Whether it failed only since what came after it was gone."""
        return status == -signal.SIGPIPE or (status != 0 and "Broken pipe" in self._said())

    def close(self) -> None:
        """Give the descriptor of stderr back."""
        os.close(self._stderr)

    def error(self, status: int) -> EngineError:
        """What to raise for a bad exit status."""
        explained = self.command.explain(self._said()) if self.command.explain is not None and status > 0 else None
        if explained is not None:
            return explained
        how = f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"
        said = self.complaint()
        return ProcessError(f"{self.command.name} {how}" + (f": {said}" if said else ""), status=status)


class Fed:
    """``command`` beside us, fed through a pipe; it writes to the open file ``out``."""

    def __init__(self, command: Command, out: int) -> None:
        read_end, write_end = wide_pipe()
        self._input = io.BufferedWriter(write_end, STDERR_TAIL)
        try:
            with read_end:
                self._child = Child(command, read_end, out)
        except BaseException:
            write_end.close()
            raise

    def write(self, block: bytes) -> None:
        """Write all of ``block`` now. Raises ProcessError when it has ended."""
        try:
            self._input.write(block)
            self._input.flush()
        except BrokenPipeError as error:
            raise self._child.error(self._child.wait()) from error

    def finish(self) -> None:
        """End its input and wait for it. Raises ProcessError unless it ends with status 0."""
        with contextlib.suppress(BrokenPipeError):  # its status says why
            self._input.close()
        status = self._child.wait()
        if status:
            raise self._child.error(status)

    def end(self) -> None:
        """End it if it still runs, and give back what it held."""
        self._child.end()
        self._child.close()
        with contextlib.suppress(BrokenPipeError):
            self._input.close()


def end_all() -> None:
    """End every process that is still running (called when a run is interrupted)."""
    with _live_guard:
        children = list(_live)
    for child in children:
        child.end()


def run(command: Command, stdin: bytes = b"", timeout: Optional[float] = None) -> bytes:
    """Run ``command`` to its end and return its stdout (small). Raises ProcessError on a bad status."""
    source = os.memfd_create("stdin")
    output = os.memfd_create("stdout")
    try:
        os.write(source, stdin)
        os.lseek(source, 0, os.SEEK_SET)
        child = Child(command, source, output)
        try:
            status = child.wait(timeout)
            if status:
                raise child.error(status)
        except subprocess.TimeoutExpired as error:
            raise ProcessError(f"{command.name} did not finish within {timeout:g} s") from error
        finally:
            child.end()
            child.close()
        return os.pread(output, os.fstat(output).st_size, 0)
    finally:
        os.close(source)
        os.close(output)


def pump(
    stages: tuple[Command, ...],
    sink: Callable[[bytes], object],
    source: Optional[Callable[[Callable[[bytes], object]], object]] = None,
) -> None:
    """Run ``stages`` as a pipe and hand every block of the last one's output to ``sink``; as ``reading``."""
    if not stages:
        source(sink)
        return
    with reading(stages, source) as stream:
        for block in iter(lambda: stream.read(PIPE_BYTES), b""):
            sink(block)


@contextlib.contextmanager
def reading(
    stages: tuple[Command, ...],
    source: Optional[Callable[[Callable[[bytes], object]], object]] = None,
) -> Iterator[io.FileIO]:
    """Run ``stages`` as a pipe and give the end of it as a file to read from.

    The first stage reads what the function ``source`` writes (it is given a write function), or nothing; without
    stages the file holds what ``source`` writes. When the block ends, the rest is read, and every stage must end
    with status 0, or the one that failed first is named in a ProcessError.
    """
    with contextlib.ExitStack() as cleanup:
        feeder = None
        upstream: object = subprocess.DEVNULL
        if source is not None:
            upstream, write_end = wide_pipe()
            cleanup.enter_context(upstream)
            feeder = _Feeder(source, write_end)
        children = _start(stages, upstream, cleanup)
        output = children[-1].output if children else upstream
        if feeder is not None:
            if children:
                upstream.close()
            feeder.start()
            cleanup.callback(feeder.join)
            cleanup.callback(output.close)
            cleanup.callback(lambda: [child.end() for child in children])
        yield output
        for _rest in iter(lambda: output.read(PIPE_BYTES), b""):
            pass
        statuses = [child.wait() for child in children]
        if feeder is not None:
            feeder.join()
        _judge(children, statuses, feeder)


def _start(stages: tuple, upstream: object, cleanup: contextlib.ExitStack) -> list:
    """Start every stage, each reading its forerunner's output through a pipe; ours is the end of the last."""
    children: list = []
    for command in stages:
        output, write_end = wide_pipe(PIPE_BYTES if command is stages[-1] else _BETWEEN_PROGRAMS)
        cleanup.enter_context(output)
        with write_end:
            child = Child(command, upstream, write_end)
        cleanup.callback(child.close)
        cleanup.callback(child.end)
        child.output = output
        if children:
            upstream.close()
        children.append(child)
        upstream = output
    return children


def _judge(children: list, statuses: list, feeder: Optional["_Feeder"]) -> None:
    """Raise for what failed first on the way; whoever only lost its reader is not the cause."""
    failed = [(child, status) for child, status in zip(children, statuses) if status]
    causes = [pair for pair in failed if not pair[0].lost_its_reader(pair[1])] or failed
    failure = feeder.failure if feeder is not None else None
    if failure is not None and not (causes and isinstance(failure, BrokenPipeError)):
        raise failure
    if causes:
        child, status = causes[0]
        raise child.error(status)


class _Feeder(threading.Thread):
    """Writes what a function produces into the first stage."""

    def __init__(self, source: Callable, write_end: io.FileIO) -> None:
        super().__init__(daemon=True)
        self._source = source
        self._file = io.BufferedWriter(write_end, _TOGETHER)
        self.failure: Optional[BaseException] = None

    def run(self) -> None:
        try:
            with self._file:
                self._source(self._file.write)
        except BaseException as error:  # kept, and raised by the thread that waits
            self.failure = error


def wide_pipe(size: int = PIPE_BYTES) -> tuple[io.FileIO, io.FileIO]:
    """A pipe that holds ``size`` bytes where the system allows it; one of another size works as well, only slower."""
    read_end, write_end = (io.FileIO(fd, mode) for fd, mode in zip(os.pipe(), ("rb", "wb")))
    with contextlib.suppress(OSError):
        fcntl.fcntl(write_end, _F_SETPIPE_SZ, size)
    return read_end, write_end


def _end_with_parent(number: int) -> Callable[[], None]:
    def arrange() -> None:
        _prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)

    return arrange
