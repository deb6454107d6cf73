# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What whoever runs a verb brings to read a backup."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Access:
    """The means to read a backup.

    ``key_file`` holds a private key; empty means their own keyring and agent. ``passphrase_file`` holds its
    passphrase in the first line. ``accept_unsigned`` lets a manifest without a signature pass.
    """

    key_file: str = ""
    passphrase_file: str = ""
    accept_unsigned: bool = False


OWN_KEYRING = Access()
