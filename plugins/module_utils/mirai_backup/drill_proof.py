# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holds what a drill restored to the manifest and to the operator's assertions; what comes of it goes into Findings."""

from __future__ import annotations

import time
from typing import Optional

from . import assertions, filesproof, fingerprint, manifest, postgres
from .config import Config
from .drill_findings import Findings
from .repository import Backup
from .target import DatabaseTarget

_PROOFS = ("tables", "sequences", "large_objects", "schema")


def database(found: Findings, head: manifest.Manifest, target: Optional[DatabaseTarget], name: str) -> None:
    """The database ``name`` on ``target`` by the fingerprint of ``head``; no ``target``: there is no database half.

    Raises EngineError when the server cannot be asked.
    """
    if target is None:
        for check in (*_PROOFS, "indexes", "assertions"):
            found.set(check, "not_configured", "the backup has no database half")
        return
    expected = head.database["fingerprint"]
    if expected is None:
        for check in _PROOFS:
            found.set(check, "could_not_verify", "the backup was made with fingerprint: off")
        return
    begun = time.monotonic()
    with postgres.Session(target.clients, target.on(name)) as session:
        restored = fingerprint.take_alone(session, expected, target.server.version_num)
    seconds = time.monotonic() - begun
    for check, lines in fingerprint.differences_by_check(expected, restored).items():
        count = expected[check]["count"] if check == "large_objects" and expected[check] else len(expected[check] or ())
        found.compared(check, lines, count, seconds if check == "tables" else 0.0)
    if expected["large_objects"] is None:
        found.set("large_objects", "not_configured", "the backup was made with fingerprint: counts")
    found.tables = fingerprint.side_by_side(expected, restored)


def files(found: Findings, backup: Backup, staged: Optional[str]) -> None:
    """The directory ``staged`` by the manifest's list of files; no ``staged``: there is no files half."""
    if staged is None:
        found.set("files", "not_configured", "the backup has no files half")
        return
    begun = time.monotonic()
    lines = filesproof.differences(staged, manifest.read_entries(backup.manifest_path, backup.manifest))
    found.compared("files", lines, backup.manifest.files["count"], time.monotonic() - begun)


def operators(found: Findings, config: Config, target: DatabaseTarget, name: str) -> None:
    """The operator's assertions, asked of the database ``name`` on ``target``."""
    if not config.drill_assertions:
        found.set("assertions", "not_configured", "drill_assertions is empty")
        return
    results = assertions.run(target, name, config.drill_assertions)
    failed = [f"{one['name']}: {one['detail']}" for one in results if one["verdict"] != "pass"]
    found.assertions = results
    found.compared("assertions", failed, len(results))
