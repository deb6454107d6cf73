"""A store that backups are shipped to: rclone's own S3, SFTP and WebDAV servers, or a directory.

What lies there the oracle reads from the disk, without the server and without the engine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

import aftermath
import storage
from findings import Finding, Harm, Leftover, Recovery, SilentLoss, need
from server import free_port
from world import World

NAME = "away"
# Uploads are slowed down to so much, so that there is a time between their beginning and their end.
_BANDWIDTH = "3M"
_TEMPORARY = ".mirai_push_"


class _S3(storage.S3):
    """Without keys: what stands before it may change what is sent."""

    def argv(self) -> list:
        given = super().argv()
        place = given.index("--auth-key")
        return given[:place] + given[place + 2 :]


_KINDS = {"s3": _S3, "sftp": storage.Sftp, "webdav": storage.WebDav, "directory": storage.Mounted}


class Away:
    """One store of ``kind`` (s3, sftp, webdav, directory) that holds what ``world`` had shipped there before."""

    def __init__(self, world: World, kind: str) -> None:
        self.world = world
        self.kind = kind
        self._directory = world.directory / "away"
        self._template = world.directory / "away-template"
        shutil.rmtree(self._directory, ignore_errors=True)
        self.storage = _KINDS[kind](self._directory)

    def reset(self, large: int = 0, **store: object) -> aftermath.Before:
        """World and store as they were made; the application has written since, ``large`` bytes of noise too.

        ``store`` are further keys of the store's entry. The server is running then.
        """
        world = self.world
        self.storage.kill()
        world.fresh()
        if not self._template.exists():
            self._ship_first()
        top = self.storage.top()
        shutil.rmtree(self.storage.root)
        top.parent.mkdir(parents=True)
        shutil.copytree(self._template / "store", top)
        subprocess.run(["cp", "-a", self._template / "memory", world.repository / ".offsite"], check=True)
        self.storage.start()
        if large:
            (world.data / "large.bin").write_bytes(hashlib.shake_256(str(large).encode()).digest(large))
        self.configure(**store)
        self.first = self.held()
        return aftermath.Before(world, world.advance())

    def configure(self, port: int = 0, **store: object) -> None:
        """Ship there, through ``port`` where one is given."""
        entry = {"name": NAME, "path": self.storage.path, "retries": 0, "timeout": 20, **store}
        section = self.storage.section()
        if port and self.kind == "s3":
            section["endpoint"] = f"http://127.0.0.1:{port}"
        elif port and self.kind == "webdav":
            section["url"] = f"http://127.0.0.1:{port}"
        elif port:
            section["port"] = str(port)
            known = Path(section["known_hosts_file"])
            known.write_text(known.read_text().replace(f":{self.storage.port} ", f":{port} "))
        path = self.world.directory / "rclone.conf"
        storage.write_config(path, {NAME: section})
        self.world.configure(offsite=[entry], rclone_config=str(path), rclone=storage.current())

    def held(self) -> dict:
        """Every file of the store by its path: its content. What the server itself leaves is not among them."""
        top = self.storage.top()
        found = (path for path in top.rglob("*") if path.is_file() and not path.name.startswith(".rclone_temp_put_"))
        return {str(path.relative_to(top)): path.read_bytes() for path in found}

    def judge(self, before: aftermath.Before) -> str:
        """Hold what lies there to what is promised, whatever came before; returns it in words.

        What has a manifest is whole and holds the truth, what came earlier is as it was, and nothing lies under a
        final name but what this machine made.
        """
        held = self.held()
        for path, content in self.first.items():
            need(held.get(path) == content, Harm, f"the store's {path} has changed, or is gone")
        new = sorted(path for path in held if _is_manifest(path) and path not in self.first)
        for path in new:
            manifest = self.storage.top() / path
            differences = _incomplete(held, path) or self.world.oracle.judge(manifest, before.truth)
            need(not differences, SilentLoss, f"{path} is in the store, but {differences[:3]}")
        for path, content in held.items():
            if Path(path).name.startswith("."):
                continue
            local = self.world.repository / path
            same = path in self.first or (local.exists() and local.read_bytes() == content)
            need(same, SilentLoss, f"the store's {path} has {len(content)} bytes, which are not those of the backup")
        return f"{len(new)} in the store"

    def whole(self, skip: tuple = ()) -> None:
        """Everything good that is here, and not let go by retention, is there; nothing half is left."""
        held = self.held()
        for manifest in self.world.manifests():
            if str(manifest) in self.world.expired or manifest in skip:
                continue
            for local in (manifest, *aftermath.artifacts(manifest)):
                path = str(local.relative_to(self.world.repository))
                need(held.get(path) == local.read_bytes(), Recovery, f"the store has not got {path}")
        left = [path for path in held if Path(path).name.startswith(_TEMPORARY)]
        need(not left, Leftover, f"left in the store: {left}")
        named = {path for path in held if _is_manifest(path)}
        named |= {str(Path(path).parent / one["name"]) for path in named for one in json.loads(held[path])["artifacts"]}
        need(set(held) == named, Leftover, f"in the store without a manifest: {sorted(set(held) - named)}")

    def _ship_first(self) -> None:
        """What an undisturbed push of the world as it was made brings there."""
        plain = Away.__new__(Away)
        plain.world, plain.kind = self.world, "directory"
        place = self.world.directory / "away-first"
        shutil.rmtree(place, ignore_errors=True)
        plain.storage = storage.Mounted(place).start()
        plain.configure()
        self.world.succeed("push")
        plain.first = plain.held()
        plain.whole()
        self._template.mkdir()
        shutil.copytree(plain.storage.top(), self._template / "store")
        shutil.move(self.world.repository / ".offsite", self._template / "memory")
        shutil.rmtree(place)


@contextlib.contextmanager
def store(world: World, kind: str) -> Iterator[Away]:
    """A store of ``kind``, gone afterwards with its server."""
    one = Away(world, kind)
    try:
        yield one
    finally:
        one.storage.kill()
        shutil.rmtree(world.directory / "away", ignore_errors=True)


def disturbed(away: Away, before: aftermath.Before, result, died: bool = False) -> str:
    """Hold a run whose shipping was disturbed to what is promised: the backup here is good, a copy that is not there
    is said, and what is there is whole."""
    outcome = aftermath.disturbed(before, result, died=died)
    shipped = away.judge(before)
    if not died:
        need(result.code in (0, 3), Finding, f"exit {result.code}: {result.err[-400:]}")
        if result.code == 0:
            try:
                away.whole()
            except Finding as missing:
                raise SilentLoss(f"exit 0, but {missing}") from missing
        else:
            need(f"offsite store {NAME}" in result.out + result.err, Finding, f"not named: {result.out[-400:]}")
    return f"{outcome}, {shipped}"


def catches_up(away: Away, before: aftermath.Before, *arguments: str) -> None:
    """The next undisturbed run ships what is missing, unaided."""
    aftermath.recovers(before, *arguments)
    away.whole()


def _is_manifest(path: str) -> bool:
    """Whether a backup would be listed for this file: half uploads have a dot before their name."""
    return path.endswith(".manifest.json") and not Path(path).name.startswith(".")


def _incomplete(held: dict, path: str) -> list[str]:
    """Which artifacts of the manifest at ``path`` the store has not got as the manifest says."""
    try:
        listed = json.loads(held[path])["artifacts"]
    except ValueError as error:
        return [f"the manifest is damaged: {error}"]
    found = []
    for one in listed:
        content = held.get(str(Path(path).parent / one["name"]))
        if content is None:
            found.append(f"{one['name']} is not there")
        elif (len(content), hashlib.sha256(content).hexdigest()) != (one["size"], one["sha256"]):
            found.append(f"{one['name']} has {len(content)} bytes instead of {one['size']}, or another content")
    return found


def bandwidth() -> dict:
    """The store's key that gives an upload some time."""
    return {"bandwidth_limit": _BANDWIDTH}


def describe_dead(world: World) -> None:
    """Let ``world`` ship to a store whose machine does not answer."""
    section = {"type": "sftp", "host": "127.0.0.1", "port": str(free_port()), "user": "keeper", "pass": ""}
    path = world.directory / "rclone.conf"
    storage.write_config(path, {NAME: section})
    entry = {"name": NAME, "path": "app1", "retries": 0, "timeout": 5}
    world.configure(offsite=[entry], rclone_config=str(path), rclone=storage.current())
