# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings keys into the GNUPGHOME of the backups: tried on a copy in memory, then written file by file."""

from __future__ import annotations

import os
import stat
from typing import Sequence

from . import gpg, gpg_home, keyring, process, safefile, validators
from .errors import ConfigError, ProcessError
from .keyring import Key

_PUBLIC = "pubring.kbx"
_PRIVATE = "private-keys-v1.d"
_NOTHING_NEW = ("0", "16")  # what gpg says of a key, public or private, that it had already


def run(
    home: str,
    public: Sequence[str],
    private: Sequence[str],
    recipients: Sequence[str] = (),
    sign_key: str = "",
    check: bool = False,
) -> tuple[list[str], tuple[Key, ...]]:
    """Import armored keys into ``home``; returns a line for each key that changed, and the keys that will be used.

    What is written belongs to the owner of ``home``; with ``check`` nothing is. Raises ConfigError for what is no
    such key, and for a key to be used that is not there afterwards; then nothing is written.
    """
    changes = []
    if check and not gpg.is_installed():  # it will be; then all of them are new
        counted = (("public", public), ("private", private))
        return [f"import {kind} key {number + 1}" for kind, keys in counted for number in range(len(keys))], ()
    with gpg_home.throwaway() as copy:
        before = _read(home)
        for name, content in before.items():
            os.makedirs(os.path.dirname(os.path.join(copy, name)), 0o700, exist_ok=True)
            safefile.write(os.path.join(copy, name), iter((content,)))
        for kind, blocks in (("public", public), ("private", private)):
            for number, block in enumerate(blocks):
                changes += _import(copy, kind, block, f"{kind} key {number + 1}")
        recipients = validators.fingerprints("gpg_recipients", recipients)
        sign_key = validators.optional_fingerprint("gpg_sign_key", sign_key)
        used = keyring.look(copy, recipients, sign_key)
        for key in used:
            if key.missing:
                raise ConfigError(
                    f"{key.purpose} key {key.fingerprint} {key.problem}", "add it to mirai_backup_gpg_public_keys"
                )
        if changes and not check:
            gpg_home.end_agent(copy)
            _write(home, before, _read(copy))
    return list(dict.fromkeys(changes)), used


def _import(home: str, kind: str, block: str, label: str) -> list[str]:
    if ("PRIVATE KEY BLOCK" in block) is not (kind == "private"):
        raise ConfigError(f"{label} is not an armored {kind} key", f"export it with gpg --armor, the {kind} part alone")
    try:
        said = process.run(gpg.command(home, "--status-fd", "1", "--import"), block.encode("utf-8")).decode("utf-8")
    except ProcessError as error:
        raise ConfigError(f"{label} cannot be imported: {error.message}", "export it anew with gpg --armor") from error
    imported = [one for one in gpg.statuses(said) if one[0] == "IMPORT_OK"]
    if not imported:
        raise ConfigError(f"{label} holds no key", "export it anew with gpg --armor")
    return [f"import {kind} key {one[2]}" for one in imported if one[1] not in _NOTHING_NEW]


def _read(home: str) -> dict:
    """The files of ``home`` that hold keys: relative path → content."""
    names = [_PUBLIC]
    directory = os.path.join(home, _PRIVATE)
    if os.path.isdir(directory):
        names += [os.path.join(_PRIVATE, one) for one in sorted(os.listdir(directory)) if one.endswith(".key")]
    found = {}
    for name in names:
        if os.path.exists(os.path.join(home, name)):
            with open(os.path.join(home, name), "rb") as file:
                found[name] = file.read()
    return found


def _write(home: str, before: dict, after: dict) -> None:
    if not stat.S_ISDIR(os.lstat(home).st_mode):
        raise ConfigError(f"{home} is not a directory", "correct mirai_backup_gpg_home")
    safefile.make_directory(os.path.join(home, _PRIVATE))
    for name, content in after.items():
        if before.get(name) != content:
            safefile.write(os.path.join(home, name), iter((content,)))
