"""Damage to what lies in the repository: every region of every artifact, truncation, zeroing, swaps, edited manifests.

Every byte counts: ``verify`` must name it, whether or not what the backup holds is affected.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import aftermath
from family import family
from findings import Finding, SilentLoss, need
from sealed import Sealed
from world import World


def regions(path: Path) -> dict:
    """The regions of an artifact by name: where each begins and ends. Those of the members of a full archive too."""
    content = path.read_bytes()
    size = len(content)
    found = {"gzip header": (0, 10), "first block": (10, min(size, 300)), "body": (size // 4, size * 3 // 4)}
    found["last block"] = (max(0, size - 300), size - 8)
    found["checksum"] = (size - 8, size - 4)
    found["length"] = (size - 4, size)
    for number, match in enumerate(re.finditer(rb"(?:database|json)/mirai_(db|globals|json)_", content)):
        role, start = match.group(1).decode(), match.start()
        found[f"tar header of {role} {number}"] = (start, start + 512)
        found[f"gzip header of {role} {number}"] = (start + 512, start + 522)
        found[f"content of {role} {number}"] = (start + 522, min(size, start + 1400))
    return {name: span for name, span in found.items() if 0 <= span[0] < span[1] <= size}


def _flip(random: Random, content: bytearray, start: int, end: int) -> str:
    place = random.randrange(start, end)
    content[place] ^= 1 << random.randrange(8)
    return f"a bit flipped at {place}"


def _zero(random: Random, content: bytearray, start: int, end: int) -> str:
    place = random.randrange(start, end)
    length = random.randint(1, min(4096, len(content) - place))
    if not any(content[place : place + length]):
        content[place] = 1
    else:
        content[place : place + length] = bytes(length)
    return f"{length} bytes zeroed at {place}"


def _noise(random: Random, content: bytearray, start: int, end: int) -> str:
    place = random.randrange(start, end)
    length = random.randint(1, min(64, len(content) - place))
    before = bytes(content[place : place + length])
    while content[place : place + length] == before:
        content[place : place + length] = random.randbytes(length)
    return f"{length} bytes of noise at {place}"


def _insert(random: Random, content: bytearray, start: int, end: int) -> str:
    place = random.randrange(start, end)
    content[place:place] = random.randbytes(random.randint(1, 40))
    return f"bytes inserted at {place}"


def _remove(random: Random, content: bytearray, start: int, end: int) -> str:
    place = random.randrange(start, end)
    del content[place : place + random.randint(1, 40)]
    return f"bytes removed at {place}"


def _truncate(random: Random, content: bytearray, start: int, end: int) -> str:
    del content[random.randrange(start, end) :]
    return f"truncated to {len(content)}"


def _swap(random: Random, content: bytearray, start: int, end: int) -> str:
    one = random.randrange(start, end)
    other = random.randrange(len(content))
    if content[one] == content[other]:
        content[one] ^= 0xFF
        return f"byte {one} inverted"
    content[one], content[other] = content[other], content[one]
    return f"bytes {one} and {other} swapped"


_CHANGES = (_flip, _flip, _zero, _noise, _insert, _remove, _truncate, _swap)


def _check(world: World, truth: object, target: Sealed, random: Random, names: str) -> str:
    """Verify must end with 2 and name the backup, the others must pass; or the oracle finds it good."""
    every = random.random() < 0.5
    result = world.run("--json", "verify", *(("--all",) if every else (target.id,)))
    aftermath.words(result)
    if result.code == 0:
        differences = world.oracle.judge(target.manifest, truth)
        raise SilentLoss(
            f"verify passes {target.id} although bytes changed; the oracle: {differences[:3] or 'unaffected'}"
        )
    need(
        result.code == 2,
        Finding,
        f"verify exits with {result.code} instead of 2: {result.err[-400:]}{result.out[-600:]}",
    )
    said = result.out + result.err
    need(target.id in said or re.search(names, said), Finding, f"verify does not name it: {said[-600:]}")
    if every:
        # A manifest that was made anew is also seen by the next backup, which names the one before it with its digest.
        others = [
            one
            for one in result.document["verified"]
            if target.id not in one["id"] and one["verdict"] != "pass" and target.id not in str(one.get("why"))
        ]
        need(not others, Finding, f"others do not pass: {others}")
    if random.random() < 0.12:
        _not_restored(world, target)
        return "verify names it, restore refuses it"
    return "verify names it"


def _not_restored(world: World, target: Sealed) -> None:
    held = world.truth()
    half = {"full": (), "database": ("--db-only",), "json": ("--json-only",)}[target.manifest.parent.name]
    result = world.run("restore", target.id, *half)
    need(result.code not in (0, 3), SilentLoss, f"restore takes the damaged {target.id}")
    aftermath.words(result)
    need(world.truth() == held, SilentLoss, "what was in service has changed")


def _pick(world: World, random: Random) -> tuple[object, Sealed]:
    """The template's truth and one of its backups."""
    world.fresh()
    return world.base_truth, Sealed(random.choice(world.manifests()))


@family("corruption.regions", 800, 5, "every region of every artifact: flips, zeros, noise, insertions, cuts, swaps")
def damaged_region(world: World, random: Random, number: int) -> tuple[str, str]:
    truth, target = _pick(world, random)
    path = random.choice(aftermath.artifacts(target.manifest))
    spans = regions(path)
    region = sorted(spans)[number % len(spans)]
    content = bytearray(path.read_bytes())
    said = random.choice(_CHANGES)(random, content, *spans[region])
    path.write_bytes(content)
    return f"{path.name}, {region}: {said}: verify names it", _check(world, truth, target, random, re.escape(path.name))


@family("corruption.truncation", 120, 1, "an artifact cut off after 1 to 99 per cent")
def truncated(world: World, random: Random, number: int) -> tuple[str, str]:
    truth, target = _pick(world, random)
    path = random.choice(aftermath.artifacts(target.manifest))
    content = path.read_bytes()
    percent = 1 + number % 99
    path.write_bytes(content[: len(content) * percent // 100])
    return f"{path.name} cut off at {percent} %: verify names it", _check(
        world, truth, target, random, re.escape(path.name)
    )


@family("corruption.exchange", 80, 2, "artifacts and manifests removed, emptied, or exchanged between backups")
def exchanged(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    full = [Sealed(path) for path in world.manifests() if path.parent.name == "full"]
    target, other = random.sample(full, 2)
    what = number % 5
    if what == 0:
        target.archive.write_bytes(other.archive.read_bytes())
        said = "the archive of another backup"
    elif what == 1:
        target.archive.unlink()
        said = "the archive removed"
    elif what == 2:
        target.archive.write_bytes(b"")
        said = "the archive emptied"
    elif what == 3:
        target.manifest.write_bytes(other.manifest.read_bytes())
        said = "the manifest of another backup"
    else:
        target.archive.unlink()
        target.archive.symlink_to(other.archive)
        said = "a link to another archive"
    return f"{target.id}: {said}: verify names it", _check(
        world, world.base_truth, target, random, re.escape(target.id)
    )


@family("corruption.manifest", 200, 3, "every part of a manifest edited, with and without digests that fit")
def manifest_edited(world: World, random: Random, number: int) -> tuple[str, str]:
    truth, target = _pick(world, random)
    content = bytearray(target.manifest.read_bytes())
    if number % 3 == 0:
        said = _reword(random, content)
        target.manifest.write_bytes(content)
    elif number % 3 == 1:
        said = _forge(random, target, number // 3)
    else:
        said = random.choice(_CHANGES)(random, content, 0, len(content))
        target.manifest.write_bytes(content)
    names = re.escape(target.manifest.name)
    return f"{target.manifest.name}: {said}: verify names it", _check(world, truth, target, random, names)


def _reword(random: Random, content: bytearray) -> str:
    """Put another digit in place of one: the form stays as the engine writes it."""
    places = [place for place, byte in enumerate(content) if byte in b"123456789"]
    place = random.choice(places)
    content[place] = random.choice([byte for byte in b"123456789" if byte != content[place]])
    return f"another digit at {place}"


def _forge(random: Random, target: Sealed, number: int) -> str:
    """Let the manifest say something of its artifacts that is not so, with digests that fit."""
    head = target.head()
    kind = ("artifacts", "members", "entries")[number // 3 % 3]
    if kind == "entries" and head["files"]:
        entries = target.entries()
        one = random.choice([entry for entry in entries if entry["type"] == "file"])
        what = random.choice(("sha256", "size", "mode", "gone", "path"))
        if what == "gone":
            entries.remove(one)
        elif what == "size":
            one["size"] += 1
        else:
            one[what] = {"sha256": "0" * 64, "mode": "0666", "path": one["path"] + "x"}[what]
        target.write(head, entries)
        return f"{what} of a file forged"
    listed = head["members"] if kind == "members" and head["members"] else head["artifacts"]
    one = random.choice(listed)
    what = ("sha256", "size", "name")[number % 3]
    one[what] = {"sha256": "0" * 64, "size": one["size"] + 1, "name": one["name"].replace("mirai_", "mirai_x", 1)}[what]
    target.write(head)
    return f"{what} of {kind} forged"
