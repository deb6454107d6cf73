"""Cases of single rows of the table in ``rows``: what goes wrong with copies elsewhere, and with their keys."""

from __future__ import annotations

import shutil
import time
from random import Random

import aftermath
import away
import keys
from findings import Finding, Harm, Leftover, SilentLoss, need
from sealed import Sealed
from world import KINDS, World

from families import encrypted, offsite
from families.retention import belongs, shadow

_FOREIGN = ("notes.txt", "mirai_full_20200101_000000.tar.gz", "mirai_db_x.sql.gz", "-rf", "名前")


def remote_pruned(world: World, random: Random, number: int) -> tuple[str, str]:
    """The store's own policy decides there, against the model from the documentation; what is foreign stays."""
    with away.store(world, ("directory", "sftp")[number % 2]) as store:
        store.reset()
        policy = {kind: (random.randint(1, 30), random.randint(1, 2)) for kind in KINDS}
        retention = {kind: {"days": days, "keep_min": least} for kind, (days, least) in policy.items()}
        for half in ((), ("--db-only",), ("--json-only",)):
            world.succeed("backup", *half)
        backups = []
        for manifest in world.manifests():
            if manifest.name in " ".join(store.held()):
                head = Sealed(manifest).head()
                one = {"id": head["id"], "kind": head["kind"], "number": head["sequence"], "ended": time.time()}
                backups.append({**one, "good": True, "pinned": False, "drilled": False})
        need(len(backups) == 6, Finding, f"{len(backups)} backups are in the store")
        for name in _FOREIGN:
            (store.storage.top() / random.choice(KINDS) / name).write_text("foreign")
        held = store.held()
        days = random.randint(1, 40)
        store.configure(retention="none")
        world.succeed("push", prefix=("faketime", "-f", f"+{days}d"))
        need(store.held() == held, Harm, "a store that rules itself was pruned")
        store.configure(retention=retention)
        said = world.succeed("--json", "push", prefix=("faketime", "-f", f"+{days}d")).document["offsite"][0]
        going = shadow(backups, policy, time.time() + days * 86400)
        need(set(said["pruned"]) == going, Harm, f"{set(said['pruned']) ^ going} are judged otherwise")
        wanted = {path for path in held if not any(belongs(f"/{path}", one) for one in going)}
        need(set(store.held()) == wanted, Harm, f"gone or left against policy: {set(store.held()) ^ wanted}")
    return f"{policy}, {days} days later: the store is pruned by its own policy alone", f"{len(going)} of 6 went"


def s3_lies(world: World, random: Random, number: int) -> tuple[str, str]:
    """Success is answered, and what is kept is nothing, an error, or less."""
    return offsite.http(world, random, "s3", ("200 error", "short", "lost")[number % 3])


def sftp_cut(world: World, random: Random, number: int) -> tuple[str, str]:
    """The line or the server goes within a transfer."""
    if number % 3 == 2:
        return offsite.sftp(world, random, "cut")
    return offsite.kill_at_random(world, random, 7)  # the server, which speaks SFTP


def expires_soon(world: World, random: Random, number: int) -> tuple[str, str]:
    """A key is warned of for thirty days, and from then on there is no backup rather than one in the open."""
    encrypted.fresh(world)
    place = world.directory / "brief"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    days = random.randint(2, 29)
    brief = keys.make(place, "brief", expires=f"{days}d")
    keys.into(place / "gnupg", brief.public, world.keys.signer.private)
    encrypted.configure(world, gpg_home=str(place / "gnupg"), gpg_recipients=[brief.fingerprint])
    before = aftermath.Before(world, world.advance())
    result = world.run("backup", "--json-only")
    said = result.out + result.err
    need(result.code == 0 and f"{brief.fingerprint} expires in" in said, SilentLoss, f"no warning: {said[-400:]}")
    need("expires in" in world.run("check").out, SilentLoss, "check does not warn")
    need(len(before.new()) == 1, Leftover, f"{len(before.new())} backups")
    later = world.run("backup", "--json-only", prefix=("faketime", "-f", f"+{days + 1}d"))
    need(later.code == 1 and "has expired" in later.err, SilentLoss, f"exit {later.code}: {later.err[-300:]}")
    need(len(before.new()) == 1, SilentLoss, "a backup was made with an expired key")
    encrypted.encrypted_only(world)
    return f"a key that expires in {days} days: warned of, then refused", "warned, then exit 1"
