# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the modules that can take a backup from an offsite store."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  offsite:
    description:
      - Take the backup from an offsite store. It is brought into the repository first, so that the host needs no
        backup of its own.
    type: bool
    default: false
  store:
    description:
      - The name of the store. By default it is the first one that answers and has the backup.
    type: str
    default: ''
"""
