"""Keys for encrypted and signed backups, and what plain gpg says of them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import keys
from keys import KeyPair

PASSPHRASE = "canary passphrase 51c0ffee"


@dataclass(frozen=True)
class Keychain:
    """Key pairs, and the home of a keyring that can read the backups, for the oracle alone."""

    reader: KeyPair
    second: KeyPair
    signer: KeyPair
    former: KeyPair
    stranger: KeyPair
    intruder: KeyPair
    locked: KeyPair
    expired: KeyPair
    home: Path


def remove(home: Path) -> None:
    """Take a keyring away, with its agent."""
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
    shutil.rmtree(home)


def make(directory: Path, home: Path) -> Keychain:
    """New keys below ``directory``; ``home`` is short enough for an agent's socket."""
    directory.mkdir()
    encrypting = {name: keys.make(directory, name) for name in ("reader", "second", "stranger")}
    signing = {name: keys.make(directory, name, "sign") for name in ("signer", "former", "intruder")}
    locked = keys.make(directory, "locked", passphrase=PASSPHRASE)
    expired = keys.make(directory, "expired", expires="1d", clock="2020-01-01 00:00:00")
    home.mkdir(mode=0o700)
    public = [one.public for one in (*encrypting.values(), *signing.values(), locked, expired)]
    keys.gpg(home, "--import", encrypting["reader"].private, *public)
    return Keychain(locked=locked, expired=expired, home=home, **encrypting, **signing)


def signers(home: Path, manifest: Path) -> set:
    """The fingerprints of the primary keys whose signature over ``manifest`` is valid."""
    signature = Path(f"{manifest}.sig")
    argv = ["gpg", "--homedir", str(home), "--batch", "--no-autostart", "--trust-model", "always", "--status-fd", "1"]
    done = subprocess.run([*argv, "--verify", str(signature), str(manifest)], capture_output=True, check=False)
    words = [line.split() for line in done.stdout.decode(errors="replace").splitlines()]
    bad = {word[1] for word in words if len(word) > 1} & {"BADSIG", "ERRSIG", "REVKEYSIG"}
    return set() if bad or done.returncode else {word[-1] for word in words if word[1:2] == ["VALIDSIG"]}
