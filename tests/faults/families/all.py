"""Imports every module of families, so that each registers its own."""

from __future__ import annotations

from families import (  # noqa: F401
    calls,
    clocks,
    corruption,
    disks,
    drills,
    hostile_archives,
    hostile_inputs,
    kills,
    kills_of_restores,
    order,
    retention,
    rows,
    servers,
)
