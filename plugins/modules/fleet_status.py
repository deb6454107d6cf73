#!/usr/bin/python
# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_status
short_description: Write one report over the backups of many servers
version_added: 0.1.0
description:
  - Takes what M(mirai.backup.backup_info) answered on each server, or why it did not, and writes C(status.json) and
    C(status.html), worst first.
  - Meant to be run on the controller, as the playbook C(mirai.backup.status) does. The page needs nothing
    else, neither network nor script.
  - Servers that were not reached or are not set up are in the report as such. Findings do not fail the task; see
    RV(verdict).
author:
  - The mirai.backup authors (@mirai-knowledge-systems)
extends_documentation_fragment:
  - mirai.backup.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says the same and writes no file.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each call writes the report anew, with the time of the call.
options:
  hosts:
    description:
      - The servers and their answers.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What the server is called in the inventory.
        type: str
        required: true
      answer:
        description:
          - The result of M(mirai.backup.backup_info) with O(mirai.backup.backup_info#module:check), also where it
            failed or the server was unreachable. What else it holds is not looked at.
        type: dict
        required: true
  directory:
    description:
      - Where the two files are written. It is made where it is not there.
    type: path
    required: true
  language:
    description:
      - The language that the page opens in; it holds both.
    type: str
    choices:
      - en
      - ja
    default: en
seealso:
  - module: mirai.backup.backup_info
"""

EXAMPLES = r"""
- name: Ask every server
  hosts: mirai
  gather_facts: false
  tasks:
    - name: Ask
      mirai.backup.backup_info:
        check: true
      ignore_unreachable: true
      register: answer

    - name: Write the report
      mirai.backup.fleet_status:
        directory: /srv/reports
        hosts: >-
          {{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars, 'answer')))
             | dict2items(key_name='name', value_name='answer') }}
      run_once: true
      delegate_to: localhost
"""

RETURN = r"""
verdict:
  description: V(ok), V(warning) or V(problem). No servers at all are a problem.
  returned: always
  type: str
  sample: ok
counts:
  description: How many servers are in each state, V(problem), V(not_set_up), V(unreachable), V(warning) or V(ok).
  returned: always
  type: dict
json:
  description: The path of the report for programs.
  returned: always
  type: str
html:
  description: The path of the report for people.
  returned: always
  type: str
lines:
  description: The count, then each server that is not in order, with what is wrong and what to do.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mirai.backup.plugins.module_utils import ansible_edge
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup import fleet, fleet_files

HOST_SPEC = {"name": {"type": "str", "required": True}, "answer": {"type": "dict", "required": True}}


def main():
    module = AnsibleModule(
        argument_spec={
            "hosts": {"type": "list", "elements": "dict", "required": True, "options": HOST_SPEC},
            "directory": {"type": "path", "required": True},
            "language": {"type": "str", "choices": ["en", "ja"], "default": "en"},
        },
        supports_check_mode=True,
    )
    hosts = [fleet.host(one["name"], one["answer"]) for one in module.params["hosts"]]
    directory = module.params["directory"]
    with ansible_edge.failures(module):
        if not module.check_mode:
            fleet_files.keep(directory, hosts, module.params["language"])
    module.exit_json(changed=True, **fleet_files.summary(directory, hosts))


if __name__ == "__main__":
    main()
