# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signs manifests, and holds them to their signature."""

from __future__ import annotations

import os

from . import gpg, gpg_home, manifest, process, safefile
from .config import Config
from .errors import CouldNotVerifyError, EngineError, MismatchError, PreflightError, ProcessError


def sign(config: Config, path: str) -> str:
    """Write the detached signature of the file ``path`` beside it, and return its path. Raises an EngineError."""
    with open(path, "rb") as content:
        made = _signed(config, f"/proc/self/fd/{content.fileno()}", (content.fileno(),))
    safefile.write(path + manifest.SIGNATURE, iter((made,)))
    return path + manifest.SIGNATURE


def rehearse(config: Config) -> None:
    """Sign nothing much: find out before a run whether the key signs. Raises PreflightError."""
    try:
        _signed(config, os.devnull)
    except ProcessError as error:
        raise PreflightError(
            f"signer key {config.gpg_sign_key} does not sign (GNUPGHOME {config.gpg_home}): {error.message}",
            "give its private part, without a passphrase, to mirai_backup_gpg_sign_private_key and run setup",
        ) from error


def require(config: Config, path: str, accept_unsigned: bool = False) -> None:
    """Hold the manifest ``path`` to its signature, where the configuration has a key that signs.

    Raises MismatchError when the signature is missing, not over these bytes or by no trusted key, CouldNotVerifyError
    when the trusted public key is not here. ``accept_unsigned`` lets a manifest without any signature pass.
    """
    if not config.gpg_sign_key:
        return
    if not os.path.lexists(path + manifest.SIGNATURE):
        if accept_unsigned:
            return
        raise MismatchError(
            f"manifest {path} is not signed, but gpg_sign_key is set: nothing shows that it was made here",
            "use a signed backup; one from before signing was set up can be used with --accept-unsigned",
        )
    trusted = {config.gpg_sign_key, *config.gpg_former_sign_keys}
    said = _checked(config, path)
    good = {one[-1] for one in said if one[0] == "VALIDSIG"}
    words = {one[0] for one in said}
    if good & trusted and not words & {"BADSIG", "REVKEYSIG", "ERRSIG"}:
        return
    if "ERRSIG" in words and not _knows(config, config.gpg_sign_key):
        raise CouldNotVerifyError(
            f"the signature of manifest {path} cannot be checked: the public key {config.gpg_sign_key} is not in "
            f"{config.gpg_home}",
            "give it to mirai_backup_gpg_public_keys and run setup",
        )
    why = "its signature is not over this content: it was edited or replaced"
    if "REVKEYSIG" in words:
        why = "it is signed by a key that is revoked"
    elif good or "BADSIG" not in words:
        why = "it is signed by no key that is trusted here"
    raise MismatchError(f"manifest {path}: {why}", "use another backup; this one cannot be trusted")


def _signed(config: Config, source: str, descriptors: tuple[int, ...] = ()) -> bytes:
    options = ("--pinentry-mode", "error", "--trust-model", "always", "--digest-algo", "SHA512", "--output", "-")
    what = ("--local-user", config.gpg_sign_key, "--detach-sign", source)
    with gpg_home.throwaway(config.gpg_home) as home:
        made = process.run(gpg.command(home, *options, *what, descriptors=descriptors))
    if not made:
        raise EngineError(f"gpg made no signature with {config.gpg_sign_key}", "see the system's log")
    return made


def _checked(config: Config, path: str) -> list[tuple[str, ...]]:
    """The status lines of gpg's look at the signature; a bad one is no error here."""
    said: list = []
    options = ("--no-autostart", "--trust-model", "always", "--no-auto-key-retrieve", "--status-fd", "1", "--verify")
    command = gpg.command(config.gpg_home, *options, "--", path + manifest.SIGNATURE, path)
    try:
        process.pump((command,), lambda block: said.append(bytes(block)))
    except ProcessError as error:
        if not said:
            raise CouldNotVerifyError(
                f"the signature of manifest {path} could not be checked: {error.message}", "see the message"
            ) from error
    return [one for one in gpg.statuses(b"".join(said).decode("utf-8", "replace")) if one]


def _knows(config: Config, fingerprint: str) -> bool:
    options = ("--no-autostart", "--trust-model", "always", "--with-colons", "--list-keys", "--", fingerprint)
    try:
        process.run(gpg.command(config.gpg_home, *options))
    except ProcessError:
        return False
    return True
