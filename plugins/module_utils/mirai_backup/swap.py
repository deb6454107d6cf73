# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the restored halves into service and the old ones aside, each in one step, and finds out where it stands."""

from __future__ import annotations

import os
import time

from . import process, safefile
from .errors import DatabaseError, EngineError
from .postgres import identifier, literal
from .target import DatabaseTarget

_PATIENCE = 30.0


def databases(place: DatabaseTarget, live: str, side: str, previous: str) -> None:
    """Rename ``live`` to ``previous`` and ``side`` to ``live`` in one transaction; an empty name is left out.

    Sessions on both are ended; while others keep coming it is tried again, for half a minute. Raises
    DatabaseError when they do not stay out; then nothing was renamed.
    """
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname IN ({literal(live)}, {literal(side)}) AND pid <> pg_backend_pid()"
    )
    renames = [(live, previous)] if previous else []
    renames += [(side, live)] if side else []
    statements = [f"ALTER DATABASE {identifier(old)} RENAME TO {identifier(new)}" for old, new in renames]
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            place.execute("; ".join((end, "BEGIN", *statements, "COMMIT")))
            return
        except DatabaseError as error:
            if "being accessed by other users" not in error.message or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def directories(live: str, side: str, previous: str) -> None:
    """Rename ``live`` to ``previous`` and ``side`` to ``live``; an empty name is left out.

    Callable again after a death between the two.
    """
    if previous and os.path.lexists(live) and not os.path.lexists(previous):
        os.rename(live, previous)
    if side:
        os.rename(side, live)
    safefile.sync_directory(os.path.dirname(live))


def directories_back(live: str, side: str, previous: str) -> None:
    """Undo as much of ``directories`` as was done."""
    if previous and os.path.lexists(previous):
        if side and os.path.lexists(live):
            os.rename(live, side)
        os.rename(previous, live)
    elif side and not os.path.lexists(side):
        os.rename(live, side)
    safefile.sync_directory(os.path.dirname(live))


def services(action: str, names: tuple[str, ...]) -> None:
    """``stop`` or ``start`` the application's systemd units. Raises EngineError naming the one that would not."""
    for name in names:
        try:
            process.run(process.Command(("systemctl", action, name)), timeout=300)
        except EngineError as error:
            raise EngineError(
                f"service {name} did not {action}: {error.message}", f"see journalctl -u {name}"
            ) from error
