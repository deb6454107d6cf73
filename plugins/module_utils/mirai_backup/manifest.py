# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The manifest: the document that makes files a backup. Schema 1.

One JSON document. The head comes first; the list of the data directory's entries, if there is one, comes last,
one entry a line, so that the head can be read without it. ``digest`` covers the head, and the head holds the
digest of the entries' lines, so that every edit is seen.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass, field, fields
from typing import BinaryIO, Iterable, Iterator, Optional, Union

from . import safefile, text
from .entries import Entry
from .errors import MismatchError
from .sinks import Artifact

SCHEMA = 1
SUFFIX = ".manifest.json"
SIGNATURE = ".sig"  # what a manifest's detached signature adds to its name
_ENTRIES = b'"entries": [\n'
_NO_ENTRIES = b"]\n}\n"
_HEAD_LIMIT = 64 << 20
_TOGETHER = 500
_DATABASE_KEYS = frozenset(
    ("name", "system_identifier", "server_version", "size", "properties", "roles", "fingerprint")
)
_FILES_KEYS = frozenset(("count", "size", "sha256"))
_FINGERPRINT_KEYS = frozenset(("mode", "server_major", "tables", "sequences", "large_objects", "schema"))


@dataclass(frozen=True)
class Manifest:
    """What a backup is. Times are ISO 8601 in UTC, sizes in bytes, digests SHA-256 in hex.

    ``artifacts`` are the files beside the manifest, ``members`` what a full archive holds. ``database`` and
    ``files`` describe the halves, None where the backup has no such half. ``previous`` names the manifest that
    was newest before this one, with its digest.
    """

    id: str
    kind: str
    sequence: int
    application: str
    host: str
    started: str
    ended: str
    utc_offset: str
    duration_seconds: float
    engine_version: str
    compression: str
    artifacts: tuple[Artifact, ...]
    members: tuple[Artifact, ...] = ()
    database: Optional[dict] = None
    files: Optional[dict] = None
    warnings: tuple[str, ...] = ()
    previous: Optional[dict] = None
    encryption: Optional[dict] = None
    schema: int = SCHEMA
    digest: str = field(default="", compare=False)

    @property
    def size(self) -> int:
        """Bytes of all artifacts together."""
        return sum(one.size for one in self.artifacts)

    @property
    def ended_at(self):
        """The end as a point in time."""
        return text.parse_utc(self.ended)

    @property
    def components(self) -> frozenset:
        """The halves it holds, of ``database`` and ``json``."""
        halves = (("database", self.database), ("json", self.files))
        return frozenset(name for name, half in halves if half is not None)

    def part(self, role: str) -> Optional[Artifact]:
        """The artifact or member of that role, None where the backup has none."""
        return next((one for one in self.members + self.artifacts if one.role == role), None)

    def head(self) -> dict:
        """The head as JSON values, without its digest."""
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "digest"}
        for name in ("artifacts", "members"):
            values[name] = [one.document() for one in values[name]]
        values["warnings"] = list(values["warnings"])
        return values


def write(path: str, manifest: Manifest, entries: Iterable[Union[Entry, bytes]] = ()) -> str:
    """Write ``manifest`` to ``path`` at one instant; returns its digest. The entries go through, not into memory.

    An entry may be given as its line already. ``manifest.files["sha256"]`` must be what ``entries_digest`` gives for
    the same entries.
    """
    head = manifest.head()
    digest = _digest(head)
    safefile.write(path, _blocks(dict(head, digest=digest), entries))
    return digest


def entries_digest(entries: Iterable[Union[Entry, bytes]]) -> str:
    """The digest of the entries' lines."""
    digest = hashlib.sha256()
    for lines in _batches(entries):
        digest.update(b"".join(lines))
    return digest.hexdigest()


def read(path: str) -> Manifest:
    """Read the head at ``path``. Raises MismatchError when it is damaged or edited, OSError when unreadable."""
    with open(path, "rb") as file:
        values = _read_head(path, file)
        if values.get("files") is None and file.read(len(_NO_ENTRIES) + 1) != _NO_ENTRIES:
            raise _damaged(path, "it has no proper end")
    claimed = values.pop("digest", None)
    if values.get("schema") != SCHEMA:
        raise MismatchError(
            f"manifest {path} has schema {values.get('schema')!r}, this engine reads {SCHEMA}",
            "use the mirai.backup version that wrote it, or a newer one",
        )
    if claimed != _digest(values):
        raise _damaged(path, "its digest does not fit its content: it was edited or damaged")
    try:
        for name in ("artifacts", "members"):
            values[name] = tuple(Artifact(**one) for one in values[name])
        values["warnings"] = tuple(values["warnings"])
        head = Manifest(**values, digest=claimed)
    except (TypeError, KeyError) as error:
        raise _damaged(path, f"it is not understood ({error})") from error
    _require_types(path, head)
    return head


def _require_types(path: str, head: Manifest) -> None:
    """Raise MismatchError unless every value is of the kind that the rest of the engine relies on."""
    texts = (head.id, head.kind, head.application, head.host, head.started, head.ended, head.compression)
    sound = all(isinstance(one, str) for one in texts) and isinstance(head.sequence, int)
    sound = sound and isinstance(head.duration_seconds, (int, float))
    for artifact in head.artifacts + head.members:
        sound = sound and isinstance(artifact.name, str) and isinstance(artifact.size, int)
        sound = sound and isinstance(artifact.sha256, str)
    for half, keys in ((head.database, _DATABASE_KEYS), (head.files, _FILES_KEYS)):
        sound = sound and (half is None or (isinstance(half, dict) and keys <= set(half)))
    before = head.previous
    if before is not None:
        sound = sound and isinstance(before, dict) and {"id", "digest"} <= set(before)
        sound = sound and isinstance(before["id"], str) and isinstance(before["digest"], str)
    fingerprint = (head.database or {}).get("fingerprint") if sound else None
    sound = sound and (fingerprint is None or (isinstance(fingerprint, dict) and _FINGERPRINT_KEYS <= set(fingerprint)))
    try:
        text.parse_utc(head.started)
        text.parse_utc(head.ended)
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise _damaged(path, "a value in it is missing or of the wrong type")


def read_entries(path: str, manifest: Manifest) -> Iterator[Entry]:
    """The entries at ``path``, one by one. Raises MismatchError at the end when their digest does not fit."""
    digest = hashlib.sha256()
    separator = b""
    with open(path, "rb") as file:
        _read_head(path, file)
        for line in file:
            if line == b"]\n":
                break
            content = line.rstrip(b",\n")
            try:
                entry = Entry.parse(json.loads(content))
            except ValueError as error:
                raise _damaged(path, "its list of files is not understood") from error
            if separator not in (b"", b",\n"):
                raise _damaged(path, "its list of files was edited or damaged")
            separator = line[len(content) :]
            digest.update(content)
            yield entry
        if separator not in (b"", b"\n") or file.read(3) != b"}\n":
            raise _damaged(path, "its list of files has no proper end")
    if digest.hexdigest() != (manifest.files or {}).get("sha256"):
        raise _damaged(path, "its list of files was edited or damaged")


def _blocks(head: dict, entries: Iterable[Union[Entry, bytes]]) -> Iterator[bytes]:
    yield _head_text(head) + _ENTRIES
    separator = b""
    for lines in _batches(entries):
        yield separator + b",\n".join(lines)
        separator = b",\n"
    yield (b"\n" if separator else b"") + b"]\n}\n"


def _read_head(path: str, file: BinaryIO) -> dict:
    """Read ``file`` up to where the entries begin and return the head's values, digest included."""
    lines, size = [], 0
    for line in file:
        if line == _ENTRIES:
            break
        size += len(line)
        if size > _HEAD_LIMIT:
            raise _damaged(path, "its head does not end")
        lines.append(line)
    else:
        raise _damaged(path, "it ends too early")
    try:
        values = json.loads(b"".join(lines).rstrip(b",\n") + b"}")  # what ends so is an object, or no JSON
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"it is not valid JSON ({error})") from error
    if values.get("schema") == SCHEMA and _head_text(values) != b"".join(lines):
        raise _damaged(path, "it is not written as the engine writes: it was edited or damaged")
    return values


def _head_text(head: dict) -> bytes:
    """The head as it stands in the file, up to where the entries begin."""
    return json.dumps(head, indent=1, ensure_ascii=True).encode("ascii")[:-2] + b",\n"


def _digest(head: dict) -> str:
    canonical = json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _batches(entries: Iterable[Union[Entry, bytes]]) -> Iterator[list[bytes]]:
    """The entries' lines, many at a time."""
    lines = map(_line, entries)
    return iter(lambda: list(itertools.islice(lines, _TOGETHER)), [])


def _line(entry: Union[Entry, bytes]) -> bytes:
    return entry if isinstance(entry, bytes) else entry.line()


def _damaged(path: str, why: str) -> MismatchError:
    return MismatchError(f"manifest {path}: {why}", "use another backup; this one cannot be trusted")
