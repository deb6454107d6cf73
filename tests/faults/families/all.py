"""Imports every module of families, so that each registers its own."""

from __future__ import annotations

from family import FAMILIES

from families import (
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

__all__ = [
    "FAMILIES",
    "calls",
    "clocks",
    "corruption",
    "disks",
    "drills",
    "hostile_archives",
    "hostile_inputs",
    "kills",
    "kills_of_restores",
    "order",
    "retention",
    "rows",
    "servers",
]
