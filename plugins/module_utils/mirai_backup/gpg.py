# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GnuPG's commands, and what its status lines mean. Keys are named by full fingerprint, never by name."""

from __future__ import annotations

import shutil
from typing import Optional

from .command import Command, environment
from .errors import DecryptError, EngineError, PreflightError, ProcessError

_MARK = "[GNUPG:] "
# libgpg-error: a number holds its source above, its code below.
_CODE = 0xFFFF
_NO_SECKEY = 17


def command(home: str, *arguments: str, descriptors: tuple[int, ...] = ()) -> Command:
    """gpg with ``arguments`` and nobody's options, asking nobody; ``home`` is its GNUPGHOME."""
    options = ("--no-options", "--homedir", home, "--batch", "--no-tty", "--quiet", "--no-permission-warning")
    return Command((program("gpg"), *options, *arguments), descriptors=descriptors)


def is_installed() -> bool:
    """Whether gpg is there."""
    return _which("gpg") is not None


def program(name: str) -> str:
    """The path of gpg or one of its companions. Raises PreflightError where it is not installed."""
    path = _which(name)
    if path is None:
        raise PreflightError(f"{name}: command not found", "install gnupg")
    return path


def encrypting(home: str, recipients: tuple[str, ...]) -> Command:
    """Encrypts stdin to stdout, to all ``recipients``. What comes is compressed already, and not again."""
    to = (word for one in recipients for word in ("--recipient", one))
    options = ("--trust-model", "always", "--no-auto-key-locate", "--no-autostart")
    return command(home, *options, "--cipher-algo", "AES256", "--compress-algo", "none", "--encrypt", *to)


def decrypting(home: str = "", passphrase_file: str = "") -> Command:
    """Decrypts stdin to stdout with the keys of ``home``; empty: those of whoever runs us, agent and all.

    Its errors are a DecryptError where a key is wanting, a ProcessError where the bytes are not what they were.
    """
    place = ("--no-options", "--no-tty", "--homedir", home) if home else ()
    unlock = ("--pinentry-mode", "loopback", "--passphrase-file", passphrase_file) if passphrase_file else ()
    if home and not passphrase_file:
        unlock = ("--pinentry-mode", "error")
    options = ("--batch", "--quiet", "--no-permission-warning", "--status-fd", "2")
    return Command((program("gpg"), *place, *options, *unlock, "--decrypt"), explain=_explain)


def statuses(said: str) -> list[tuple[str, ...]]:
    """The status lines in what gpg said, split into words."""
    return [tuple(line[len(_MARK) :].split()) for line in said.splitlines() if line.startswith(_MARK)]


def _which(name: str) -> Optional[str]:
    return shutil.which(name, path=environment()["PATH"])


def _explain(said: str) -> Optional[EngineError]:
    found = [one for one in statuses(said) if one]
    words = {one[0] for one in found}
    # Without a beginning no key was tried: GnuPG 2.4 reads ahead, and gives up where a stream is cut short.
    if "DECRYPTION_INFO" in words or not {"ENC_TO", "BEGIN_DECRYPTION"} <= words:
        return ProcessError("gpg: the encrypted bytes were changed or cut short")
    wanted = ", ".join(one[1] for one in found if one[0] == "ENC_TO")
    if _is_here(found):
        return DecryptError(
            f"the private key {wanted} is here, but does not open: its passphrase is missing or wrong",
            "give the passphrase with --key-passphrase-file, or unlock the key in the agent",
        )
    return DecryptError(
        f"no private key is here for any of the keys it was encrypted to ({wanted})",
        "give the private key of a recipient with --key FILE, or import it into the keyring of whoever runs this",
    )


def _is_here(found: list[tuple[str, ...]]) -> bool:
    """Whether a private key that fits is there: 2.4 says why it did not open, 2.2 considers only keys that fit."""
    codes = [int(one[2]) & _CODE for one in found if one[:2] == ("ERROR", "pkdecrypt_failed")]
    if codes:
        return _NO_SECKEY not in codes
    return any(one[0] == "KEY_CONSIDERED" for one in found)
