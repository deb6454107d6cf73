# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the modules that read encrypted and signed backups."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  gpg_key_file:
    description:
      - A file on the target with the private key of an encrypted backup, armored or not.
      - It is imported into a throwaway keyring in memory that is gone afterwards.
      - Empty means the keyring and agent of the account that the module runs as.
    type: path
    default: ''
  gpg_key_passphrase_file:
    description:
      - A file on the target with the key's passphrase in its first line.
    type: path
    default: ''
  accept_unsigned:
    description:
      - Where C(gpg_sign_key) is configured, use a backup from before its manifests were signed.
      - A signature that is there and does not fit is refused all the same.
    type: bool
    default: false
"""
