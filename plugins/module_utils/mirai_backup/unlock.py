# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes a backup readable: its manifest's signature first, then the private key that whoever runs this brings."""

from __future__ import annotations

import contextlib
import os
from typing import Iterator

from . import gpg, gpg_home, manifest, process, signature
from .access import Access
from .command import Command
from .compression import ENCRYPTED
from .config import Config
from .errors import DecryptError, MismatchError, PreflightError, ProcessError
from .hashed import HashedReader, require_sealed
from .repository import Backup


@contextlib.contextmanager
def unlocked(config: Config, backup: Backup, access: Access) -> Iterator[tuple[Command, ...]]:
    """The commands that decrypt the backup's artifacts, tried beforehand; none where it is not encrypted.

    Raises MismatchError for a bad signature and for damaged artifacts, else DecryptError where the key is missing,
    wrong or locked, PreflightError where gpg is not installed.
    """
    signature.require(config, backup.manifest_path, access.accept_unsigned)
    if manifest.read(backup.manifest_path).digest != backup.manifest.digest:
        raise MismatchError(f"manifest {backup.manifest_path} was replaced while it was read", "look who writes there")
    if not backup.encrypted:
        yield ()
        return
    with contextlib.ExitStack() as cleanup:
        try:
            home = cleanup.enter_context(_home_of(access.key_file)) if access.key_file else ""
            _readable("passphrase file", access.passphrase_file)
            command = gpg.decrypting(home, access.passphrase_file)
            _try(backup, command)
        except (DecryptError, PreflightError):
            require_sealed(backup)  # a damaged head of a file looks like a missing key
            raise
        yield (command,)


@contextlib.contextmanager
def opened(name: str, raw: HashedReader, decryption: tuple[Command, ...]) -> Iterator:
    """The content of the artifact ``name``, whose bytes ``raw`` reads, as a file to read from.

    Raises DecryptError, and MismatchError where gpg finds the bytes changed.
    """
    if not name.endswith(ENCRYPTED):
        yield raw
        return
    if not decryption:
        raise DecryptError(f"{name} is encrypted, and there is no key to read it with", "give --key FILE")
    try:
        with contextlib.ExitStack() as cleanup:
            yield cleanup.enter_context(process.reading(decryption, raw.pour))
    except ProcessError as error:
        raise MismatchError(f"{name} cannot be decrypted: {error.message}") from error


@contextlib.contextmanager
def _home_of(key_file: str) -> Iterator[str]:
    """A throwaway home that holds the private key of ``key_file`` alone."""
    _readable("key file", key_file)
    with gpg_home.throwaway() as home:
        try:
            said = process.run(gpg.command(home, "--status-fd", "1", "--import", "--", key_file))
        except ProcessError as error:
            raise DecryptError(
                f"key file {key_file} cannot be imported: {error.message}", "export it with gpg --export-secret-keys"
            ) from error
        results = [one for one in gpg.statuses(said.decode("utf-8", "replace")) if one[0] == "IMPORT_RES"]
        if not results or int(results[-1][10]) == 0:
            raise DecryptError(
                f"key file {key_file} holds no private key", "export it with gpg --export-secret-keys, not --export"
            )
        yield home


def _readable(what: str, path: str) -> None:
    if path and not (os.path.isfile(path) and os.access(path, os.R_OK)):
        raise DecryptError(f"{what} {path} cannot be read", "correct its path, its owner or its mode")


class _Opens(Exception):
    """The key fits: something came out."""


def _try(backup: Backup, command: Command) -> None:
    """Let gpg open the main artifact, as far as its first bytes. Raises DecryptError; damage is for others to find."""
    with open(backup.path, "rb") as file, contextlib.suppress(_Opens, ProcessError):
        with process.reading((command,), HashedReader(file).pour) as stream:
            if stream.read(1):
                raise _Opens
