# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes files a backup, and takes a backup away, so that a death at any instant leaves nothing in between.

A run works in a directory of its own below ``.staging``. Before it touches a final name it writes an intent
there: the manifest's path and the artifacts'. An artifact that an intent names and whose manifest is not there
is debris, and nothing else is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from typing import Callable, Iterator, Optional

from . import index, interrupts, manifest, records, restores, safefile
from .config import KINDS
from .errors import EngineError
from .manifest import Manifest
from .repository import PINS, STAGING, Backup

_INTENT = "intent.json"
# Where safefile leaves a temporary file when a run dies: the directory, and the names that are ours there.
_HALF_WRITTEN = {
    **{kind: r"mirai_[a-z]+_\d{8}_\d{6}\.[a-z.]+" + re.escape(manifest.SUFFIX) for kind in KINDS},
    "": re.escape(records.LATEST),
    PINS: r"mirai_[a-z]+_\d{8}_\d{6}",
    restores.DIRECTORY: r"[0-9a-z_]+\.json",
}


@contextlib.contextmanager
def staging(repository: str) -> Iterator[str]:
    """A directory of this run's own (0700), gone when the block ends."""
    path = ""
    try:
        with interrupts.deferred():
            path = tempfile.mkdtemp(prefix="run-", dir=os.path.join(repository, STAGING))
        safefile.adopt(path)
        safefile.sync_directory(os.path.dirname(path))
        yield path
    finally:
        with interrupts.deferred():
            if path:
                _clear(repository, path)


def publish(
    repository: str,
    stage: str,
    head: Manifest,
    entries: Callable[[], Iterator[bytes]],
    sign: Optional[Callable[[str], object]] = None,
) -> str:
    """Move the finished artifacts from ``stage`` to their final names and seal them; returns the manifest's path.

    The manifest comes last: until it is there, there is no backup. ``sign`` is given the path of the finished
    manifest and puts its signature beside it.
    """
    directory = os.path.join(repository, head.kind)
    names = [one.name for one in head.artifacts]
    manifest_name = names[0] + manifest.SUFFIX
    manifest.write(os.path.join(stage, manifest_name), head, entries())
    if sign is not None:
        sign(os.path.join(stage, manifest_name))
        names.append(manifest_name + manifest.SIGNATURE)
    for name in (*names, manifest_name):
        if os.path.lexists(os.path.join(directory, name)):
            raise EngineError(f"{os.path.join(directory, name)} is already there", "move the foreign file away")
    _intend(stage, head.kind, manifest_name, names)
    for name in names:
        safefile.adopt(os.path.join(stage, name))
        os.rename(os.path.join(stage, name), os.path.join(directory, name))
    safefile.sync_directory(directory)
    os.rename(os.path.join(stage, manifest_name), os.path.join(directory, manifest_name))
    safefile.sync_directory(directory)
    return os.path.join(directory, manifest_name)


def remove(repository: str, backup: Backup) -> None:
    """Delete one backup: its manifest first, then its signature and what the manifest lists, and nothing else."""
    head = backup.manifest
    *names, manifest_name = backup.files
    with staging(repository) as stage:
        _intend(stage, head.kind, manifest_name, names)
        os.unlink(backup.manifest_path)
        safefile.sync_directory(os.path.dirname(backup.manifest_path))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(repository, PINS, head.id))


def sweep(repository: str) -> list[str]:
    """Clear what dead runs left behind (call it under the lock); returns the paths that are gone."""
    gone = index.sweep(repository)
    for place, name in _HALF_WRITTEN.items():
        directory = os.path.join(repository, place)
        half_written = re.compile(rf"\.{name}\.[0-9a-f]{{8}}\.tmp")
        for found in os.listdir(directory) if os.path.isdir(directory) else ():
            if half_written.fullmatch(found):
                os.unlink(os.path.join(directory, found))
                gone.append(os.path.join(directory, found))
    root = os.path.join(repository, STAGING)
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else ():
        if name.startswith("run-"):
            gone += _clear(repository, os.path.join(root, name))
    return gone


def _intend(stage: str, kind: str, manifest_name: str, artifact_names: list[str]) -> None:
    values = {"kind": kind, "manifest": manifest_name, "artifacts": artifact_names}
    safefile.write(os.path.join(stage, _INTENT), iter((json.dumps(values).encode("utf-8"),)))


def _clear(repository: str, stage: str) -> list[str]:
    """Carry out the intent of ``stage`` where its manifest is not there, then remove the directory."""
    gone = []
    with contextlib.suppress(FileNotFoundError):
        with open(os.path.join(stage, _INTENT), "rb") as file:
            intent = json.load(file)
        directory = os.path.join(repository, intent["kind"])
        if not os.path.lexists(os.path.join(directory, intent["manifest"])):
            for name in intent["artifacts"]:
                path = os.path.join(directory, os.path.basename(name))
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
                    gone.append(path)
            safefile.sync_directory(directory)
    try:
        shutil.rmtree(stage)
    except OSError as error:
        error.filename = os.path.join(stage, error.filename or "")  # it names what lies in it relative to it
        raise
    return [*gone, stage]
