#!/usr/bin/python
# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: restore_test
short_description: Drill a backup of the Mirai Knowledge System
version_added: 0.1.0
description:
  - Restores a backup in a throwaway place, holds what came out to its manifest, and damages a copy to see that the
    checks find it. The same that the command C(mirai-backup drill) does.
  - The application is never touched. The report lies in C(drills/) of the repository.
  - Every verdict but V(pass) fails the task, with the whole document in its result.
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
      - Names the backup, the checks and the place, and runs nothing.
  diff_mode:
    support: full
    details:
      - Shows the verdict of every check, or in check mode the plan.
  idempotent:
    support: none
    details:
      - Each call drills once more.
options:
  backup:
    description:
      - The backup to drill. V(latest), V(oldest), V(latest-verified), an ID such as V(mirai_full_20261123_020000), a
        timestamp or a path.
    type: str
    default: latest
  repository:
    description:
      - Another repository than the configuration's, such as one that was brought from another host.
    type: path
seealso:
  - module: mirai.backup.backup
  - module: mirai.backup.restore
"""

EXAMPLES = r"""
- name: Drill the newest backup
  mirai.backup.restore_test:

- name: Drill a certain backup, and look at the report before the play fails
  block:
    - name: Drill
      mirai.backup.restore_test:
        backup: mirai_full_20261123_020000
      register: drilled
  always:
    - name: Fetch the report
      ansible.builtin.fetch:
        src: "{{ drilled.directory }}/report.html"
        dest: drill_reports/
      when: drilled.directory is defined
"""

RETURN = r"""
verdict:
  description: V(pass), V(fail) or V(could_not_verify).
  returned: when a drill was run
  type: str
  sample: pass
directory:
  description: Where C(drill.json), C(junit.xml) and C(report.html) of this drill lie.
  returned: when a drill was run
  type: str
  sample: /opt/Mirai-Knowledge-Systems/backend/backups/drills/drill_20261201_040000
backup:
  description: The backup that was drilled. Times are in UTC, sizes in bytes, ages in seconds.
  returned: when a drill was run
  type: dict
checks:
  description: Every check with name, verdict, detail, seconds, and how many things it compared.
  returned: when a drill was run
  type: list
  elements: dict
differences:
  description: Every difference in one line, with the table, sequence, object or file that differs.
  returned: when a drill was run
  type: list
  elements: str
tables:
  description: Every table, with rows and digest as expected and as found.
  returned: when a drill was run
  type: list
  elements: dict
assertions:
  description: The operator's assertions with what was found.
  returned: when a drill was run
  type: list
  elements: dict
negative_control:
  description: The damage that was done to a copy, and what found it.
  returned: when a drill was run
  type: dict
phases:
  description: Seconds that each phase took.
  returned: when a drill was run
  type: dict
rto_seconds:
  description: Seconds from the beginning until both halves were restored.
  returned: when a drill was run
  type: float
rpo_seconds:
  description: The age of the backup in seconds when the drill began.
  returned: when a drill was run
  type: float
history:
  description: The last drills, this one included.
  returned: when a drill was run
  type: list
  elements: dict
plan:
  description: What would be drilled, with which checks, and where.
  returned: in check mode
  type: dict
watching:
  description: What hooks, alerts, heartbeat and metrics could not do. It changes no result.
  returned: when a drill was run
  type: list
  elements: str
exit_code:
  description:
    - The exit status that the command would have. 2 means that the drill failed, 4 that it is undecided, 12 that the
      backup cannot be decrypted.
  returned: always
  type: int
  sample: 0
lines:
  description: The result in words.
  returned: when a drill was run or planned
  type: list
  elements: str
next_step:
  description: What to do about an error that kept the drill from being run.
  returned: failure without a verdict
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mirai.backup.plugins.module_utils import ansible_edge
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup import drill
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup.config import elsewhere


def main():
    module = AnsibleModule(
        argument_spec={
            **ansible_edge.CONFIG_SPEC,
            **ansible_edge.ACCESS_SPEC,
            "backup": {"type": "str", "default": "latest"},
            "repository": {"type": "path"},
            **ansible_edge.OFFSITE_SPEC,
        },
        supports_check_mode=True,
    )
    with ansible_edge.failures(module):
        config = elsewhere(ansible_edge.load(module), module.params["repository"])
        chosen = {key: module.params[key] for key in ("offsite", "store")}
        if module.check_mode:
            outcome = drill.plan(config, module.params["backup"], **chosen)
        else:
            outcome = drill.run(config, module.params["backup"], access=ansible_edge.access(module), **chosen)
    ansible_edge.leave(module, outcome, changed=True)


if __name__ == "__main__":
    main()
