# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the finished parts of a full backup into one archive whose gzip layer only stores them."""

from __future__ import annotations

import os
import tarfile
import zlib

from .sinks import Artifact, HashedFile

_BLOCK = 1 << 20


def bundle(path: str, name: str, parts: list[tuple[str, Artifact]], modified: float, progress=None) -> Artifact:
    """Write the new file ``path``: a tar.gz of ``parts``, pairs of a file's path and what it is called inside.

    The members are compressed already, so the gzip layer is at level 0: ``tar -xzf`` reads it, and it costs
    next to nothing.
    """
    encoder = zlib.compressobj(0, zlib.DEFLATED, 31)
    with HashedFile(path, progress) as file:
        for part_path, artifact in parts:
            info = tarfile.TarInfo(artifact.name)
            info.size, info.mode, info.mtime = artifact.size, 0o600, int(modified)
            file.write(encoder.compress(info.tobuf(tarfile.GNU_FORMAT)))
            with open(part_path, "rb") as part:
                for block in iter(lambda: part.read(_BLOCK), b""):
                    file.write(encoder.compress(block))
            file.write(encoder.compress(b"\0" * (-artifact.size % tarfile.BLOCKSIZE)))
            os.unlink(part_path)
        file.write(encoder.compress(b"\0" * (2 * tarfile.BLOCKSIZE)) + encoder.flush())
        return file.finish(name)
