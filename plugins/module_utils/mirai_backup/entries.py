# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One entry of a manifest's file list: what a path of the data directory was when it was archived."""

from __future__ import annotations

import base64
import json
import os
import tarfile
from dataclasses import dataclass
from typing import NamedTuple

from .errors import MismatchError
from .text import printable

_quoted = json.encoder.encode_basestring_ascii

ROOT = "data"
_UNKNOWN = "0" * 64
_SHA256 = b',"sha256":"'
_UNKNOWN_FIELD = _SHA256 + _UNKNOWN.encode("ascii") + b'"'
TYPES = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink"}


@dataclass(frozen=True)
class Entry:
    """``path`` is relative to the data directory (empty: itself) as os.fsdecode gives it; ``mtime_ns`` counts
    nanoseconds since 1970; ``sha256`` is set for files, ``target`` for symlinks, the other stays empty."""

    path: str
    type: str
    size: int
    mode: int
    mtime_ns: int
    uid: int
    gid: int
    owner: str = ""
    group: str = ""
    sha256: str = ""
    target: str = ""

    def document(self) -> dict:
        """The entry as JSON values; bytes that are not UTF-8 are kept in ``path_base64``, ``target_base64``."""
        plain = dict(vars(self), mode=f"{self.mode:04o}")
        for key in ("path", "target"):
            shown = printable(plain[key])
            if shown != plain[key]:
                plain[key + "_base64"] = base64.b64encode(os.fsencode(plain[key])).decode("ascii")
                plain[key] = shown
        return {key: value for key, value in plain.items() if value != "" or key == "path"}

    def line(self) -> bytes:
        """The entry as it stands in a manifest: ``document`` as JSON without white space."""
        try:
            self.path.encode("utf-8")
            self.target.encode("utf-8")
        except UnicodeEncodeError:
            return json.dumps(self.document(), separators=(",", ":")).encode("ascii")
        # The same, put together by hand: it is written for every file of hundreds of thousands.
        text = (
            f'{{"path":{_quoted(self.path)},"type":"{self.type}","size":{self.size},"mode":"{self.mode:04o}",'
            f'"mtime_ns":{self.mtime_ns},"uid":{self.uid},"gid":{self.gid}'
        )
        for name in ("owner", "group", "sha256", "target"):
            value = getattr(self, name)
            if value:
                text += f',"{name}":{_quoted(value)}'
        return (text + "}").encode("ascii")

    @staticmethod
    def parse(values: dict) -> "Entry":
        """The entry that ``document`` described. Raises MismatchError when it is not one."""
        try:
            plain = dict(values, mode=int(values["mode"], 8))
            for key in ("path", "target"):
                encoded = plain.pop(key + "_base64", None)
                if encoded is not None:
                    plain[key] = os.fsdecode(base64.b64decode(encoded, validate=True))
            entry = Entry(**plain)
            stays = all(part not in ("", ".", "..") for part in entry.path.split("/")) or not entry.path
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise MismatchError(f"the manifest has an entry that is not understood: {values!r:.200}") from error
        if not stays or "\0" in entry.path + entry.target:
            raise MismatchError(f"the manifest has an entry whose path does not stay below {ROOT}/: {entry.shown:.200}")
        return entry

    @property
    def shown(self) -> str:
        """The path for people, with the archive's member root."""
        return printable(self.member)

    @property
    def member(self) -> str:
        """The name of the archive's member."""
        return f"{ROOT}/{self.path}" if self.path else ROOT

    def differs_from(self, other: "Entry") -> str:
        """The first property in which ``other``, the same path elsewhere, is not what this entry says."""
        for name in ("type", "size", "mode", "target", "sha256"):
            if getattr(self, name) != getattr(other, name):
                return name
        if self.type != "symlink" and self.mtime_ns // 10**9 != other.mtime_ns // 10**9:
            return "mtime"
        return ""

    def header(self) -> bytes:
        """The tar header of this entry, in GNU format: names of any bytes, whole seconds."""
        info = tarfile.TarInfo(self.member)
        info.type = next(one for one, name in TYPES.items() if name == self.type)
        info.size = self.size
        info.mode = self.mode
        info.mtime = self.mtime_ns // 10**9
        info.uid, info.gid, info.uname, info.gname = self.uid, self.gid, self.owner, self.group
        info.linkname = self.target
        return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


class Common(NamedTuple):
    """What files of one mode, owner and group have in common, worked out once: in their headers and their lines.

    ``owned`` comes before the size in a header, ``ends`` after the type; ``checksum`` is that of both and of what is
    the same in all. In a line ``mode`` comes after the size, ``owners`` after the time, up to the digest.
    """

    values: tuple[int, int, int, str, str]
    fits: bool  # in a header without extensions
    owned: bytes
    ends: bytes
    checksum: int
    mode: str
    owners: str


def common(mode: int, uid: int, gid: int, owner: str, group: str) -> Common:
    """The ``Common`` of files with these properties."""
    owned = b"%07o\0%07o\0%07o\0" % (mode, uid, gid)
    names = [one.encode("utf-8", "surrogateescape")[:32].ljust(32, b"\0") for one in (owner, group)]
    ends = bytes(tarfile.LENGTH_LINK) + tarfile.GNU_MAGIC + b"".join(names)
    ends = ends.ljust(tarfile.BLOCKSIZE - 157, b"\0")
    checksum = sum(owned) + sum(ends) + ord("0") + 8 * ord(" ")
    known = "".join(f',"{name}":{_quoted(one)}' for name, one in (("owner", owner), ("group", group)) if one)
    owners = f',"uid":{uid},"gid":{gid}{known},"sha256":"'
    values = (mode, uid, gid, owner, group)
    return Common(values, max(uid, gid) < 1 << 21, owned, ends, checksum, f',"mode":"{mode:04o}","mtime_ns":', owners)


def file_parts(path: bytes, size: int, mtime_ns: int, shared: Common) -> tuple[bytes, bytes, bytes]:
    """The header of a file, and its line before and after the SHA-256, which is not known yet.

    They are what ``Entry.header`` and ``Entry.line`` give, in a fifth of the time where nothing is out of the ordinary.
    """
    name = b"data/" + path
    seconds = mtime_ns // 10**9
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    fits = shared.fits and len(name) <= tarfile.LENGTH_NAME and size < 1 << 33 and 0 <= seconds < 1 << 33
    if not (text and fits):
        mode, uid, gid, owner, group = shared.values
        entry = Entry(os.fsdecode(path), "file", size, mode, mtime_ns, uid, gid, owner, group, sha256=_UNKNOWN)
        before, _unknown, after = entry.line().partition(_UNKNOWN_FIELD)
        return entry.header(), before + _SHA256, b'"' + after
    before = f'{{"path":{_quoted(text)},"type":"file","size":{size}{shared.mode}{mtime_ns}{shared.owners}'
    return _file_header(name, size, seconds, shared), before.encode("ascii"), b'"}'


def path_of(line: bytes) -> bytes:
    """The path of the entry whose line this is."""
    values = json.loads(line)
    encoded = values.get("path_base64")
    return os.fsencode(values["path"]) if encoded is None else base64.b64decode(encoded)


def start_of_line(path: bytes) -> bytes:
    """What the line of an entry of that path starts with; so may those of other paths that are not UTF-8."""
    return f'{{"path":{_quoted(printable(os.fsdecode(path)))},'.encode("ascii")


def _file_header(name: bytes, size: int, seconds: int, shared: Common) -> bytes:
    """As tarfile makes it for a file whose values need no extension, in a tenth of the time."""
    varying = b"%011o\0%011o\0" % (size, seconds)
    checksum = shared.checksum + sum(name) + sum(varying)
    return b"%s%s%s%06o\0 0%s" % (name.ljust(tarfile.LENGTH_NAME, b"\0"), shared.owned, varying, checksum, shared.ends)


def from_member(info: tarfile.TarInfo, sha256: str = "") -> Entry:
    """The entry that a member of a tar archive amounts to; its content's digest is given by the caller."""
    name = info.name.rstrip("/")
    return Entry(
        path=name[len(ROOT) + 1 :],
        type=TYPES[info.type],
        size=info.size if info.isreg() else 0,
        mode=info.mode,
        mtime_ns=int(info.mtime) * 10**9,
        uid=info.uid,
        gid=info.gid,
        owner=info.uname,
        group=info.gname,
        sha256=sha256,
        target=info.linkname if info.issym() else "",
    )
