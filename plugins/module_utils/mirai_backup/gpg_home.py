# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Throwaway homes of GnuPG: in memory where there is a place for it, private, gone with their agent afterwards.

Where we are killed, the agent ends by itself within seconds. A home's name says which process made it, so that the
next run clears what a killed one left.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import stat
import tempfile
from typing import Iterator

from . import gpg, process
from .command import Command
from .errors import PreflightError

_PREFIX = "mirai-gpg-"
_NAME = re.compile(_PREFIX + r"(\d+)-(\d+)-.+")


@contextlib.contextmanager
def throwaway(keys_of: str = "") -> Iterator[str]:
    """A home with an agent, 0700; the agent is ended and the home removed when the block ends.

    It is empty, or has the keys of the home ``keys_of``, which is only read: it may be read-only, and its path long.
    """
    base = _base()
    sweep(base)
    pid = os.getpid()
    path = tempfile.mkdtemp(prefix=f"{_PREFIX}{pid}-{_started(pid)}-", dir=base)
    try:
        for name in ("pubring.kbx", "private-keys-v1.d") if keys_of else ():
            os.symlink(os.path.join(os.path.realpath(keys_of), name), os.path.join(path, name))
        with _agent(path):
            yield path
    finally:
        remove(path)


def remove(path: str) -> None:
    """End the agent of the throwaway home ``path``, and remove all of it."""
    try:
        end_agent(path)
        ask = (gpg.program("gpgconf"), "--homedir", path, "--list-dirs", "socketdir")
        sockets = process.run(Command(ask))
        socket_directory = sockets.decode("utf-8", "surrogateescape").strip()
        if socket_directory != path and os.path.isdir(socket_directory):
            shutil.rmtree(socket_directory)
    finally:
        shutil.rmtree(path)


def end_agent(home: str) -> None:
    """End the agent that gpg may have started for ``home``."""
    process.run(Command((gpg.program("gpgconf"), "--homedir", home, "--kill", "all")))


def sweep(base: str = "") -> list[str]:
    """Remove our throwaway homes whose process is dead; returns their paths."""
    gone = []
    base = base or _base()
    for path in glob.glob(os.path.join(glob.escape(base), _PREFIX + "*")):
        match = _NAME.fullmatch(os.path.basename(path))
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            continue  # another run was faster
        ours = match is not None and stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        if ours and _started(int(match.group(1))) != match.group(2):
            with contextlib.suppress(FileNotFoundError):  # another run was faster
                remove(path)
                gone.append(path)
    return gone


@contextlib.contextmanager
def _agent(home: str) -> Iterator[None]:
    """The agent of ``home``, before gpg starts one that would outlive us: this one watches a process that ends with us.

    See "gpg-agent command line" in the manual of gpg-agent(1): the agent ends when the command does.
    """
    watched = ("sh", "-c", "echo; exec sleep infinity")
    start = Command((gpg.program("gpg-agent"), "--no-options", "--homedir", home, "--daemon", "--", *watched))
    read_end, write_end = process.wide_pipe()
    with read_end:
        with write_end, open(os.devnull, "rb") as nothing:
            child = process.Child(start, nothing, write_end)
        try:
            if not read_end.read(1):  # it never came to run the command
                why = child.error(child.wait()).message
                raise PreflightError(f"gpg-agent could not be started for {home}: {why}", "see the message")
            yield
        finally:
            child.end()
            child.close()


def _base() -> str:
    """Where throwaway homes lie: in memory, else where temporary files do."""
    shared = "/dev/shm"
    return shared if os.path.isdir(shared) and os.access(shared, os.W_OK | os.X_OK) else tempfile.gettempdir()


def _started(pid: int) -> str:
    """When the process began, as the kernel counts; empty where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rsplit(b")", 1)[1].split()[19].decode("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return ""
