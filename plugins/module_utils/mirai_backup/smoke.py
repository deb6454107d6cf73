# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The operator's smoke tests: does the application live on what was just put into service?"""

from __future__ import annotations

import time
from typing import Optional

from . import assertions, process
from .command import Command
from .errors import EngineError, ProcessError
from .target import DatabaseTarget

_TIMEOUT = 60.0


def run(tests: tuple[dict, ...], target: Optional[DatabaseTarget], seconds: float) -> list[str]:
    """Run every smoke test; a command or an SQL query has ``seconds`` to come to its result, tried every second.

    One try of a command may take a minute, however few those are.
    Returns the names of the tests that passed. Raises EngineError naming the first that failed, and how.
    """
    passed = []
    for test in tests:
        deadline = time.monotonic() + seconds
        while True:
            left = max(deadline - time.monotonic(), _TIMEOUT)
            failure = _command(test, left) if "command" in test else _query(test, target)
            if not failure:
                break
            if time.monotonic() >= deadline:
                raise EngineError(f"smoke test {test['name']} failed: {failure}", "see the application's log")
            time.sleep(1)
        passed.append(test["name"])
    return passed


def _command(test: dict, seconds: float) -> str:
    """Why the command failed, or did not end within ``seconds``; empty when its exit status is 0."""
    try:
        process.run(Command(tuple(test["command"])), timeout=seconds)
    except ProcessError as error:
        return error.message
    return ""


def _query(test: dict, target: Optional[DatabaseTarget]) -> str:
    """Why the query's value is not as expected; empty when it is, or when no database was restored."""
    if target is None:
        return ""
    (result,) = assertions.run(target, target.live, (test,))
    return result["detail"] if result["verdict"] != "pass" else ""
