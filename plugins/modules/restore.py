#!/usr/bin/python
# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: restore
short_description: Restore a backup of the Mirai Knowledge System, or undo the last restore
version_added: 0.1.0
description:
  - Verifies the backup, restores it beside what is live, proves it against the manifest, and only then swaps it in.
  - The previous database and directory stay, so that O(state=rolled_back) can bring them back.
author:
  - The mirai.backup authors (@mirai-knowledge-systems)
extends_documentation_fragment:
  - mirai.backup.attributes
  - mirai.backup.config
  - mirai.backup.access
  - mirai.backup.offsite
attributes:
  check_mode:
    support: full
    details:
      - Returns the plan, computed by the same code that restores.
  diff_mode:
    support: full
    details:
      - Shows what was done, or in check mode the plan.
  idempotent:
    support: none
    details:
      - Each call restores, or rolls back, once more.
options:
  state:
    description:
      - V(restored) restores O(backup), V(rolled_back) undoes the last restore.
    type: str
    choices:
      - restored
      - rolled_back
    default: restored
  backup:
    description:
      - The backup to restore. V(latest), V(oldest), an ID such as V(mirai_full_20261123_020000), a timestamp or a path.
      - Required when O(state=restored), so that nobody restores by accident.
    type: str
  components:
    description:
      - V(full) restores database and files, V(database) and V(json) one half.
    type: str
    choices:
      - full
      - database
      - json
    default: full
  to_database:
    description:
      - Restore the database half under this name, and leave the live database alone.
    type: str
    default: ''
  to_dir:
    description:
      - Restore the files into this directory, and leave the live directory alone.
    type: path
    default: ''
  tables:
    description:
      - Restore only these tables, each as C(schema.table), into a new schema beside the live ones.
    type: list
    elements: str
    default: []
  files:
    description:
      - Restore only the files that match one of these patterns, into a new directory beside the live one.
    type: list
    elements: str
    default: []
  confirm:
    description:
      - The words C(<id>@<host>) that allow a backup of another application or cluster to be restored here.
      - The refusal says them exactly.
    type: str
    default: ''
seealso:
  - module: mirai.backup.backup
  - module: mirai.backup.backup_info
"""

EXAMPLES = r"""
- name: Restore the newest backup
  mirai.backup.restore:
    backup: latest

- name: Show what a restore would do
  mirai.backup.restore:
    backup: latest
  check_mode: true
  diff: true

- name: Restore the database under another name, to compare
  mirai.backup.restore:
    backup: mirai_full_20261123_020000
    components: database
    to_database: mirai_compare

- name: Restore the newest backup that the stores hold, on a host that has none
  mirai.backup.restore:
    backup: latest
    offsite: true

- name: Undo the last restore
  mirai.backup.restore:
    state: rolled_back
"""

RETURN = r"""
restored:
  description: The ID of the backup that was restored.
  returned: when O(state=restored), not in check mode
  type: str
  sample: mirai_full_20261123_020000
proof:
  description: What was held against the manifest, for each half.
  returned: when O(state=restored), not in check mode
  type: dict
undone:
  description: The ID of the backup whose restore was undone.
  returned: when O(state=rolled_back), not in check mode
  type: str
previous:
  description: Where the state that was in service before lies now.
  returned: not in check mode
  type: str
window_seconds:
  description: How long the swap took.
  returned: not in check mode
  type: float
settled:
  description: What an earlier run that was killed had left, and what was done about it.
  returned: not in check mode
  type: list
  elements: str
plan:
  description: What would be done.
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
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup import restore, rollback

TEXTS = ("backup", "components", "to_database", "to_dir", "confirm", "store")
LISTS = ("tables", "files")


def main():
    module = AnsibleModule(
        argument_spec={
            **ansible_edge.CONFIG_SPEC,
            **ansible_edge.ACCESS_SPEC,
            "state": {"type": "str", "choices": ["restored", "rolled_back"], "default": "restored"},
            "backup": {"type": "str"},
            "components": {"type": "str", "choices": ["full", "database", "json"], "default": "full"},
            "to_database": {"type": "str", "default": ""},
            "to_dir": {"type": "path", "default": ""},
            "tables": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "str", "default": []},
            "confirm": {"type": "str", "default": ""},
            **ansible_edge.OFFSITE_SPEC,
        },
        required_if=[("state", "restored", ["backup"])],
        supports_check_mode=True,
    )
    with ansible_edge.failures(module):
        config = ansible_edge.load(module)
        if module.params["state"] == "rolled_back":
            outcome = (rollback.plan if module.check_mode else rollback.run)(config)
        else:
            request = restore.Request(
                **{key: module.params[key] for key in TEXTS},
                **{key: tuple(module.params[key]) for key in LISTS},
                access=ansible_edge.access(module),
                offsite=module.params["offsite"],
            )
            outcome = (restore.plan if module.check_mode else restore.run)(config, request)
    ansible_edge.leave(module, outcome, changed=True)


if __name__ == "__main__":
    main()
