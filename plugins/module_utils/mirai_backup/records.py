# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the repository tells people and programs about its runs: LATEST_BACKUP.txt and backup_metadata.log."""

from __future__ import annotations

import contextlib
import datetime
import errno
import json
import os
import time
from typing import Iterable, Iterator, Optional

from . import notices, safefile, text
from .errors import EngineError, Interrupted
from .outcome import MISMATCH
from .repository import Backup

LATEST = "LATEST_BACKUP.txt"
METADATA = "backup_metadata.log"
_TAIL = 1 << 16
_UNMOVABLE = (
    "it is mounted, or in a layer of an image, and cannot be renamed: use --to-dir, or copy it to a new directory"
)
_HINTS = {
    errno.ENOSPC: "free space, or move the repository",
    errno.EDQUOT: "free space, or move the repository",
    errno.EXDEV: _UNMOVABLE,
    errno.EBUSY: _UNMOVABLE,
}
_NO_HINT = "see the system's log"
_FLAGS = {"full": "", "database": " --db-only", "json": " --json-only"}


def write_latest(repository: str, backup: Backup, language: str) -> None:
    """Describe the newest backup for people who read ``language``, ``en`` or ``ja``."""
    head = backup.head
    rows = [
        ("latest", head.id),
        ("kind", notices.say(language, head.kind)),
        ("file", backup.path),
        ("finished", text.local(head.ended_at)),
        ("size", text.size(head.size)),
        ("duration", text.duration(head.duration_seconds)),
        ("restore_with", f"mirai-backup restore {head.id}{_FLAGS[head.kind]}"),
        *(("warning", one) for one in head.warnings),
    ]
    content = "".join(f"{line}\n" for line in notices.lines(language, rows))
    safefile.write(os.path.join(repository, LATEST), iter((content.encode("utf-8", "backslashreplace"),)))


def append(repository: str, values: dict) -> None:
    """Add one run to the metadata log, a JSON object on a line; ``time`` is put in front."""
    record = {"time": text.utc(datetime.datetime.now(datetime.timezone.utc)), **values}
    safefile.append_line(os.path.join(repository, METADATA), json.dumps(record).encode("ascii"))


def noted(repository: str, values: dict) -> list[str]:
    """The same for a run whose result stands whatever becomes of its record; returns what went wrong."""
    try:
        append(repository, values)
    except OSError as error:
        return [f"{METADATA} was not written: {error.strerror}"]
    return []


@contextlib.contextmanager
def failures(repository: str, values: dict, interrupted: Interrupted) -> Iterator[None]:
    """Note what ends the block in the metadata log, as ``values`` and the error, and raise it as an EngineError.

    An interrupt is raised as ``interrupted``.
    """
    begun = time.monotonic()
    try:
        try:
            yield
        except OSError as error:
            where = error.filename if isinstance(error.filename, str) else repository
            raise EngineError(f"{where}: {error.strerror or error}", _HINTS.get(error.errno, _NO_HINT)) from error
        except KeyboardInterrupt as error:
            raise interrupted from error
    except EngineError as error:
        took = round(time.monotonic() - begun, 3)
        with contextlib.suppress(OSError):  # a full disk must not hide what filled it
            append(repository, {**values, "result": "failed", "duration_seconds": took, **error.document()})
        raise


def last_run(repository: str) -> Optional[dict]:
    """The newest readable record of a backup run, None where there is none."""
    for record in reversed(_tail(repository)):
        if record.get("verb") == "backup":
            return record
    return None


def damaged(repository: str) -> dict[str, dict]:
    """The newest records of a backup that was found to differ from its manifest, by ID, unless it was well again since.

    The keys ``verb``, ``time`` and ``error`` are there.
    """
    found: dict[str, dict] = {}
    for record in _tail(repository):
        name = record.get("restored") or record.get("backup")
        if record.get("verb") not in ("verify", "restore") or not isinstance(name, str):
            continue
        if record.get("exit_code") == MISMATCH and {"time", "error"} <= record.keys():
            found[name] = record
        elif record.get("result") == "ok":
            found.pop(name, None)
    return found


def complaints(repository: str, backups: Iterable[Backup]) -> list[str]:
    """A line for each of ``backups`` that seems whole and did not pass its last verification or restore."""
    there = {one.id for one in backups if not one.problem}
    found = damaged(repository).items()
    return [
        f"{name} did not pass a {row['verb']} at {row['time']}: {row['error']}" for name, row in found if name in there
    ]


def first_time(repository: str) -> Optional[datetime.datetime]:
    """When the first run on record ended; None where none is readable."""
    try:
        with open(os.path.join(repository, METADATA), "rb") as file:
            return text.parse_utc(json.loads(file.readline(_TAIL))["time"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def last_sequence(repository: str) -> int:
    """The highest sequence number in the log's tail, so that a deleted backup's number is not used again."""
    return max((record.get("sequence") or 0 for record in _tail(repository)), default=0)


def _tail(repository: str) -> list[dict]:
    """The last records; a line that a dying run left torn is passed over."""
    try:
        with open(os.path.join(repository, METADATA), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records
