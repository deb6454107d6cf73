# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the finished parts of a full backup into one archive whose gzip layer only stores them."""

from __future__ import annotations

import contextlib
import os
import tarfile
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterator

from . import deflate, process
from .command import Command
from .sinks import Artifact, HashedFile, is_nameless

_BLOCK = 4 * deflate.STORED
_AHEAD = 2


def bundle(
    path: str,
    name: str,
    parts: list[tuple[str, Artifact]],
    modified: float,
    encryption: tuple[Command, ...] = (),
) -> Artifact:
    """Write the new file ``path``: a tar.gz of ``parts``, pairs of a file's path and what it is called inside.

    The members are compressed already, so the gzip layer only wraps them: ``tar -xzf`` reads it, and it costs
    next to nothing. With ``encryption`` the whole of it goes through these programs.
    """

    def write_all(write: Callable[[bytes], object]) -> None:
        feed, finish = deflate.stored(write)
        for part_path, artifact in parts:
            info = tarfile.TarInfo(artifact.name)
            info.size, info.mode, info.mtime = artifact.size, 0o600, int(modified)
            feed(info.tobuf(tarfile.GNU_FORMAT))
            with open(part_path, "rb") as part:
                for block in iter(lambda: part.read(_BLOCK), b""):
                    feed(block)
            feed(b"\0" * (-artifact.size % tarfile.BLOCKSIZE))
            if not is_nameless(part_path):
                os.unlink(part_path)
        feed(b"\0" * (2 * tarfile.BLOCKSIZE))
        finish()

    with HashedFile(path) as file:
        with _behind(file.write) as write:
            process.pump(encryption, write, write_all)
        return file.finish(name)


@contextlib.contextmanager
def _behind(write: Callable[[bytes], object]) -> Iterator[Callable[[bytes], None]]:
    """Gives a function that has ``write`` called in a thread of its own, so that hashing and wrapping go side by side.

    When the block ends, all is written. What ``write`` raises is raised by a later call, or then.
    """
    pending: deque = deque()
    with ThreadPoolExecutor(max_workers=1) as pool:

        def later(block: bytes) -> None:
            pending.append(pool.submit(write, block))
            if len(pending) > _AHEAD:
                pending.popleft().result()

        yield later
        for one in pending:
            one.result()
