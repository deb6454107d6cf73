"""Imports every module of families, so that each registers its own."""

from __future__ import annotations

from family import FAMILIES

from families import (
    alerts,
    calls,
    clocks,
    corruption,
    disks,
    drills,
    encrypted,
    encrypted_keys,
    hostile_archives,
    hostile_bombs,
    hostile_inputs,
    kills,
    kills_of_restores,
    offsite,
    order,
    playbooks,
    retention,
    rows,
    servers,
)

__all__ = [
    "FAMILIES",
    "alerts",
    "calls",
    "clocks",
    "corruption",
    "disks",
    "drills",
    "encrypted",
    "encrypted_keys",
    "hostile_archives",
    "hostile_bombs",
    "hostile_inputs",
    "kills",
    "kills_of_restores",
    "offsite",
    "order",
    "playbooks",
    "retention",
    "rows",
    "servers",
]
