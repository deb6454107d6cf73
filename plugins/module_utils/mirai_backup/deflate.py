# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plain gzip streams made of deflate blocks: compressed on every core, or only wrapped.

Each block is deflated in a thread of its own, which zlib lets run beside the others, with the end of the block before
it as its dictionary, and ends on a byte boundary; so the blocks can be put one after the other. What is compressed
already is wrapped in stored blocks (RFC 1951, 3.2.4), for which zlib's level 0 takes several times as long.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

_BLOCK = 1 << 20
_WINDOW = 32 << 10
STORED = 0xFFFF  # bytes that a stored block can hold
# Magic, method, no flags, no time, fastest, unknown system.
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"


def encoder(sink: Callable[[bytes], object]) -> tuple[Callable[[bytes], None], Callable[[], None]]:
    """A gzip encoder as a pair: feed it blocks, then finish it. ``sink`` is called in the caller's thread."""
    stream = _Stream(sink)
    return stream.feed, stream.finish


def stored(sink: Callable[[bytes], object]) -> tuple[Callable[[bytes], None], Callable[[], None]]:
    """The same pair of an encoder that compresses nothing. Feed it many times ``STORED`` bytes at once."""
    stream = _Stored(sink)
    return stream.feed, stream.finish


class _Stored:
    """One gzip stream of stored blocks."""

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self._sink = sink
        self._checksum = 0
        self._size = 0
        sink(_HEADER)

    def feed(self, content: bytes) -> None:
        """Wrap the next bytes."""
        pieces = []
        with memoryview(content) as view:
            for start in range(0, len(view), STORED):
                piece = view[start : start + STORED]
                pieces += (struct.pack("<BHH", 0, len(piece), len(piece) ^ STORED), piece)
            self._sink(b"".join(pieces))
        self._checksum = zlib.crc32(content, self._checksum)
        self._size += len(content)

    def finish(self) -> None:
        """End the stream."""
        self._sink(_end(self._checksum, self._size))


class _Stream:
    """One gzip stream. At most a block more than there are cores is held at a time."""

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        self._sink = sink
        self._cores = len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(max_workers=self._cores)
        self._pending: deque = deque()
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._before = b""
        self._checksum = 0
        self._size = 0
        sink(_HEADER)

    def feed(self, block: bytes) -> None:
        """Take the next bytes."""
        self._held.append(bytes(block))
        self._held_bytes += len(block)
        if self._held_bytes >= _BLOCK:
            self._submit()

    def finish(self) -> None:
        """Compress what is left, and end the stream."""
        if self._held:
            self._submit()
        self._drain(0)
        self._pool.shutdown()
        self._sink(_end(self._checksum, self._size))

    def _submit(self) -> None:
        content = b"".join(self._held)
        self._held, self._held_bytes = [], 0
        self._pending.append(self._pool.submit(_deflated, content, self._before))
        self._before = content[-_WINDOW:]
        self._checksum = zlib.crc32(content, self._checksum)
        self._size += len(content)
        self._drain(self._cores)

    def _drain(self, allowed: int) -> None:
        while len(self._pending) > allowed:
            self._sink(self._pending.popleft().result())


def _end(checksum: int, size: int) -> bytes:
    """An empty last block of fixed codes, then the checksum and the size modulo 2^32."""
    return b"\x03\x00" + struct.pack("<II", checksum, size & 0xFFFFFFFF)


def _deflated(content: bytes, before: bytes) -> bytes:
    """``content`` as deflate blocks that end on a byte boundary and are not the stream's last."""
    compressor = zlib.compressobj(1, zlib.DEFLATED, -15, zdict=before) if before else zlib.compressobj(1, wbits=-15)
    return compressor.compress(content) + compressor.flush(zlib.Z_SYNC_FLUSH)
