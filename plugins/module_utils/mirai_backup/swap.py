# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the restored halves into service and the old ones aside, each in one step, and finds out where it stands."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import Iterator

from . import process, safefile
from .command import Command
from .errors import DatabaseError, EngineError
from .postgres import identifier, literal
from .target import DatabaseTarget

_PATIENCE = 30.0
_PAUSE = 0.1
_IN_USE = ":  55006: "  # SQLSTATE object_in_use: the words around it come in the server's language


def databases(place: DatabaseTarget, live: str, side: str, previous: str) -> None:
    """Rename ``live`` to ``previous`` and ``side`` to ``live`` in one transaction; an empty name is left out.

    The rename locks both databases against new sessions and waits for the old ones, which are ended meanwhile; so
    nothing has to be switched off that a death could leave switched off. Tried again for half a minute. Raises
    DatabaseError naming the sessions that stay; then nothing was renamed.
    """
    names = [name for name in (live, side) if name]
    renames = [(live, previous)] if previous else []
    renames += [(side, live)] if side else []
    statements = [f"ALTER DATABASE {identifier(old)} RENAME TO {identifier(new)}" for old, new in renames]
    script = "\\set VERBOSITY verbose\n" + "; ".join(("BEGIN", *statements, "COMMIT"))
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            end_sessions(place, names)
            with _ending_sessions(place, names):
                place.execute(script)
            return
        except DatabaseError as error:
            if _IN_USE not in error.message:
                raise
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"sessions on {live} could not be ended within {_PATIENCE:g} s: {_who(place, names)}",
                    "end them, or name their service in app_services; nothing was renamed",
                ) from error


def end_sessions(place: DatabaseTarget, names: list[str]) -> None:
    """End every session on the databases ``names`` that we have the right to end."""
    place.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_on(names)}"
        " AND ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR pg_has_role(usesysid, 'USAGE'))"
    )


@contextlib.contextmanager
def _ending_sessions(place: DatabaseTarget, names: list[str]) -> Iterator[None]:
    """End sessions over and over while the block runs."""
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.wait(_PAUSE):
                end_sessions(place, names)
        except EngineError:
            return  # the server went away: the block fails by itself, for the same reason

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _who(place: DatabaseTarget, names: list[str]) -> str:
    rows = place.query(
        "SELECT DISTINCT coalesce(usename, backend_type) || coalesce(' from ' || host(client_addr), '')"
        f" || coalesce(' (' || nullif(application_name, '') || ')', '') AS who FROM pg_stat_activity WHERE {_on(names)}"
    )
    return ", ".join(row["who"] for row in rows) or "they come and go"


def _on(names: list[str]) -> str:
    return f"datname IN ({', '.join(map(literal, names))}) AND pid <> pg_backend_pid()"


def number(directory: str) -> int:
    """What tells the directory from another one beside it, whatever it is called: its inode.

    Without the device, whose number may be another one after the machine was started anew.
    """
    return os.lstat(directory).st_ino


def exchanged(live: str, side: str, previous: str, staged: int = 0) -> bool:
    """Whether ``live`` and ``side`` have traded places, and ``side`` does not bear the name ``previous`` yet.

    ``staged`` is the number of what was at ``side`` in the beginning; 0 where they are not to trade places. Raises
    EngineError when neither of the two is that.
    """
    if not staged or not os.path.lexists(live) or not os.path.lexists(side):
        return False
    if staged not in (number(live), number(side)):
        raise EngineError(
            f"neither {live} nor {side} is the directory that was to take its place: something else moved them",
            f"see which is which; {live} is to be what goes into service, the other one is to be called {previous}",
        )
    return number(live) == staged


def directories(live: str, side: str, previous: str, staged: int = 0) -> bool:
    """Rename ``live`` to ``previous`` and ``side`` to ``live``; an empty name is left out. ``staged``: see exchanged.

    With ``staged``, ``live`` is there all the time; False where the file system allows only one rename after the other.
    Callable again after a death at any point before its end.
    """
    at_once = bool(staged) and os.path.lexists(live)
    at_once = at_once and (exchanged(live, side, previous, staged) or safefile.exchange(live, side))
    if at_once:
        os.rename(side, previous)
    else:
        if previous and os.path.lexists(live) and not os.path.lexists(previous):
            os.rename(live, previous)
        if side:
            os.rename(side, live)
    safefile.sync_directory(os.path.dirname(live))
    return at_once or not staged


def directories_back(live: str, side: str, previous: str, staged: int = 0) -> None:
    """Undo as much of ``directories`` as was done. Callable again after a death at any point."""
    if staged and all(map(os.path.lexists, (live, previous))):
        os.rename(previous, side)
    if exchanged(live, side, previous, staged) and not safefile.exchange(live, side):
        os.rename(side, previous)
    if previous and os.path.lexists(previous):
        if side and os.path.lexists(live):
            os.rename(live, side)
        os.rename(previous, live)
    elif side and not os.path.lexists(side) and os.path.lexists(live):
        os.rename(live, side)
    safefile.sync_directory(os.path.dirname(live))


def services(action: str, names: tuple[str, ...]) -> None:
    """``stop`` or ``start`` the application's systemd units. Raises EngineError naming the one that would not."""
    for name in names:
        try:
            process.run(Command(("systemctl", action, name)), timeout=300)
        except EngineError as error:
            raise EngineError(
                f"service {name} did not {action}: {error.message}", f"see journalctl -u {name}"
            ) from error
