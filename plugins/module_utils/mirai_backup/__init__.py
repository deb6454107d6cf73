# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The backup engine of the Mirai Knowledge System: standard library only, Python 3.9 or newer."""

from __future__ import annotations

__version__ = "0.1.0"
