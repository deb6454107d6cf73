"""A sealed backup that is taken apart, changed, and sealed again as if nothing had happened.

Written from the description of the format, not with the engine's code: what seals here is not what checks.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import secrets
import shutil
import tarfile
from pathlib import Path
from typing import Callable, Optional

import place

ENTRIES = b'"entries": [\n'


class Sealed:
    """The newest full backup of a repository."""

    def __init__(self, repository: Path) -> None:
        self.manifest = sorted((repository / "full").glob("*.manifest.json"))[-1]
        self.archive = Path(str(self.manifest)[: -len(".manifest.json")])
        self.id = self.archive.name.split(".")[0]

    def content(self) -> bytearray:
        """The bytes of the archive."""
        return bytearray(self.archive.read_bytes())

    def flip(self, position: int) -> None:
        """Change one bit of the archive."""
        content = self.content()
        content[position] ^= 0x10
        self.archive.write_bytes(content)

    def members(self) -> dict:
        """The archive's members by name, in order."""
        with tarfile.open(self.archive) as archive:
            return {info.name: archive.extractfile(info).read() for info in archive}

    def head(self) -> dict:
        """The manifest but for its list of files."""
        first, _separator, _rest = self.manifest.read_bytes().partition(ENTRIES)
        return json.loads(first.rstrip(b",\n") + b"}")

    def write_head(self, head: dict) -> None:
        """Write the manifest's head with its proper digest; the list of files stays."""
        rest = self.manifest.read_bytes().partition(ENTRIES)[2]
        bare = {key: value for key, value in head.items() if key != "digest"}
        canonical = json.dumps(bare, sort_keys=True, separators=(",", ":"))
        bare["digest"] = hashlib.sha256(canonical.encode()).hexdigest()
        self.manifest.write_bytes(json.dumps(bare, indent=1).encode()[:-2] + b",\n" + ENTRIES + rest)

    def reseal(self, members: Optional[dict] = None) -> None:
        """Make the archive of ``members`` where they are given, and bring the manifest's sizes and digests to it."""
        head = self.head()
        if members is not None:
            with tarfile.open(self.archive, "w:gz", compresslevel=1) as archive:
                for name, content in members.items():
                    info = tarfile.TarInfo(name)
                    info.size, info.mode = len(content), 0o600
                    archive.addfile(info, io.BytesIO(content))
            for member in head["members"]:
                member.update(_described(members[member["name"]]))
        for artifact in head["artifacts"]:
            artifact.update(_described((self.archive.parent / artifact["name"]).read_bytes()))
        self.write_head(head)

    def change_part(self, role: str, change: Callable[[bytes], bytes]) -> None:
        """Change the decoded dump (``database``) or tar (``json``), and seal all of it again."""
        members = self.members()
        name = next(one for one in members if one.startswith(f"{role}/mirai_{'db' if role == 'database' else role}_"))
        members[name] = gzip.compress(change(gzip.decompress(members[name])), 1)
        self.reseal(members)

    def change_database(self, sql: str, *options: str) -> None:
        """Dump a copy of the database in which ``sql`` was run, in place of the dump."""
        name = f"sabotaged_{secrets.token_hex(4)}"
        place.psql(f'CREATE DATABASE {name} TEMPLATE "bench base" OWNER bench')
        place.psql(sql, name)
        path = self.archive.parent.parent / "sabotaged.dump"
        place.call([f"{place.bindir()}/pg_dump", "-Fc", "-Z0", "-f", path, *options, "-d", place.url(name)])
        place.psql(f"DROP DATABASE {name}")
        self.change_part("database", lambda _dump: path.read_bytes())
        path.unlink()

    def change_files(self, change: Callable[[dict], None]) -> None:
        """Change the files in the tar; ``change`` is given name → [TarInfo, content] and may do as it likes."""

        def changed(content: bytes) -> bytes:
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                files = {
                    info.name: [info, archive.extractfile(info).read() if info.isreg() else b""] for info in archive
                }
            change(files)
            result = io.BytesIO()
            with tarfile.open(fileobj=result, mode="w", format=tarfile.PAX_FORMAT) as archive:
                for info, data in files.values():
                    info.size = len(data)
                    archive.addfile(info, io.BytesIO(data))
            return result.getvalue()

        self.change_part("json", changed)


def another(repository: Path, one: Sealed) -> Sealed:
    """The full backup before ``one``."""
    older = Sealed(repository)
    older.manifest = sorted((repository / "full").glob("*.manifest.json"))[0]
    older.archive = Path(str(older.manifest)[: -len(".manifest.json")])
    if older.archive == one.archive:
        raise RuntimeError("there is only one backup")
    return older


def swap(one: Path, two: Path) -> None:
    """Put the content of ``two`` in place of ``one``."""
    shutil.copyfile(two, one)


def _described(content: bytes) -> dict:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
