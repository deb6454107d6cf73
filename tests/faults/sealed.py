"""Takes a sealed backup apart, changes it, and seals it again as if nothing had happened.

Written from docs/architecture.md, without the engine's code: what seals here is not what checks. Whoever can write
the repository can do all this; only the content tells.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Callable, Optional

ENTRIES = b'"entries": [\n'


class Sealed:
    """The backup that ``manifest`` seals."""

    def __init__(self, manifest: Path) -> None:
        self.manifest = manifest
        self.archive = Path(str(manifest)[: -len(".manifest.json")])
        self.id = self.archive.name.split(".")[0]

    def head(self) -> dict:
        """The manifest but for its list of files, with its digest."""
        return json.loads(self.manifest.read_bytes().partition(ENTRIES)[0].rstrip(b",\n") + b"}")

    def entries(self) -> list[dict]:
        """The manifest's list of files."""
        return json.loads(self.manifest.read_bytes())["entries"]

    def write(self, head: dict, entries: Optional[list] = None) -> None:
        """Write the manifest anew with digests that fit; without ``entries`` the list of files stays."""
        lines = [
            json.dumps(one, separators=(",", ":")).encode() for one in (self.entries() if entries is None else entries)
        ]
        if head["files"] is not None and entries is not None:
            head["files"]["sha256"] = hashlib.sha256(b"".join(lines)).hexdigest()
            head["files"]["count"] = sum(one["type"] == "file" for one in entries)
        bare = {key: value for key, value in head.items() if key != "digest"}
        canonical = json.dumps(bare, sort_keys=True, separators=(",", ":"))
        bare["digest"] = hashlib.sha256(canonical.encode()).hexdigest()
        body = b",\n".join(lines) + (b"\n" if lines else b"")
        self.manifest.write_bytes(json.dumps(bare, indent=1).encode()[:-2] + b",\n" + ENTRIES + body + b"]\n}\n")

    def members(self) -> dict:
        """The members of a full archive by name, in order."""
        with tarfile.open(self.archive) as archive:
            return {info.name: archive.extractfile(info).read() for info in archive}

    def part(self, role: str) -> bytes:
        """The decoded dump (``db``) or archive of files (``json``)."""
        if self.manifest.parent.name == "full":
            members = self.members()
            return gzip.decompress(members[_named(members, role)])
        return gzip.decompress(self.archive.read_bytes())

    def reseal(self, role: str, packed: bytes, entries: Optional[list] = None) -> None:
        """Put ``packed`` (compressed) in place of a part, and bring every size and digest to it."""
        head = self.head()
        if head["kind"] == "full":
            members = self.members()
            members[_named(members, role)] = packed
            self.bundle(members)
            for member in head["members"]:
                member.update(described(members[member["name"]]))
        else:
            self.archive.write_bytes(packed)
        head["artifacts"][0].update(described(self.archive.read_bytes()))
        self.write(head, entries)

    def bundle(self, members: dict) -> None:
        """Write the full archive anew."""
        with tarfile.open(self.archive, "w:gz", compresslevel=0) as archive:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(content), 0o600
                archive.addfile(info, io.BytesIO(content))

    def forge_files(self, change: Callable[[list], None], truthful: bool = True) -> None:
        """Change the archive of files: ``change`` is given a list of [TarInfo, content] and may do as it likes.

        With ``truthful`` the manifest's list of files is made to say what the archive then holds.
        """
        members = []
        with tarfile.open(fileobj=io.BytesIO(self.part("json"))) as archive:
            for info in archive:
                members.append([info, archive.extractfile(info).read() if info.isreg() else b""])
        change(members)
        result = io.BytesIO()
        for info, content in members:
            result.write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
            result.write(content + bytes(-len(content) % 512))
        result.write(bytes(10240))
        entries = [_entry(info, content) for info, content in members] if truthful else None
        head = self.head()
        if head["files"].get("reread"):
            head["files"]["reread"] = {}
            self.write(head)
        self.reseal("json", gzip.compress(result.getvalue(), 1), entries)


def described(content: bytes) -> dict:
    """Size and digest as a manifest holds them."""
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _named(members: dict, role: str) -> str:
    return next(name for name in members if name.split("/")[-1].startswith(f"mirai_{role}_"))


def _entry(info: tarfile.TarInfo, content: bytes) -> dict:
    kind = {tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink"}.get(info.type, "file")
    name = info.name.rstrip("/")
    path = name[5:] if name.startswith("data/") else "" if name == "data" else name
    values = {"path": path, "type": kind, "size": info.size if kind == "file" else 0, "mode": f"{info.mode:04o}"}
    values.update(mtime_ns=int(info.mtime) * 10**9, uid=info.uid, gid=info.gid, owner=info.uname, group=info.gname)
    if kind == "file":
        values["sha256"] = hashlib.sha256(content).hexdigest()
    if kind == "symlink":
        values["target"] = info.linkname
    for key in ("path", "target"):
        plain = values.get(key, "")
        try:
            plain.encode()
        except UnicodeEncodeError:
            raw = os.fsencode(plain)
            values[key], values[f"{key}_base64"] = raw.decode("utf-8", "replace"), base64.b64encode(raw).decode()
    return {key: value for key, value in values.items() if value != "" or key == "path"}
