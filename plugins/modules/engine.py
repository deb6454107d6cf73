#!/usr/bin/python
# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: engine
short_description: Install the backup engine and its command
version_added: 0.1.0
description:
  - Puts the engine that this collection carries on the target, as the command C(mirai-backup).
  - The files travel inside the module itself, so that one round trip is enough and no package repository is needed.
  - The new version is complete before it is switched to. The version before stays, since a running backup may still
    use it; older ones are removed.
author:
  - The mirai.backup authors (@mirai-knowledge-systems)
extends_documentation_fragment:
  - mirai.backup.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the version and every file that is written or removed.
  idempotent:
    support: full
    details:
      - By content. A file that is missing, changed or of another mode is repaired, and that is a change.
options:
  prefix:
    description:
      - Put before every path, for a set-up without root or beside another one.
    type: str
    default: ''
  state:
    description:
      - V(present) installs or repairs the engine, V(absent) removes it. Neither touches configuration or backups.
    type: str
    choices:
      - present
      - absent
    default: present
"""

EXAMPLES = r"""
- name: Install the engine
  mirai.backup.engine:

- name: Install the engine without root
  mirai.backup.engine:
    prefix: /srv/trial

- name: Remove the engine
  mirai.backup.engine:
    state: absent
"""

RETURN = r"""
version:
  description: The engine's version.
  returned: when O(state=present)
  type: str
  sample: 0.1.0
digest:
  description: What names this content of the engine; also its directory below C(/usr/local/lib/mirai-backup).
  returned: when O(state=present)
  type: str
  sample: 3f1c02ab9de45678
path:
  description: The command.
  returned: always
  type: str
  sample: /usr/local/bin/mirai-backup
changes:
  description: What was written, removed or switched, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample:
    - write /usr/local/bin/mirai-backup
"""

import sys

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mirai.backup.plugins.module_utils import ansible_edge
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup import cli, install

# The payload holds only what something imports by name; the command imports every room, so it has to be named here.
COMMAND = cli.main


def main():
    module = AnsibleModule(
        argument_spec={
            "prefix": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    prefix = module.params["prefix"].rstrip("/")
    with ansible_edge.failures(module):
        if module.params["state"] == "present":
            plan = install.plan(prefix, sys.executable)
        else:
            plan = install.plan_removal(prefix)
        if not module.check_mode:
            install.apply(plan)
    module.exit_json(**ansible_edge.installation(plan))


if __name__ == "__main__":
    main()
