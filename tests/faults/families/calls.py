"""System calls that fail: no space, input/output error, quota, interrupted."""

from __future__ import annotations

import errno
import os
from random import Random

import aftermath
from family import family
from findings import Finding, need
from world import World

from families.kills import _kind, struck

CALLS = {
    "write": ("write", "pwrite64"),
    "fsync": ("fsync",),
    "rename": ("rename",),
    "openat": ("openat",),
    "close": ("close",),
    "unlink": ("unlink", "unlinkat", "rmdir"),
}
ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EINTR")


def fails(world: World, random: Random, call: str, error: str) -> tuple[str, str]:
    """A backup in which one ``call`` fails with ``error``."""
    kind = _kind(random)
    # A child writes into pipes, which know none of these errors.
    children = call != "write"
    before, result, line, fault = struck(world, random, kind, CALLS[call], f"error={error}", children)
    outcome = aftermath.disturbed(before, result, clumsy=call in ("unlink", "openat", "close", "fsync"))
    if result.code == 1:
        _named(result.err, error)
    aftermath.recovers(before)
    return f"{fault} fails with {error}: named, whole or nothing, next run heals", f"{outcome}: {line[:90]}"


def quota(world: World, random: Random, number: int) -> tuple[str, str]:
    """The file system's quota is used up."""
    return fails(world, random, random.choice(("write", "fsync", "openat", "rename")), "EDQUOT")


def _register(place: int, call: str) -> None:
    @family(f"call.{call}", 100, 1, f"{call} fails in a backup: {', '.join(ERRORS)}")
    def one(world: World, random: Random, number: int) -> tuple[str, str]:
        return fails(world, random, call, ERRORS[(place + number) % len(ERRORS)])


def _named(said: str, error: str) -> None:
    """The message must hold the system's words for the error, or name the program that met it."""
    reason = os.strerror(getattr(errno, error))
    programs = ("psql", "pg_dump", "pg_dumpall", "gzip", "igzip", "pigz")
    need(reason in said or any(name in said for name in programs), Finding, f"neither cause nor program: {said[-400:]}")
    need("/" in said or any(name in said for name in programs), Finding, f"no object is named: {said[-400:]}")


for _place, _call in enumerate(CALLS):
    _register(_place, _call)
