#!/usr/bin/python
# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup
short_description: Make a backup of the Mirai Knowledge System
version_added: 0.1.0
description:
  - Makes one sealed backup, the same that the command C(mirai-backup backup) makes.
  - A V(full) backup is one recovery point. The database is dumped from one snapshot, the files are read meanwhile.
  - A backup exists if and only if its manifest does. A run that fails leaves nothing behind and prunes nothing.
author:
  - The mirai.backup authors (@mirai-knowledge-systems)
extends_documentation_fragment:
  - mirai.backup.attributes
  - mirai.backup.config
attributes:
  check_mode:
    support: full
    details:
      - Runs every preflight check and returns the plan.
  diff_mode:
    support: full
    details:
      - Shows what was made, or in check mode the plan.
  idempotent:
    support: none
    details:
      - Each call makes a new backup.
options:
  kind:
    description:
      - V(full) holds the database and the JSON files, V(database) and V(json) one half.
    type: str
    choices:
      - full
      - database
      - json
    default: full
seealso:
  - module: mirai.backup.backup_info
  - module: mirai.backup.restore
"""

EXAMPLES = r"""
- name: Make a full backup
  mirai.backup.backup:

- name: Back up the database before an upgrade
  mirai.backup.backup:
    kind: database
  register: before_upgrade

- name: Show what a backup would need
  mirai.backup.backup:
  check_mode: true
"""

RETURN = r"""
backup:
  description: The backup that was made. Times are in UTC, durations in seconds, sizes in bytes.
  returned: success, not in check mode
  type: dict
  sample:
    id: mirai_full_20261123_020000
    kind: full
    path: /opt/Mirai-Knowledge-Systems/backend/backups/full/mirai_full_20261123_020000.tar.gz
    size: 585801
pruned:
  description: The backups that retention let go.
  returned: success, not in check mode
  type: list
  elements: str
incomplete:
  description: What is incomplete in the backup, such as a file that would not hold still (exit code 3).
  returned: success, not in check mode
  type: list
  elements: str
plan:
  description: What a backup would do, and the space it would need.
  returned: in check mode
  type: dict
watching:
  description: What hooks, alerts, heartbeat and metrics could not do. It changes no result.
  returned: success, not in check mode
  type: list
  elements: str
exit_code:
  description: The exit status that the command would have.
  returned: always
  type: int
  sample: 0
lines:
  description: The result in words.
  returned: success
  type: list
  elements: str
next_step:
  description: What to do about the failure.
  returned: failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mirai.backup.plugins.module_utils import ansible_edge
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup import backup


def main():
    module = AnsibleModule(
        argument_spec={
            **ansible_edge.CONFIG_SPEC,
            "kind": {"type": "str", "choices": ["full", "database", "json"], "default": "full"},
        },
        supports_check_mode=True,
    )
    with ansible_edge.failures(module):
        config = ansible_edge.load(module)
        verb = backup.plan if module.check_mode else backup.run
        outcome = verb(config, module.params["kind"])
    ansible_edge.leave(module, outcome, changed=True)


if __name__ == "__main__":
    main()
