"""Real keys for tests, made once: GnuPG is what judges them."""

from __future__ import annotations

import functools
import subprocess
from dataclasses import dataclass

from mirai_backup import gpg_home


@dataclass(frozen=True)
class KeyPair:
    """A key without a passphrase: fingerprint, public and private part in armor."""

    fingerprint: str
    public: str
    private: str


@functools.lru_cache(maxsize=None)
def pair(name: str) -> KeyPair:
    """The key of that name: the primary signs, a part of it encrypts."""
    with gpg_home.throwaway() as home:

        def gpg(*arguments: str) -> str:
            argv = ["gpg", "--homedir", home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback"]
            argv += ["--passphrase", "", *arguments]
            return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

        gpg("--quick-generate-key", f"{name} <{name}@example>", "ed25519", "sign", "never")
        colons = gpg("--with-colons", "--list-keys").splitlines()
        fingerprint = next(line.split(":")[9] for line in colons if line.startswith("fpr"))
        gpg("--quick-add-key", fingerprint, "cv25519", "encr", "never")
        found = KeyPair(fingerprint, gpg("--armor", "--export"), gpg("--armor", "--export-secret-keys"))
        gpg_home.end_agent(home)
        return found
