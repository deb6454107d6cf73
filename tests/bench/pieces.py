"""The processor time that goes into a backup of many small files: what no such backup can do without, and ours."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import resource
import time
from pathlib import Path
from typing import Callable, Iterator

from series import Series

_TOGETHER = 1000
# What is done to each file, by the name of its seconds.
ALONE = {
    "SHA-256 of each": hashlib.sha256,
    "each read as JSON, which tells a torn file from a whole one": json.loads,
}
AGAIN = "each looked at again, to see that it held still"
BARE, OURS = "tar and igzip", "ours in all"


def of_children(act: Callable, *arguments: object) -> tuple:
    """What ``act`` returns, and the processor seconds of the programs that it runs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = act(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return result, (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def alone(directory: Path) -> dict[str, float]:
    """Processor seconds of each piece of the proof by itself, over the JSON files below ``directory``."""
    found = dict.fromkeys((*ALONE, AGAIN), 0.0)
    paths = (os.path.join(top, name) for top, _names, names in os.walk(directory) for name in names)
    for batch in _batches(path for path in paths if path.endswith(".json") and not os.path.islink(path)):
        contents = [Path(path).read_bytes() for path in batch]
        for name, work in ALONE.items():
            found[name] += _spent(work, contents)
        found[AGAIN] += _spent(os.lstat, batch)
    return found


def rows(times: dict[str, Series], goal: float) -> list[list[str]]:
    """The table: the pieces, their sum, what the ``goal`` leaves on these cores, and what we take."""
    needed = (BARE, *ALONE, AGAIN)
    cores = len(os.sched_getaffinity(0))
    total = Series(tuple(map(sum, zip(*(times[name].values for name in needed)))))
    allowed = Series(tuple(goal * cores * one for one in times["guide json"].values))
    lines = [(name, times[name]) for name in needed]
    lines += [("together", total), (f"what the goal leaves, on {cores} cores all of the time", allowed)]
    return [[name, series.text()] for name, series in (*lines, (OURS, times[OURS]))]


def _spent(work: Callable, values: list) -> float:
    begun = time.process_time()
    for one in values:
        work(one)
    return time.process_time() - begun


def _batches(paths: Iterator[str]) -> Iterator[list[str]]:
    return iter(lambda: list(itertools.islice(paths, _TOGETHER)), [])
