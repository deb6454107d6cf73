"""Imports every module of families, so that each registers its own."""

from __future__ import annotations

from families import calls, corruption, kills, kills_of_restores  # noqa: F401
