"""Disks that are too small, run full, run out of inodes, turn read-only, or vanish."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path
from random import Random
from typing import Callable, Iterator

import aftermath
from family import family
from findings import Finding, need
from world import World

from families.kills import table_locked


@contextlib.contextmanager
def disk(world: World, options: str) -> Iterator[Path]:
    """The repository, with its backups, on a file system of its own; its mount point."""
    world.fresh()
    mount = world.directory / "disk"
    mount.mkdir(exist_ok=True)
    _call("mount", "-t", "tmpfs", "-o", options, "tmpfs", mount)
    try:
        _adopt(world, mount)
        yield mount
    finally:
        _call("umount", "--lazy", mount)
        world.repository = world.backend / "backups"


def _adopt(world: World, mount: Path) -> None:
    """Move the repository to ``mount``."""
    _call("cp", "-a", world.repository, mount / "backups")
    # The expired backups are named as they lie there now.
    world.expired |= {str(mount / "backups") + path[len(str(world.repository)) :] for path in world.expired}
    world.repository = mount / "backups"
    world.configure()


def _call(*argv: object) -> None:
    subprocess.run([str(one) for one in argv], check=True, capture_output=True)


def during(world: World, happen: Callable[[], None], kind: tuple) -> tuple:
    """A backup during which ``happen`` takes place, just before its streams begin."""
    before = aftermath.Before(world, world.advance())
    with table_locked(world) as blocked:
        begun = time.monotonic()
        process = world.start("backup", *kind)
        blocked(process)
        happen()
    return before, world.finish(process, begun)


def fill(path: Path, left: int) -> None:
    """Fill the file system of ``path`` but for ``left`` bytes."""
    with open(path, "wb") as file:
        try:
            while True:
                os.write(file.fileno(), bytes(1 << 16))
        except OSError:
            pass
        try:
            while True:
                os.write(file.fileno(), bytes(4096))
        except OSError:
            os.ftruncate(file.fileno(), max(0, os.fstat(file.fileno()).st_size - left))


def _kind(random: Random) -> tuple:
    return random.choice(((), (), ("--db-only",)))


@family("disk.sweep", 60, 2, "a disk that runs full during a backup, with all but so many bytes taken")
def runs_full(world: World, random: Random, number: int) -> tuple[str, str]:
    left = (number * 4096) % (30 * 4096)
    kind = _kind(random)
    with disk(world, "size=64m") as mount:
        hog = mount / "hog"
        before, result = during(world, lambda: fill(hog, left), kind)
        outcome = aftermath.disturbed(before, result)
        if result.code == 1:
            need("No space left" in result.err, Finding, f"the cause is not named: {result.err[-400:]}")
            need(str(mount) in result.err or "gzip" in result.err, Finding, f"no object is named: {result.err[-400:]}")
        hog.unlink()
        aftermath.recovers(before)
    return f"{left} bytes left: exit 1 with the cause, space given back, next run works", outcome


@family("disk.small", 10, 1, "a disk that is too small from the beginning")
def foreseen(world: World, random: Random, number: int) -> tuple[str, str]:
    with disk(world, "size=64m") as mount:
        hog = mount / "hog"
        left = random.choice((0, 4096, 1 << 20, 8 << 20, 15 << 20))
        fill(hog, left)
        before = aftermath.Before(world, world.advance())
        result = world.run("backup")
        outcome = aftermath.disturbed(before, result)
        need(result.code == 1, Finding, f"exit {result.code} with {left} bytes free")
        words = ("needs about", "No space left")
        need(any(one in result.err for one in words), Finding, f"the cause is not named: {result.err[-400:]}")
        hog.unlink()
        aftermath.recovers(before)
    return f"{left} bytes free before the run: foreseen", outcome


@family("disk.inodes", 12, 1, "a file system that runs out of inodes during a backup")
def no_inodes(world: World, random: Random, number: int) -> tuple[str, str]:
    with disk(world, "size=64m,nr_inodes=200") as mount:
        taken = mount / "taken"
        left = number % 6

        def take() -> None:
            taken.mkdir()
            count = 0
            with contextlib.suppress(OSError):
                while True:
                    (taken / str(count)).touch()
                    count += 1
            for index in range(left):
                (taken / str(index)).unlink()

        before, result = during(world, take, _kind(random))
        outcome = aftermath.disturbed(before, result)
        if result.code == 1:
            need("No space left" in result.err, Finding, f"the cause is not named: {result.err[-400:]}")
        _call("rm", "-r", taken)
        aftermath.recovers(before)
    return f"{left} inodes left: whole or nothing, next run works", outcome


@family("disk.readonly", 8, 1, "a file system that meets an error and turns read-only")
def turns_read_only(world: World, random: Random, number: int) -> tuple[str, str]:
    image = world.directory / "image"
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    _call("mkfs.ext4", "-q", "-F", image)
    world.fresh()
    mount = world.directory / "disk"
    mount.mkdir(exist_ok=True)
    _call("mount", "-o", "loop,errors=remount-ro", image, mount)
    try:
        _adopt(world, mount)
        _call("sync", "--file-system", mount)
        during_it = number % 2 == 0
        if during_it:
            before, result = during(world, lambda: _break(mount), _kind(random))
        else:
            before = aftermath.Before(world, world.advance())
            _break(mount)
            result = world.run("backup")
        # The run cannot clear what it cannot write to.
        outcome = aftermath.disturbed(before, result, clumsy=True)
        need(result.code == 1, Finding, f"exit {result.code} on a read-only file system")
        need("ead-only" in result.err, Finding, f"the cause is not named: {result.err[-400:]}")
        _call("umount", mount)
        _call("mount", "-o", "loop", image, mount)
        aftermath.recovers(before)
    finally:
        _call("umount", "--lazy", mount)
        world.repository = world.backend / "backups"
        image.unlink()
    return f"read-only {'during' if during_it else 'before'} the run: named, next run works", outcome


def _break(mount: Path) -> None:
    """Let the file system meet an error, as a dying disk does."""
    source = subprocess.run(
        ["findmnt", "-no", "SOURCE", mount], check=True, capture_output=True, text=True
    ).stdout.strip()
    Path(f"/sys/fs/ext4/{os.path.basename(source)}/trigger_fs_error").write_text("1")


@family("disk.vanishes", 10, 1, "a repository whose file system goes away during a backup")
def vanishes(world: World, random: Random, number: int) -> tuple[str, str]:
    with disk(world, "size=64m") as mount:
        point = world.directory / "point"
        point.mkdir(exist_ok=True)
        _call("mount", "--bind", mount, point)
        there = mount / "backups"
        world.repository = point / "backups"
        world.expired |= {
            str(world.repository) + path[len(str(there)) :] for path in world.expired if str(there) in path
        }
        world.configure()
        try:
            before, result = during(world, lambda: _call("umount", "--lazy", point), _kind(random))
            need(result.code not in (0, 3), Finding, f"exit {result.code} although the repository was gone")
            left = list(point.iterdir())
            need(not left, Finding, f"written to the empty mount point: {left}")
            _call("mount", "--bind", mount, point)
            outcome = aftermath.disturbed(before, result, clumsy=True)
            aftermath.recovers(before)
        finally:
            if os.path.ismount(point):
                _call("umount", "--lazy", point)
    return "unmounted during the run: named, earlier backups unharmed, next run works", outcome
