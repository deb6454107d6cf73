# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the streams of a backup side by side; the first failure ends them all."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Callable

from . import process
from .errors import Interrupted


class Abort:
    """A progress callback that passes counts on, and raises once the run has been given up."""

    def __init__(self, advance: Callable[[int], object]) -> None:
        self._advance = advance
        self._guard = threading.Lock()
        self._given_up = threading.Event()

    def __call__(self, count: int) -> None:
        if self._given_up.is_set():
            raise Interrupted("the run was given up")
        with self._guard:
            self._advance(count)

    def give_up(self) -> None:
        """Let every stream that still writes fail."""
        self._given_up.set()


def side_by_side(tasks: dict[str, Callable[[], object]], abort: Abort) -> dict[str, object]:
    """Run every task in a thread of its own and return their results by name; raise the first failure.

    Whatever is still running then, or when the caller is interrupted, is ended before this returns.
    """
    with ThreadPoolExecutor(max_workers=max(1, len(tasks))) as pool:
        futures = {name: pool.submit(task) for name, task in tasks.items()}
        try:
            done, _pending = wait(futures.values(), return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            abort.give_up()
            process.end_all()
            raise
        return {name: future.result() for name, future in futures.items()}
