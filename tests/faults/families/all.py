"""Imports every module of families, so that each registers its own."""

from __future__ import annotations

from families import calls, corruption, hostile_archives, kills, kills_of_restores  # noqa: F401
