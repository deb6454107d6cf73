#!/usr/bin/python
# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_info
short_description: List the backups of the Mirai Knowledge System, or describe one
version_added: 0.1.0
description:
  - Reads the repository's manifests. Without O(backup) it lists what is there, with it it describes that one backup.
  - With O(check) it also answers whether all is well, as the command C(mirai-backup check) does.
author:
  - The mirai.backup authors (@mirai-knowledge-systems)
extends_documentation_fragment:
  - mirai.backup.attributes
  - mirai.backup.attributes.info
  - mirai.backup.config
options:
  backup:
    description:
      - The backup to describe. V(latest), V(oldest), an ID such as V(mirai_full_20261123_020000), a timestamp, a path.
      - Where it is not given, all backups are listed.
    type: str
  kind:
    description:
      - List only backups of this kind.
    type: str
    choices:
      - full
      - database
      - json
  check:
    description:
      - Also return RV(status), with everything that C(mirai-backup check) finds. Problems do not fail the task.
    type: bool
    default: false
  max_age:
    description:
      - With O(check), how old the newest good backup of each half may be, such as V(26h) or V(2d).
    type: str
    default: 26h
  offsite:
    description:
      - List what the offsite stores hold.
    type: bool
  store:
    description:
      - List only this offsite store.
    type: str
    default: ''
seealso:
  - module: mirai.backup.backup
  - module: mirai.backup.fleet_status
  - module: mirai.backup.restore
"""

EXAMPLES = r"""
- name: List all full backups
  mirai.backup.backup_info:
    kind: full
  register: found

- name: List what the offsite stores hold
  mirai.backup.backup_info:
    offsite: true
  register: stored

- name: Describe the newest backup
  mirai.backup.backup_info:
    backup: latest

- name: Ask whether all is well
  mirai.backup.backup_info:
    check: true
    max_age: 2d
  register: found
  failed_when: found is failed or found.status.problems | length > 0
"""

RETURN = r"""
repository:
  description: Where the backups lie.
  returned: when neither O(backup) nor O(offsite) is given
  type: str
backups:
  description: The backups that are there, newest first. Times are in UTC, durations in seconds, sizes in bytes.
  returned: when neither O(backup) nor O(offsite) is given
  type: list
  elements: dict
stores:
  description: Every offsite store, with its backups as above, and the error where it could not be listed.
  returned: when O(offsite=true)
  type: list
  elements: dict
damaged:
  description: Manifests that cannot be relied on, each with the problem.
  returned: when neither O(backup) nor O(offsite) is given
  type: list
  elements: dict
unsealed:
  description: Files that look like backups, but have no manifest, and so are none.
  returned: when neither O(backup) nor O(offsite) is given
  type: list
  elements: str
previous_states:
  description: The databases and directories that restores set aside.
  returned: when neither O(backup) nor O(offsite) is given
  type: list
  elements: dict
backup:
  description: The backup asked for, with the keys that a listed backup has.
  returned: when O(backup) is given
  type: dict
manifest:
  description: The manifest of the backup asked for, but for its list of files.
  returned: when O(backup) is given
  type: dict
status:
  description:
    - The state of this server. Times are in UTC, ages in seconds, sizes in bytes.
  returned: when O(check) is true
  type: dict
  contains:
    problems:
      description: What C(mirai-backup check) finds wrong, each in one line.
      type: list
      elements: str
    warnings:
      description: What it finds worth knowing.
      type: list
      elements: str
    lagging_stores:
      description: The offsite stores that lack backups for longer than an upload may take.
      type: list
      elements: str
    halves:
      description:
        - Of V(database) and V(json) each the newest good backup, and the sizes of the last ones, oldest first.
        - V(null) where there is no good backup of that half.
      type: dict
    drill:
      description: The last drill; V(null) where there was none.
      type: dict
    drill_wanted:
      description: Whether drills are configured.
      type: bool
    backups:
      description: How many backups there are.
      type: int
    size:
      description: What they take.
      type: int
    application:
      description: What is backed up.
      type: str
    engine_version:
      description: The version of the engine that made the newest backup.
      type: str
    time:
      description: When the question was answered.
      type: str
    max_age_seconds:
      description: The age that was allowed.
      type: float
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

from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mirai.backup.plugins.module_utils import ansible_edge
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup import host_status, inventory, offsite


def main():
    module = AnsibleModule(
        argument_spec={
            **ansible_edge.CONFIG_SPEC,
            "backup": {"type": "str"},
            "kind": {"type": "str", "choices": ["full", "database", "json"]},
            "check": {"type": "bool", "default": False},
            "max_age": {"type": "str", "default": "26h"},
            "offsite": {"type": "bool"},
            "store": {"type": "str", "default": ""},
        },
        mutually_exclusive=[("backup", "kind"), ("backup", "offsite")],
        supports_check_mode=True,
    )
    with ansible_edge.failures(module):
        config = ansible_edge.load(module)
        if module.params["offsite"]:
            outcome = offsite.run(config, module.params["kind"], module.params["store"])
        elif module.params["backup"]:
            outcome = inventory.info(config, module.params["backup"])
        else:
            outcome = inventory.run(config, module.params["kind"])
        if module.params["check"]:
            max_age = ansible_edge.age(module.params["max_age"])
            outcome = replace(outcome, document={**outcome.document, "status": host_status.of(config, max_age)})
    ansible_edge.leave(module, outcome, changed=False)


if __name__ == "__main__":
    main()
