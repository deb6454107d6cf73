"""Encrypted and signed backups: keys that are wrong, missing or expired, deaths, retention."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from pathlib import Path
from random import Random

import aftermath
import keychain
from family import family
from findings import Finding, Harm, Leftover, SilentLoss, Unreached, need
from world import KINDS, Result, World

from families.encrypted import HALVES, configure, encrypted_only, fresh, judge

_UNFIT = ("expired", "missing", "no keyring", "sign key missing", "sign key public only", "keyring damaged")


@family("encrypted.keys", 36, 1, "a backup whose keys are expired, missing or damaged: none is made, none in the open")
def unfit_keys(world: World, random: Random, number: int) -> tuple[str, str]:
    what = _UNFIT[number % len(_UNFIT)]
    fresh(world)
    keyring, home = world.keys, world.directory / "unfit"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(world.directory / "gnupg", home)
    settings = {"gpg_home": str(home)}
    named = keyring.reader.fingerprint
    if what == "expired":
        named = keyring.expired.fingerprint
        settings["gpg_recipients"] = [keyring.reader.fingerprint, named]
    elif what == "missing":
        named = keyring.stranger.fingerprint
        settings["gpg_recipients"] = [keyring.reader.fingerprint, named]
    elif what == "no keyring":
        shutil.rmtree(home)
    elif what == "sign key missing":
        named = settings["gpg_sign_key"] = keyring.stranger.fingerprint
    elif what == "sign key public only":
        named = keyring.signer.fingerprint
        shutil.rmtree(home / "private-keys-v1.d")
    else:
        (home / "pubring.kbx").write_bytes(random.randbytes(3000))
    before = aftermath.Before(world, world.advance())
    configure(world, **settings)
    result = world.run("backup", *random.choice(tuple(HALVES.values())))
    need(result.code == 1, SilentLoss, f"{what}: exit {result.code}: {result.out[-300:]}")
    need(named in result.err or str(home) in result.err, Finding, f"no key is named: {result.err[-400:]}")
    need(not before.new(), SilentLoss, "a backup was made all the same")
    outcome = aftermath.disturbed(before, result)
    encrypted_only(world)
    configure(world)
    _recovers(before)
    return f"keys: {what}: no backup, and none unencrypted", outcome


def _recovers(before: aftermath.Before, *arguments: str) -> None:
    seen = set(before.world.manifests())
    aftermath.recovers(before, *arguments)
    for manifest in set(before.world.manifests()) - seen:
        by = keychain.signers(before.world.keys.home, manifest)
        need(by == {before.world.keys.signer.fingerprint}, SilentLoss, f"{manifest.name} is signed by {by}")
    encrypted_only(before.world)


@family("encrypted.access", 30, 1, "reading back with no key, a wrong one, a locked one, the right one")
def access(world: World, random: Random, number: int) -> tuple[str, str]:
    fresh(world)
    keyring = world.keys
    if number % 5 == 4:
        return _locked(world, random)
    reader, wrong = keyring.reader, keyring.stranger
    half = random.choice(tuple(HALVES.values()))
    given = {
        0: (), 1: ("--key", str(wrong.private)), 2: ("--key", str(keyring.reader.public)), 3: ("--key", "/nowhere/key"),
    }[number % 5]  # fmt: skip
    held = world.truth()
    result = world.run("restore", "latest", *half, *given)
    need(
        result.code == 12, SilentLoss if result.code in (0, 3) else Finding, f"exit {result.code}: {result.err[-300:]}"
    )
    aftermath.words(result)
    need(world.truth() == held, SilentLoss, "what was in service has changed")
    need(world.run("verify").code == 4, SilentLoss, "verify without a key is no could_not_verify")
    drilled = world.run("--json", "drill", "latest", *given, timeout=180)
    need(drilled.code == 12, SilentLoss if drilled.code == 0 else Finding, f"a drill without the key: {drilled.code}")
    world.server.psql("UPDATE knowledge SET body = 'lost'", world.name)
    (world.data / "knowledge.json").unlink()
    fitting = random.choice((reader, keyring.second))
    world.succeed("restore", "latest", "--key", str(fitting.private))
    _brought_back(world, held)
    return f"restore with {given[-1:] or 'no key'}: 12; with the right one everything is back", "exit 12, then 0"


def _locked(world: World, random: Random) -> tuple[str, str]:
    """A key with a passphrase: missing, wrong, right."""
    locked = world.keys.locked
    configure(world, gpg_recipients=[locked.fingerprint])
    truth = world.advance()
    world.succeed("backup")
    phrase = world.directory / "phrase"
    key = ("--key", str(locked.private))
    for word in (None, "wrong"):
        phrase.write_text(f"{word}\n")
        given = ("--key-passphrase-file", str(phrase)) if word else ()
        result = world.run("restore", "latest", *key, *given)
        need(result.code == 12, Finding, f"passphrase {word}: exit {result.code}: {result.err[-300:]}")
    phrase.write_text(f"{keychain.PASSPHRASE}\n")
    phrase.chmod(0o600)
    world.advance()
    world.succeed("restore", "latest", *key, "--key-passphrase-file", str(phrase))
    _brought_back(world, truth)
    phrase.unlink()
    return "a locked key: 12 without its passphrase or with a wrong one, 0 with it", "12, 12, 0"


def _brought_back(world: World, truth: object) -> None:
    now = world.truth()
    need(
        now.database == truth.database and now.files == truth.files, SilentLoss, "what came back is not what was there"
    )


@family("encrypted.kill", 30, 1, "SIGKILL at a random time of an encrypted and signed backup")
def killed(world: World, random: Random, number: int) -> tuple[str, str]:
    fresh(world)
    half = random.choice(tuple(HALVES.values()))
    begun = time.monotonic()
    world.succeed("backup", *half)
    seconds = time.monotonic() - begun
    before = aftermath.Before(world, world.advance())
    begun = time.monotonic()
    process = world.start("backup", *half)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(random.uniform(seconds * 0.1, seconds))
    if process.poll() is not None:
        world.finish(process, begun)
        raise Unreached("the run had ended before the signal")
    process.send_signal(signal.SIGKILL)
    result: Result = world.finish(process, begun)
    outcome = aftermath.disturbed(before, result, died=True)
    judge(before, before.new())
    _recovers(before)
    left = list(Path("/dev/shm").glob(f"mirai-gpg-{process.pid}-*"))
    need(not left, Leftover, f"the next run leaves the dead one's keyring: {left}")
    return "SIGKILL in an encrypted backup: whole and signed, or nothing; nothing in the open", outcome


@family("encrypted.prune", 8, 0, "retention takes encrypted and signed backups whole, and leaves the rest")
def pruned(world: World, random: Random, number: int) -> tuple[str, str]:
    fresh(world, retention={kind: {"days": random.randint(1, 20)} for kind in KINDS})
    manifests = world.manifests()
    newest = {kind: [one for one in manifests if one.parent.name == kind][-1] for kind in KINDS}
    kept = {path for one in newest.values() for path in aftermath.files(one)}
    world.succeed("prune", prefix=("faketime", "-f", f"+{random.randint(25, 300)}d"))
    left = {path for kind in KINDS for path in (world.repository / kind).iterdir()}
    need(left == kept, Harm, f"left or gone against policy: {sorted(map(str, left ^ kept))[:4]}")
    return "an old and a new one of each kind: the old goes with its signature", f"{len(left)} files left"
