"""Hostile archives in sealed sets whose every digest fits: only the look at the content protects.

Nothing may be written outside of the target, what is in service stays, and the restore is refused.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from pathlib import Path
from random import Random

import aftermath
from family import family
from findings import Escape, Leftover, SilentLoss, need
from sealed import Sealed, described
from world import World

_EVIL = b"written by a hostile archive"


class Watched:
    """Everything outside of the target: a tree of canaries, the application's directory, and /tmp."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.outside = world.directory / "outside"
        self.outside.mkdir(exist_ok=True)
        for path in self.outside.iterdir():
            path.unlink()
        (self.outside / "canary").write_text("untouched")
        self.name = f"mirai-escape-{os.getpid()}"
        for path in self._escaped():
            path.unlink()
        self._before = self._look()

    def _look(self) -> dict:
        found = {}
        for root in (self.outside, self._world.directory / "app", self._world.scratch):
            for path in root.rglob("*"):
                if self._world.repository in path.parents or path.is_dir():
                    continue
                found[str(path)] = (path.lstat().st_mode, os.readlink(path) if path.is_symlink() else path.read_bytes())
        return found

    def _escaped(self) -> list[Path]:
        """What bears the name that hostile members use, here and in every directory above."""
        found = [path for path in self._world.directory.glob(f"**/{self.name}*") if not path.is_dir()]
        for directory in (*self._world.directory.parents, Path(tempfile.gettempdir())):
            found += directory.glob(f"{self.name}*")
        return found

    def unharmed(self) -> None:
        """Nothing was written, anywhere."""
        now = self._look()
        changed = [path for path in now if self._before.get(path) != now[path]]
        changed += [path for path in self._before if path not in now]
        places = self._escaped()
        need(not changed and not places, Escape, f"written outside: {changed[:5]} {places[:5]}")


def _info(name: str, content: bytes = _EVIL, **changes: object) -> list:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), 0o644, 1_700_000_000
    for key, value in changes.items():
        setattr(info, key, value)
    return [info, content if info.isreg() else b""]


def _name_outside(random: Random, watched: Watched, members: list) -> str:
    up = "../" * random.randint(1, 9)
    name = random.choice(
        (
            f"data/{up}{watched.name}",
            f"{up}{watched.name}",
            f"data/deep/{up}{watched.name}",
            f"/{tempfile.gettempdir()}/{watched.name}",
            f"{watched.outside}/{watched.name}",
            f"data/./{watched.name}",
            f"data//{watched.name}",
            f"data/../data/{watched.name}",
            f"other/{watched.name}",
            watched.name,
            f"data\0/{watched.name}",
            f"data/deep/../../{watched.name}",
            f"./data/{watched.name}",
        )
    )
    members.insert(random.choice((1, len(members))), _info(name))
    return f"a member {name!r:.60}"


def _through_link(random: Random, watched: Watched, members: list) -> str:
    target = random.choice((str(watched.outside), "../../../outside", "..", "/tmp", "."))
    members.append(_info("data/way", b"", type=tarfile.SYMTYPE, linkname=target))
    name = random.choice((f"data/way/{watched.name}", f"data/way/way/{watched.name}", "data/way/canary"))
    members.append(_info(name))
    return f"a link to {target}, and {name} through it"


def _link_then_file(random: Random, watched: Watched, members: list) -> str:
    first = _info("data/zz", b"", type=tarfile.SYMTYPE, linkname=str(watched.outside / "canary"))
    second = _info("data/zz")
    members += [first, second] if random.random() < 0.5 else [second, first]
    return "a link and a file of one name"


def _hard_link(random: Random, watched: Watched, members: list) -> str:
    target = random.choice((str(watched.outside / "canary"), "/etc/passwd", "data/knowledge.json", "../outside/canary"))
    members.append(_info("data/hard", b"", type=tarfile.LNKTYPE, linkname=target))
    if random.random() < 0.5:
        members.append(_info("data/hard"))
    return f"a hard link to {target}"


def _device(random: Random, watched: Watched, members: list) -> str:
    kind = random.choice((tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, b"S", b"V", b"M", b"Z"))
    members.append(_info("data/device", b"", type=kind, devmajor=1, devminor=3))
    return f"a member of type {kind!r}"


def _set_id(random: Random, watched: Watched, members: list) -> str:
    mode = random.choice((0o4755, 0o2755, 0o6777, 0o4000))
    members.append(_info("data/tool", mode=mode))
    return f"a file of mode {mode:o}"


def _doubled(random: Random, watched: Watched, members: list) -> str:
    info, content = random.choice([one for one in members if one[0].isreg()])
    other = _info(info.name, content + b"x", mtime=info.mtime)
    members.insert(random.choice((1, len(members))), other)
    return f"{info.name} twice"


def _directory_as_file(random: Random, watched: Watched, members: list) -> str:
    name = random.choice(("data/deep", "data/empty", "data"))
    members.append(_info(name))
    return f"the directory {name} again as a file"


def _below_file(random: Random, watched: Watched, members: list) -> str:
    members.append(_info("data/knowledge.json/x"))
    return "a member below a file"


def _wrong_size(random: Random, watched: Watched, members: list) -> str:
    info, content = _info("data/huge")
    info.size = random.choice((1 << 33, 1 << 40, (1 << 62) - 1))
    members.append([info, content])
    return f"a member that claims {info.size} bytes"


def _absurd_name(random: Random, watched: Watched, members: list) -> str:
    name = random.choice(
        ("data/" + "x" * 300, "data/" + "d/" * 3000 + "x", "data/..", "data/.", "data/a/..", "", "/", "..")
    )
    members.append(_info(name))
    return f"a name {name!r:.40}"


_HOSTILE = (
    _name_outside, _name_outside, _name_outside, _through_link, _through_link, _link_then_file, _hard_link, _device,
    _set_id, _doubled, _directory_as_file, _below_file, _wrong_size, _absurd_name,
)  # fmt: skip


def refused(world: World, watched: Watched, target: Sealed, arguments: tuple, what: str) -> str:
    """The restore must be refused; nothing may be written anywhere, nothing left beside."""
    held = world.truth()
    result = world.run("restore", target.id, *arguments)
    watched_directory = world.directory / "beside"
    need(result.code not in (0, 3), SilentLoss, f"{what} is restored: {result.out[-300:]}")
    aftermath.words(result)
    watched.unharmed()
    need(not watched_directory.exists(), Leftover, f"{watched_directory} is left")
    need(world.truth() == held, SilentLoss, "what was in service has changed")
    beside = [one for one in world.databases() if one != world.name]
    beside += [str(path) for path in world.backend.glob("data_*")]
    need(not beside, Leftover, f"left beside: {beside}")
    world.settled()
    return f"refused with exit {result.code}"


def _victim(world: World, random: Random) -> tuple[Sealed, tuple]:
    world.fresh()
    kind = random.choice(("full", "json"))
    target = Sealed([path for path in world.manifests() if path.parent.name == kind][-1])
    arguments = random.choice(((), ("--json-only",))) if kind == "full" else ("--json-only",)
    if random.random() < 0.3:
        arguments = ("--json-only", "--to-dir", str(world.directory / "beside"))
    elif random.random() < 0.1:
        arguments = ("--file", "*")
    return target, arguments


@family("hostile.archives", 300, 14, "archives with traversal, links, devices, set-id bits, doubled and absurd members")
def hostile_archive(world: World, random: Random, number: int) -> tuple[str, str]:
    target, arguments = _victim(world, random)
    watched = Watched(world)
    said = []
    truthful = random.random() < 0.8

    def change(members: list) -> None:
        said.append(_HOSTILE[number % len(_HOSTILE)](random, watched, members))

    target.forge_files(change, truthful)
    outcome = refused(world, watched, target, arguments, said[0])
    return f"{said[0]}: refused, nothing written outside", outcome


@family("hostile.outer", 40, 1, "full archives whose own members are hostile")
def hostile_outer(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    watched = Watched(world)
    target = Sealed([path for path in world.manifests() if path.parent.name == "full"][-1])
    members, head = target.members(), target.head()
    names = list(members)
    victim = random.choice(names)
    new = random.choice(
        (
            f"../{watched.name}",
            f"/{watched.name}",
            f"database/../../{watched.name}",
            f"json/mirai_json_/../{watched.name}",
        )
    )
    if number % 3 == 0:
        members = {(new if name == victim else name): content for name, content in members.items()}
        for member in head["members"]:
            member["name"] = new if member["name"] == victim else member["name"]
        said = f"{victim} under the name {new}, in the manifest too"
    elif number % 3 == 1:
        members[new] = _EVIL
        said = f"a further member {new}"
    else:
        members = {name: members[name] for name in reversed(names)}
        said = "members in another order"
    target.bundle(members)
    head["artifacts"][0].update(described(target.archive.read_bytes()))
    target.write(head)
    return f"{said}: refused, nothing written outside", refused(world, watched, target, (), said)
