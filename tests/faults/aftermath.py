"""What must hold after a disturbed run, and after the undisturbed one that follows it."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import canaries
from findings import Finding, Harm, Leftover, Recovery, SilentLoss, need
from oracle import Truth
from world import KINDS, Result, World

_SEALED = re.compile(r"mirai_(full|db|json)_\d{8}_\d{6}\.")


class Before:
    """What there is before a run, and what the application holds."""

    def __init__(self, world: World, truth: Truth) -> None:
        self.world = world
        self.truth = truth
        self.held = world.held()
        self.manifests = set(world.manifests())
        self.latest = _read(world.repository / "LATEST_BACKUP.txt")

    def new(self) -> list[Path]:
        """The backups sealed since."""
        return [path for path in self.world.manifests() if path not in self.manifests]


def disturbed(before: Before, result: Result, *, died: bool = False, clumsy: bool = False) -> str:
    """Hold what a disturbed backup left to what is promised; returns the outcome in words.

    ``died`` says that the run was killed and could not clean up, ``clumsy`` that the fault may also have hit its
    cleaning up: both leave that to the next run.
    """
    world = before.world
    world.settled()
    new = before.new()
    judge(before, new)
    _earlier(before, may_expire=bool(new))
    if result.code in (0, 3):
        need(new, SilentLoss, f"exit {result.code}, but no new backup is there")
    if not new:
        need(_read(world.repository / "LATEST_BACKUP.txt") == before.latest, Harm, "LATEST_BACKUP.txt has changed")
    if not died:
        words(result)
        if not clumsy:
            tidy(world)
    if world.watched and not died and result.code not in (0, 130):
        told(world, result)
    if died or result.code not in (0, 3):
        # A sealed backup may stand although its run came to grief afterwards; it was judged above.
        pass
    canaries.absent(world)
    verb = "killed" if died and result.code < 0 else f"exit {result.code}"
    return f"{verb}, {'sealed and good' if new else 'nothing sealed'}"


def told(world: World, result: Result) -> None:
    """A failure that nobody hears of is a silent loss: every channel was told, in words that say what and how."""
    first = "INCOMPLETE" if result.code == 3 else "FAILED"
    for where, messages in (("the webhook", world.alerts.hooked()), ("the mailbox", world.alerts.mailed())):
        fitting = [one for one in messages if one.startswith(first) and f"exit code {result.code}" in one]
        need(fitting, SilentLoss, f"exit {result.code}, but {where} was told only {messages}: {result.err[-300:]}")


def judge(before: Before, new: list[Path]) -> None:
    """Every new backup must be what the application held, and readable by its owner alone."""
    for manifest in new:
        differences = before.world.oracle.judge(manifest, before.truth)
        need(not differences, SilentLoss, f"{manifest.name} is sealed, but {differences[:3]}")
        for path in files(manifest):
            need(stat.S_IMODE(path.lstat().st_mode) == 0o600, Finding, f"{path} can be read by others")


def artifacts(manifest: Path) -> list[Path]:
    """The artifacts that a manifest lists."""
    return [manifest.parent / one["name"] for one in json.loads(manifest.read_bytes())["artifacts"]]


def files(manifest: Path) -> list[Path]:
    """All files of a backup: artifacts, manifest, and the signature where there is one."""
    signature = Path(f"{manifest}.sig")
    return [manifest, *artifacts(manifest), *([signature] if signature.exists() else [])]


def recovers(before: Before, *arguments: str) -> None:
    """The next undisturbed run succeeds unaided, makes one good backup, and clears what was left."""
    world = before.world
    truth = world.advance()
    again = Before(world, truth)
    result = world.run("backup", *arguments)
    need(result.code == 0, Recovery, f"the next run exits with {result.code}: {result.err[-600:]}{result.out[-300:]}")
    new = again.new()
    need(len(new) == 1, Recovery, f"the next run made {len(new)} backups")
    judge(again, new)
    _earlier(before, may_expire=True)
    tidy(world)
    listed = world.succeed("--json", "list").document
    ids = {one["id"] for one in listed["backups"] if not one["problem"]}
    there = {path.name.split(".")[0] for path in world.manifests()}
    need(ids == there, Recovery, f"list says {sorted(ids)}, there are {sorted(there)}")
    world.settled()
    canaries.absent(world)


def tidy(world: World) -> None:
    """Nothing lies under a final name without its manifest, and nothing in the staging directory."""
    staging = world.repository / ".staging"
    left = sorted(str(path) for path in staging.iterdir()) if staging.is_dir() else []
    named = {path for manifest in world.manifests() for path in files(manifest)}
    for kind in KINDS:
        left += [str(path) for path in (world.repository / kind).glob("*") if path not in named]
    left += [str(path) for path in world.repository.glob(".*.tmp")]
    need(not left, Leftover, f"left behind: {left[:6]}")


def words(result: Result) -> None:
    """A run that did not succeed says why, without a traceback."""
    need("Traceback" not in result.err, Finding, f"a traceback: {result.err[-1500:]}")
    if result.code not in (0, 3):
        need((result.err + result.out).strip(), Finding, f"exit {result.code} without a word")
    documented = (0, 1, 2, 3, 4, 10, 11, 12, 64, 130)
    need(result.code in documented, Finding, f"exit {result.code} is not documented: {result.err[-400:]}")


def _earlier(before: Before, may_expire: bool) -> None:
    """Every earlier backup is byte for byte what it was; expired ones may go once a new one is sealed."""
    held = before.world.held()
    for path, was in before.held.items():
        if held.get(path) == was:
            continue
        gone = path not in held
        need(gone and may_expire and path in before.world.expired, Harm, f"{path} is {'gone' if gone else 'changed'}")


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
