# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python3 -m mirai_backup``: the command, from a checkout."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
