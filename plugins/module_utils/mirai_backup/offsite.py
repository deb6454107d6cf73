# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Says what the stores hold, and reads it back to hold it to its manifests."""

from __future__ import annotations

import datetime
import hashlib
import os
from typing import Optional

from . import inventory, manifest, marks, rclone, repository, selector, signature, stores
from .config import Config
from .errors import EngineError, MismatchError
from .outcome import COULD_NOT_VERIFY, FAILED, INCOMPLETE, MISMATCH, OK, Outcome
from .repository import Backup
from .stores import Shelf
from .watch import Observer


def run(config: Config, kind: Optional[str] = None, name: str = "") -> Outcome:
    """List the backups in every store, newest first. Exit code 3 when a store could not be listed, 1 when none."""
    repository.create(config.repository)
    found = [_listed(config, store, kind) for store in stores.chosen(config, name)]
    lines = []
    for one in found:
        lines.append(f"{one['store']} ({one['path']}){', by what was sent' if one['write_only'] else ''}")
        lines += [f"  {line}" for line in one.pop("lines")]
        lines += [f"  damaged: {damaged['problem']}" for damaged in one["damaged"]]
        lines += [f"  no manifest, not counted as a backup: {path}" for path in one["unsealed"]]
        lines += [f"  could not be listed: {one['error']}"] if one["error"] else []
    failed = [one for one in found if one["error"]]
    code = OK if not failed else FAILED if len(failed) == len(found) else INCOMPLETE
    return Outcome({"stores": found, "incomplete": [one["error"] for one in failed]}, tuple(lines), code)


def verify(
    config: Config,
    word: str = "latest",
    every: bool = False,
    name: str = "",
    observer: Optional[Observer] = None,
    accept_unsigned: bool = False,
) -> Outcome:
    """Read a backup back from every store, to the last byte, and hold it to its manifest and that to its signature.

    Exit 2 or 4 as verify.
    """
    observer = observer or Observer()
    repository.create(config.repository)
    results = []
    for store in stores.chosen(config, name):
        try:
            shelf = stores.shelf(config, store)
            listing, _files = stores.look(config, shelf)
            backups = listing.backups if every else (selector.whole_or_not(listing, word),)
            results += [_verified(config, shelf, one, observer, accept_unsigned) for one in backups]
            if every:
                results += [_result(shelf.name, os.path.basename(p), "fail", why) for p, why in listing.damaged]
        except (EngineError, OSError) as error:
            why = getattr(error, "message", None) or str(error)
            results.append(_result(store.name, word, "could_not_verify", why))
    observer.done()
    verdicts = {one["verdict"] for one in results}
    code = MISMATCH if "fail" in verdicts else COULD_NOT_VERIFY if verdicts - {"pass"} else OK
    lines = [
        f"{one['store']}: {one['id']}  {one['verdict']}" + (f"  {one['why']}" if one["why"] else "") for one in results
    ]
    return Outcome({"verified": results}, tuple(lines or ["the stores are empty"]), code)


def _listed(config: Config, store: stores.Store, kind: Optional[str]) -> dict:
    values = {
        "store": store.name,
        "path": store.path,
        "write_only": store.write_only,
        "backups": [],
        "damaged": [],
        "unsealed": [],
        "error": "",
        "lines": [],
    }
    try:
        shelf = stores.shelf(config, store)
        if store.write_only:
            remembered = sorted(marks.read(shelf.directory).marks.items(), key=lambda pair: -pair[1].sequence)
            values["backups"] = [
                {"id": name, "kind": mark.kind, "sequence": mark.sequence, "sent": mark.time}
                for name, mark in remembered
                if kind in (None, mark.kind)
            ]
            values["lines"] = [f"{one['id']:<32} sent {one['sent']}" for one in values["backups"]]
            return values
        listing, _files = stores.look(config, shelf)
    except (EngineError, OSError) as error:
        return {**values, "error": getattr(error, "message", None) or str(error)}
    backups = [one for one in reversed(listing.backups) if kind in (None, one.head.kind)]
    now = datetime.datetime.now(datetime.timezone.utc)
    place = {one.id: shelf.remote.at(f"{one.head.kind}/{os.path.basename(one.path)}") for one in backups}
    values["backups"] = [{**one.document(), "path": place[one.id]} for one in backups]
    values["damaged"] = [{"manifest": os.path.basename(p), "problem": problem} for p, problem in listing.damaged]
    values["unsealed"] = [os.path.basename(path) for path in listing.unsealed]
    values["lines"] = [inventory.line(one, now) for one in backups] or ["there are no backups"]
    return values


def _verified(config: Config, shelf: Shelf, backup: Backup, observer: Observer, accept_unsigned: bool) -> dict:
    try:
        if backup.problem:
            raise MismatchError(backup.problem)
        with stores.workplace(shelf, "verify") as directory:
            path = stores.fresh_manifest(shelf, backup, directory)
            signature.require(config, path, accept_unsigned)
            head = manifest.read(path)
            if head.files is not None:
                for _entry in manifest.read_entries(path, head):
                    pass
        observer.expect(head.size)
        for artifact in head.artifacts:
            _hold(shelf, f"{head.kind}/{artifact.name}", artifact, observer)
    except MismatchError as error:
        return _result(shelf.name, backup.id, "fail", error.message)
    except (EngineError, OSError) as error:
        why = getattr(error, "message", None) or str(error)
        return _result(shelf.name, backup.id, "could_not_verify", why)
    return _result(shelf.name, backup.id, "pass", "")


def _hold(shelf: Shelf, path: str, artifact: object, observer: Observer) -> None:
    digest, count = hashlib.sha256(), [0]

    def take(block: bytes) -> None:
        digest.update(block)
        count[0] += len(block)
        observer.advance(len(block))

    rclone.read(shelf.remote, path, take)
    if count[0] != artifact.size:
        raise MismatchError(f"{artifact.name} has {count[0]} bytes instead of {artifact.size}")
    if digest.hexdigest() != artifact.sha256:
        raise MismatchError(f"{artifact.name}: its SHA-256 is not the manifest's")


def _result(store: str, backup_id: str, verdict: str, why: str) -> dict:
    return {"store": store, "id": backup_id, "verdict": verdict, "why": why}
