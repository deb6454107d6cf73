"""What a power cut would find: every content is on disk before its name is, and the manifest comes last.

A kill loses nothing that the kernel holds; only the order of system calls shows whether a power cut would.
"""

from __future__ import annotations

import os
import re
from random import Random

from family import family
from findings import Finding, SilentLoss, Unreached, need
from world import KINDS, World

_TRACED = "openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir"
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_FD = re.compile(r"\(\d+<([^>]*)>")
_MODE = re.compile(r", (0\d+)(?:\)| <unfinished)")  # unfinished: another thread's call came between


def _events(world: World, *arguments: str) -> list[tuple]:
    """What a run does to files, in order: (call, path, second path or mode)."""
    log = world.scratch / "trace"
    world.succeed(*arguments, prefix=("strace", "-f", "-y", "-s", "4096", "-o", log, "-e", f"trace={_TRACED}"))
    found = []
    for line in log.read_text(errors="replace").splitlines():
        match = re.match(r"\d+ +([a-z0-9]+)\(", line)
        if not match or "= -1" in line:
            continue
        call, paths = match.group(1), _PATH.findall(line)
        if call in ("write", "pwrite64", "fsync", "fdatasync"):
            opened = _FD.search(line)
            found.append((call, opened.group(1) if opened else "", ""))
        elif call == "openat" and "O_CREAT" in line and paths:
            mode = _MODE.search(line)
            found.append(("create", paths[0], mode.group(1) if mode else ""))
        elif call.startswith("rename") and len(paths) > 1:
            found.append(("rename", paths[0], paths[1]))
        elif call.startswith("unlink") and paths:
            found.append(("unlink", paths[0], ""))
        elif call == "mkdir" and paths:
            mode = _MODE.search(line)
            found.append(("mkdir", paths[0], mode.group(1) if mode else ""))
    return found


def _synced_between(events: list, path: str, start: int, end: int) -> bool:
    return any(one[0] in ("fsync", "fdatasync") and one[1] == path for one in events[start:end])


def _earlier_names(events: list, path: str, end: int) -> set:
    """``path`` and the names that the file had before."""
    names = {path}
    for call, old, new in reversed(events[:end]):
        if call == "rename" and new in names:
            names.add(old)
    return names


@family("order.backup", 12, 1, "a backup's contents are synced before their names, its manifest last, nothing readable")
def order_of_backup(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    world.advance()
    kind = ((), ("--db-only",), ("--json-only",))[number % 3]
    events = _events(world, "backup", *kind)
    finals = [
        (place, one)
        for place, one in enumerate(events)
        if one[0] == "rename" and os.path.basename(os.path.dirname(one[2])) in KINDS
    ]
    if not finals:
        raise Unreached("no rename to a final name was seen")
    manifest_at, manifest = finals[-1]
    need(manifest[2].endswith(".manifest.json"), SilentLoss, f"{manifest[2]} comes last, not the manifest")
    early = [one[2] for _place, one in finals[:-1] if one[2].endswith(".manifest.json")]
    need(not early, SilentLoss, f"{early} is named before the artifacts")
    for place, (_call, source, target) in finals:
        names = _earlier_names(events, source, place)
        writes = [at for at, one in enumerate(events[:place]) if one[0] in ("write", "pwrite64") and one[1] in names]
        need(writes, Finding, f"{source} was renamed, but no write to it was seen")
        synced = any(_synced_between(events, name, writes[-1], place) for name in names)
        need(synced, SilentLoss, f"{target} is named before it is synced")
        until = manifest_at if target != manifest[2] else len(events)
        need(_synced_between(events, os.path.dirname(target), place, until), SilentLoss,
             f"the name {target} is not synced before event {until} of {len(events)}")  # fmt: skip
    pruned = [place for place, one in enumerate(events) if one[0] == "unlink" and one[1] in world.expired]
    if not number % 3:
        need(pruned, Finding, "nothing was pruned")
    need(all(place > manifest_at for place in pruned), SilentLoss, "it prunes before the new backup is sealed")
    inside = str(world.repository)
    for call, path, mode in events:
        if path.startswith(inside) and call == "create":
            need(mode == "0600", Finding, f"{path} is created with mode {mode}")
        if path.startswith(inside) and call == "mkdir":
            need(mode == "0700", Finding, f"{path} is made with mode {mode}")
    return (
        f"{kind or 'full'}: content, name, manifest, then retention, each on disk before the next",
        f"{len(events)} calls",
    )


@family("order.prune", 6, 1, "a prune removes the manifest first, and that is on disk before an artifact goes")
def order_of_prune(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    events = _events(world, "prune")
    gone = [(place, one[1]) for place, one in enumerate(events) if one[0] == "unlink" and one[1] in world.expired]
    manifests = {path[: -len(".manifest.json")]: place for place, path in gone if path.endswith(".manifest.json")}
    need(manifests, Finding, "nothing was pruned")
    artifacts = [(place, path) for place, path in gone if not path.endswith(".manifest.json")]
    need(artifacts, Finding, "no artifact was pruned")
    for place, path in artifacts:
        first = max((at for at in manifests.values() if at < place), default=None)
        need(first is not None, SilentLoss, f"{path} goes before any manifest")
        if path in manifests:
            need(manifests[path] < place, SilentLoss, f"{path} goes before its manifest")
        need(_synced_between(events, os.path.dirname(path), first, place), SilentLoss,
             f"{path} goes before the removal of its manifest is on disk")  # fmt: skip
    return "manifest first, synced, then the artifacts", f"{len(gone)} files"
