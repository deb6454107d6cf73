# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The keys of the backups: whether each is there and fit for its purpose, and until when."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from typing import Iterable, Optional

from . import gpg, process, text
from .config import Config
from .errors import PreflightError, ProcessError

EXPIRES_SOON = 30 * 86400
_UNFIT = {"e": "has expired", "r": "is revoked", "d": "is disabled", "i": "is not valid", "n": "is not valid"}
_PURPOSES = {"e": "encrypts", "s": "signs"}


@dataclass(frozen=True)
class Key:
    """A key that the configuration names. ``purpose`` is ``recipient`` or ``signer``.

    ``expires`` is the second of the epoch from which on it cannot be used, None for never. ``problem`` says why it
    cannot be used now, empty when it can. ``missing`` says that there is no such key at all.
    """

    fingerprint: str
    purpose: str
    expires: Optional[int]
    problem: str
    missing: bool = False

    def document(self) -> dict:
        """The key as JSON values; the expiry in UTC."""
        expires = None
        if self.expires is not None:
            expires = text.utc(datetime.datetime.fromtimestamp(self.expires, datetime.timezone.utc))
        return {"fingerprint": self.fingerprint, "purpose": self.purpose, "expires": expires, "problem": self.problem}

    def warning(self, now: float) -> str:
        """What to say of a key that expires soon after ``now``; empty where there is nothing to say."""
        if self.problem or self.expires is None or self.expires - now > EXPIRES_SOON:
            return ""
        return (
            f"{self.purpose} key {self.fingerprint} expires in {text.duration(max(self.expires - now, 0))}: "
            "extend it, give the new public key to mirai_backup_gpg_public_keys and run setup"
        )


def find(config: Config) -> tuple[Key, ...]:
    """Every key that the configuration needs to make a backup. Raises PreflightError where gpg is not installed."""
    return look(config.gpg_home, config.gpg_recipients, config.gpg_sign_key)


def look(home: str, recipients: Iterable[str], sign_key: str) -> tuple[Key, ...]:
    """The keys of these fingerprints, as they are in ``home``; no ``sign_key`` is empty."""
    wanted = [(one, "recipient", "e") for one in recipients]
    wanted += [(sign_key, "signer", "s")] if sign_key else []
    return tuple(_look(home, *one) for one in wanted)


def require(keys: tuple[Key, ...], home: str) -> None:
    """Raise PreflightError for the first key that cannot be used: no backup is ever made without it instead."""
    for key in keys:
        if key.problem:
            raise PreflightError(
                f"{key.purpose} key {key.fingerprint} {key.problem} (GNUPGHOME {home}); no backup is made without it",
                "give a usable public key to mirai_backup_gpg_public_keys, or correct the fingerprint, and run setup",
            )


def _look(home: str, fingerprint: str, purpose: str, capability: str) -> Key:
    if not os.path.isdir(home):
        gpg.program("gpg")
        return Key(fingerprint, purpose, None, "is not there: there is no such GNUPGHOME", missing=True)
    options = ("--no-autostart", "--trust-model", "always", "--with-colons", "--fixed-list-mode", "--list-keys")
    try:
        listed = process.run(gpg.command(home, *options, "--", fingerprint)).decode("utf-8", "replace")
    except ProcessError as error:
        missing = "not found" in error.message or "No public key" in error.message
        why = "is not there" if missing else f"cannot be read: {error.message}"
        return Key(fingerprint, purpose, None, why, missing)
    return judge(listed, fingerprint, purpose, capability)


def judge(listed: str, fingerprint: str, purpose: str, capability: str) -> Key:
    """The key of that fingerprint in gpg's ``listed`` colons; ``capability`` is the letter of what it is for."""
    records = [line.split(":") for line in listed.splitlines()]
    parts = [one for one in records if one[0] in ("pub", "sub")]
    primary = next((one[9] for one in records if one[0] == "fpr"), "")
    if primary != fingerprint:
        return Key(
            fingerprint, purpose, None, f"is a subkey; write the fingerprint of its primary key, {primary}", True
        )
    if parts[0][1] in _UNFIT:
        return Key(fingerprint, purpose, _expiry(parts[0]), _UNFIT[parts[0][1]])
    fit = [one for one in parts if capability in one[11]]
    usable = [one for one in fit if one[1] not in _UNFIT]
    if not usable:
        why = f"{_UNFIT[fit[-1][1]]} (the part of it that {_PURPOSES[capability]})" if fit else ""
        why = why or f"has no part that {_PURPOSES[capability]}"
        return Key(fingerprint, purpose, _expiry(fit[-1]) if fit else None, why)
    last = max((_expiry(one) for one in usable), key=lambda one: one if one is not None else float("inf"))
    limits = [one for one in (last, _expiry(parts[0])) if one is not None]
    return Key(fingerprint, purpose, min(limits) if limits else None, "")


def _expiry(record: list) -> Optional[int]:
    return int(record[6]) if record[6] else None
