"""The processor time that goes into a backup: what no backup with a proof can do without, and ours."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Callable, Iterable, Iterator

from mirai_backup import jsoncheck

_BLOCK, _TOGETHER = 4 << 20, 32 << 20
DIGESTS = "SHA-256 of each file"
JSON = "each file read as JSON, which tells a torn one from a whole one"
AGAIN = "each looked at again, to see that it held still"


def of_files(directory: Path) -> dict[str, float]:
    """Processor seconds of each piece of the proof by itself, over the JSON files below ``directory``."""
    found = dict.fromkeys((DIGESTS, JSON, AGAIN), 0.0)
    paths = (os.path.join(top, name) for top, _names, names in os.walk(directory) for name in names)
    for batch in _batches(path for path in paths if path.endswith(".json") and not os.path.islink(path)):
        found[DIGESTS] += _spent(_digest, batch.values())
        found[JSON] += _spent(_read, batch.values())
        found[AGAIN] += _spent(os.lstat, batch)
    return found


def artifact(kind: str) -> str:
    """The name of the digest of a backup of ``kind``."""
    return f"SHA-256 of the {kind} backup"


def of_artifact(path: Path) -> float:
    """Processor seconds of the digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        return sum(_spent(digest.update, [block]) for block in iter(lambda: file.read(_BLOCK), b""))


def _digest(blocks: list[bytes]) -> str:
    digest = hashlib.sha256()
    for one in blocks:
        digest.update(one)
    return digest.hexdigest()


def _read(blocks: list[bytes]) -> str:
    """With the standard library's parser, as far as it goes in bounded memory."""
    if len(blocks) == 1:
        return jsoncheck.complaint(blocks[0])
    scanner = jsoncheck.Scanner()
    for one in blocks:
        scanner.feed(one)
    return scanner.finish()


def _spent(work: Callable, values: Iterable) -> float:
    begun = time.process_time()
    for one in values:
        work(one)
    return time.process_time() - begun


def _batches(paths: Iterator[str]) -> Iterator[dict[str, list[bytes]]]:
    """The files with their blocks, some at a time."""
    batch: dict = {}
    held = 0
    for path in paths:
        batch[path] = _blocks(Path(path))
        held += sum(map(len, batch[path]))
        if held > _TOGETHER:
            yield batch
            batch, held = {}, 0
    yield batch


def _blocks(path: Path) -> list[bytes]:
    with path.open("rb", buffering=0) as file:
        return list(iter(lambda: file.read(_BLOCK), b""))
