"""Real keys of GnuPG for the tests: made in a home of their own, handed out as files."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator


@dataclass(frozen=True)
class KeyPair:
    """One key: its fingerprint, its public and its private part in armored files."""

    fingerprint: str
    public: Path
    private: Path


def gpg(home: Path, *arguments: object, content: bytes = b"", clock: str = "") -> bytes:
    """Run gpg with the keys of ``home`` and return its stdout; ``clock`` is a time to pretend, for faketime."""
    argv = ["gpg", "--homedir", home, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", *arguments]
    if clock:
        argv = ["faketime", clock, *argv]
    done = subprocess.run(list(map(str, argv)), input=content, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@contextmanager
def short_home() -> Iterator[Path]:
    """An empty home with a path short enough for the agent's socket."""
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/dev/shm") as directory:
        try:
            yield Path(directory)
        finally:
            subprocess.run(["gpgconf", "--homedir", directory, "--kill", "all"], check=True)


def make(directory: Path, name: str, purpose: str = "encr", expires: str = "never", passphrase: str = "",
         clock: str = "") -> KeyPair:  # fmt: skip
    """A new key pair whose files lie below ``directory``; ``purpose`` is ``encr`` or ``sign``."""
    with short_home() as home:
        secret = ("--passphrase", passphrase)
        gpg(home, *secret, "--quick-generate-key", f"{name} <{name}@example>", "ed25519",
            "sign" if purpose == "sign" else "cert", expires, clock=clock)  # fmt: skip
        colons = gpg(home, "--with-colons", "--list-keys").decode()
        fingerprint = next(line.split(":")[9] for line in colons.splitlines() if line.startswith("fpr"))
        if purpose == "encr":
            gpg(home, *secret, "--quick-add-key", fingerprint, "cv25519", "encr", expires, clock=clock)
        pair = KeyPair(fingerprint, directory / f"{name}.pub.asc", directory / f"{name}.key.asc")
        pair.public.write_bytes(gpg(home, "--armor", "--export", fingerprint))
        pair.private.write_bytes(gpg(home, *secret, "--armor", "--export-secret-keys", fingerprint))
        pair.private.chmod(0o600)
        return pair


def into(home: Path, *files: Path) -> None:
    """Import ``files`` into ``home``, made where it is not there, through a path short enough for the agent."""
    home.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/dev/shm") as directory:
        link = Path(directory) / "h"
        link.symlink_to(home)
        gpg(link, "--import", *files)
        subprocess.run(["gpgconf", "--homedir", str(link), "--kill", "all"], check=True)


def leftovers() -> list:
    """Throwaway keyrings in memory whose process is gone; those of others that run now are none."""
    found = Path("/dev/shm").glob("mirai-gpg-*")
    return [one for one in found if not Path("/proc", one.name.split("-")[2]).exists()]
