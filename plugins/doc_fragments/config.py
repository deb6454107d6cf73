# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The option of the modules that work from the configuration file."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  config:
    description:
      - The configuration file on the target, as the role P(mirai.backup.mirai_backup#role) writes it.
      - Under a prefix it is C(<prefix>/etc/mirai-backup/config.json).
    type: path
    default: /etc/mirai-backup/config.json
requirements:
  - PostgreSQL client programs and GNU tar on the target
"""
