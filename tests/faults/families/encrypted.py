"""Encrypted and signed backups: damage, forged signatures.

The oracle decrypts and checks signatures with plain gpg, from a keyring of its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from random import Random

import aftermath
import keychain
import keys
from content import FILE_CANARY, ROW_CANARY
from family import family
from findings import FalseAlarm, Finding, SilentLoss, Unreached, need
from sealed import Sealed
from world import KINDS, World

from families.corruption import _CHANGES

HALVES = {"full": (), "database": ("--db-only",), "json": ("--json-only",)}


def fresh(world: World, **settings: object) -> None:
    """The world with encrypted and signed backups in place of the others; ``settings`` go into the configuration."""
    template = world.directory / "encrypted-template"
    world.fresh()
    if not template.exists():
        _make(world, template)
    for kind in KINDS:
        shutil.rmtree(world.repository / kind)
    for name in ("LATEST_BACKUP.txt", "backup_metadata.log", ".index"):
        (world.repository / name).unlink(missing_ok=True)
    subprocess.run(["cp", "-a", f"{template}/.", world.repository], check=True)
    configure(world, **settings)


def configure(world: World, **settings: object) -> None:
    """Encrypt to the reader and a second key, sign with the signer's; ``settings`` replace any of that."""
    keyring = world.keys
    values = {
        "gpg_home": str(world.directory / "gnupg"),
        "gpg_recipients": [keyring.reader.fingerprint, keyring.second.fingerprint],
        "gpg_sign_key": keyring.signer.fingerprint,
    }
    world.configure(**{**values, **settings})


def _make(world: World, template: Path) -> None:
    keyring, home = world.keys, world.directory / "gnupg"
    # The intruder's public key is there too, as any key may be in a keyring: that makes nobody trusted.
    public = (keyring.reader, keyring.second, keyring.former, keyring.locked, keyring.expired, keyring.intruder)
    keys.into(home, *(one.public for one in public), keyring.signer.private)
    shutil.rmtree(world.repository)
    configure(world)
    before = aftermath.Before(world, world.truth())
    for _turn in range(2):
        for half in HALVES.values():
            world.succeed("backup", *half)
    judge(before, before.new())
    shutil.copytree(world.repository, template)


def judge(before: aftermath.Before, new: list[Path]) -> None:
    """Every new backup is whole once gpg has decrypted it, is signed by the signer, and nothing is in the open."""
    world = before.world
    aftermath.judge(before, new)
    for manifest in new:
        by = keychain.signers(world.keys.home, manifest)
        need(by == {world.keys.signer.fingerprint}, SilentLoss, f"{manifest.name} is signed by {by or 'nobody'}")
    encrypted_only(world)


def encrypted_only(world: World) -> None:
    """No artifact lies anywhere unencrypted, not even where a dead run left it."""
    for path in world.repository.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        need(ROW_CANARY.encode() not in content and FILE_CANARY.encode() not in content, SilentLoss, f"{path} is plain")
        plain = content[:2] == b"\x1f\x8b" or content[:5] == b"PGDMP" or content[257:262] == b"ustar"
        need(not plain, SilentLoss, f"{path} is an archive or a dump in the open")


def regions(size: int) -> dict:
    """The regions of an encrypted artifact: the packets of the session keys, the content, its end with the digest."""
    spans = {"first session key": (0, 90), "second session key": (94, 180), "header": (188, 210)}
    spans["first block"] = (210, min(size, 600))
    spans["body"] = (size // 4, size * 3 // 4)
    spans["last block"] = (max(0, size - 300), max(1, size - 22))
    spans["digest"] = (max(0, size - 22), size)
    return {name: span for name, span in spans.items() if 0 <= span[0] < span[1] <= size}


@family("encrypted.regions", 140, 2, "every region of encrypted artifacts: flips, zeros, noise, cuts")
def damaged_region(world: World, random: Random, number: int) -> tuple[str, str]:
    fresh(world)
    target = Sealed(random.choice(world.manifests()))
    path = random.choice(aftermath.artifacts(target.manifest))
    content = bytearray(path.read_bytes())
    spans = regions(len(content))
    region = sorted(spans)[number % len(spans)]
    said = random.choice(_CHANGES)(random, content, *spans[region])
    path.write_bytes(content)
    reader = str(world.keys.reader.private)
    outcome = refused(world, target, random.choice(((), ("--key", reader))), re.escape(path.name), reader)
    return f"{path.name}, {region}: {said}: verify names it, with and without the key", outcome


def refused(world: World, target: Sealed, access: tuple, names: str, key: str) -> str:
    """Verify finds it and names it, restore does not take it even with the key, what is in service stays."""
    result = world.run("--json", "verify", target.id, *access)
    aftermath.words(result)
    need(result.code == 2, SilentLoss if result.code in (0, 4) else Finding,
         f"verify exits with {result.code} instead of 2: {result.err[-300:]}{result.out[-300:]}")  # fmt: skip
    said = result.out + result.err
    need(target.id in said or re.search(names, said), Finding, f"verify does not name it: {said[-500:]}")
    held = world.truth()
    restored = world.run("restore", target.id, *_half(target), "--key", key)
    aftermath.words(restored)
    need(restored.code not in (0, 3), SilentLoss, f"restore takes {target.id}")
    need(world.truth() == held, SilentLoss, "what was in service has changed")
    return "verify names it, restore refuses it"


def _half(target: Sealed) -> tuple:
    return HALVES[target.manifest.parent.name]


_FORGERIES = (
    "gone", "empty", "cut", "flipped", "another's", "a stranger's", "former key", "edited", "resealed", "older pair",
    "resealed by a stranger",
)  # fmt: skip


@family("encrypted.signature", 66, 2, "signatures removed, damaged, exchanged, forged; manifests edited under them")
def signature(world: World, random: Random, number: int) -> tuple[str, str]:
    what = _FORGERIES[number % len(_FORGERIES)]
    fresh(world)
    kind = random.choice(KINDS)
    other, target = (Sealed(path) for path in world.manifests() if path.parent.name == kind)
    at = Path(f"{target.manifest}.sig")
    content = bytearray(at.read_bytes())
    if what == "gone":
        at.unlink()
    elif what == "empty":
        at.write_bytes(b"")
    elif what == "cut":
        at.write_bytes(content[: random.randrange(1, len(content))])
    elif what == "flipped":
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        at.write_bytes(content)
    elif what == "another's":
        at.write_bytes(Path(f"{other.manifest}.sig").read_bytes())
    elif what == "a stranger's":
        _sign(world.keys.intruder, target.manifest)
    elif what == "former key":
        return _former_key(world, target)
    elif what == "older pair":
        target.manifest.write_bytes(other.manifest.read_bytes())
        at.write_bytes(Path(f"{other.manifest}.sig").read_bytes())
    elif what == "edited":
        text = bytearray(target.manifest.read_bytes())
        text[random.choice([place for place, byte in enumerate(text) if byte in b"123456789"])] = ord("0")
        target.manifest.write_bytes(text)
    else:
        head = target.head()
        head["host"], head["application"] = "elsewhere", "another"
        target.write(head)
        if what == "resealed by a stranger":
            _sign(world.keys.intruder, target.manifest)
    if world.keys.signer.fingerprint in keychain.signers(world.keys.home, target.manifest) and what == "flipped":
        raise Unreached("the bit is of no account to gpg either")
    reader = str(world.keys.reader.private)
    outcome = refused(world, target, ("--key", reader), re.escape(target.manifest.name), reader)
    return f"{target.manifest.name}: signature {what}: refused", outcome


def _sign(pair: keys.KeyPair, manifest: Path) -> None:
    with keys.short_home() as home:
        keys.gpg(home, "--import", pair.private)
        Path(f"{manifest}.sig").write_bytes(keys.gpg(home, "--output", "-", "--detach-sign", manifest))


def _former_key(world: World, target: Sealed) -> tuple[str, str]:
    """A key that signed before counts when it is named as such, and only then."""
    _sign(world.keys.former, target.manifest)
    reader = str(world.keys.reader.private)
    outcome = refused(world, target, ("--key", reader), re.escape(target.manifest.name), reader)
    configure(world, gpg_former_sign_keys=[world.keys.former.fingerprint])
    result = world.run("verify", target.id, "--key", reader)
    need(result.code == 0, FalseAlarm, f"a former key's signature: exit {result.code}: {result.out[-300:]}")
    return "signed by a former key: refused unless it is named", outcome
