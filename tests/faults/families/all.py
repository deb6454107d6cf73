"""Imports every module of families, so that each registers its own."""

from __future__ import annotations

from families import calls, corruption, kills  # noqa: F401
