# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the finished parts of a full backup into one archive whose gzip layer only stores them."""

from __future__ import annotations

import os
import tarfile
import zlib
from typing import Callable

from . import process
from .command import Command
from .sinks import Artifact, HashedFile, is_nameless

_BLOCK = 1 << 20


def bundle(
    path: str,
    name: str,
    parts: list[tuple[str, Artifact]],
    modified: float,
    encryption: tuple[Command, ...] = (),
) -> Artifact:
    """Write the new file ``path``: a tar.gz of ``parts``, pairs of a file's path and what it is called inside.

    The members are compressed already, so the gzip layer is at level 0: ``tar -xzf`` reads it, and it costs
    next to nothing. With ``encryption`` the whole of it goes through these programs.
    """

    def write_all(write: Callable[[bytes], object]) -> None:
        encoder = zlib.compressobj(0, zlib.DEFLATED, 31)
        for part_path, artifact in parts:
            info = tarfile.TarInfo(artifact.name)
            info.size, info.mode, info.mtime = artifact.size, 0o600, int(modified)
            write(encoder.compress(info.tobuf(tarfile.GNU_FORMAT)))
            with open(part_path, "rb") as part:
                for block in iter(lambda: part.read(_BLOCK), b""):
                    write(encoder.compress(block))
            write(encoder.compress(b"\0" * (-artifact.size % tarfile.BLOCKSIZE)))
            if not is_nameless(part_path):
                os.unlink(part_path)
        write(encoder.compress(b"\0" * (2 * tarfile.BLOCKSIZE)) + encoder.flush())

    with HashedFile(path) as file:
        process.pump(encryption, file.write, write_all)
        return file.finish(name)
