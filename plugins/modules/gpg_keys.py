#!/usr/bin/python
# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: gpg_keys
short_description: Bring GPG keys into the keyring of the backups
version_added: 0.1.0
description:
  - Imports armored keys into a GNUPGHOME of the backups' own. Nobody else's keyring is touched.
  - Keys that are there already stay as they are; none is ever removed.
author:
  - The mirai.backup authors (@mirai-knowledge-systems)
extends_documentation_fragment:
  - mirai.backup.attributes
attributes:
  check_mode:
    support: full
    details:
      - The import is carried out on a copy in memory.
  diff_mode:
    support: full
    details:
      - Shows the fingerprints of the keys that are new or changed, never a key.
  idempotent:
    support: full
options:
  home:
    description:
      - The GNUPGHOME. It has to be there, but for check mode; what is written into it belongs to its owner.
    type: path
    required: true
  public_keys:
    description:
      - Armored public keys.
    type: list
    elements: str
    default: []
  private_keys:
    description:
      - Armored private keys, without a passphrase. For keys that sign; the private key of a recipient stays elsewhere.
    type: list
    elements: str
    default: []
  recipients:
    description:
      - Full fingerprints of keys that backups are encrypted to. One that is not there afterwards is an error, one that
        has expired or expires soon a warning.
    type: list
    elements: str
    default: []
  sign_key:
    description:
      - The full fingerprint of the key that signs manifests, looked at in the same way. Empty means none.
    type: str
    default: ''
requirements:
  - GnuPG 2.2 or newer on the target
seealso:
  - module: mirai.backup.backup
"""

EXAMPLES = r"""
- name: Bring the recipients' public keys
  mirai.backup.gpg_keys:
    home: /etc/mirai-backup/gnupg
    public_keys: "{{ mirai_backup_gpg_public_keys }}"
    recipients: "{{ mirai_backup_gpg_recipients }}"
"""

RETURN = r"""
changes:
  description: A line for each key that is new or has changed, with its fingerprint.
  returned: success
  type: list
  elements: str
  sample:
    - import public key 2498ABCCBB988FAF8E3D464D67D9EE4ADDBAE639
next_step:
  description: What to do about the failure.
  returned: failure
  type: str
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mirai.backup.plugins.module_utils import ansible_edge
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup import key_import


def main():
    module = AnsibleModule(
        argument_spec={
            "home": {"type": "path", "required": True},
            "public_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "private_keys": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "recipients": {"type": "list", "elements": "str", "default": []},
            "sign_key": {"type": "str", "default": "", "no_log": False},
        },
        supports_check_mode=True,
    )
    wanted = (module.params[name] for name in ("home", "public_keys", "private_keys", "recipients", "sign_key"))
    with ansible_edge.failures(module):
        changes, used = key_import.run(*wanted, check=module.check_mode)
    for key in used:
        notice = f"{key.purpose} key {key.fingerprint} {key.problem}" if key.problem else key.warning(time.time())
        if notice:
            module.warn(notice)
    module.exit_json(
        changed=bool(changes),
        changes=changes,
        diff={"before": "", "after": "".join(f"{line}\n" for line in changes)},
    )


if __name__ == "__main__":
    main()
