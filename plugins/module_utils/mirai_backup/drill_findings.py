# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a drill finds, check by check, and the document that it amounts to."""

from __future__ import annotations

import contextlib
import datetime
import socket
import time
from dataclasses import dataclass, field
from typing import Callable, Iterator, Optional, Union

from . import __version__, text
from .config import Config
from .drill_choice import Damaged
from .errors import CouldNotVerifyError, EngineError
from .repository import Backup

CHECKS = (
    "manifest",
    "artifacts",
    "restore",
    "tables",
    "sequences",
    "large_objects",
    "schema",
    "files",
    "indexes",
    "assertions",
    "negative_control",
)


@dataclass
class Findings:
    """Fills up as the drill goes; a check that did not run never counts as passed. Times in seconds."""

    started: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))
    begun: float = field(default_factory=time.monotonic)
    place: dict = field(default_factory=lambda: {"kind": "none", "server_version": None})
    checks: dict = field(default_factory=dict)
    phases: dict = field(default_factory=dict)
    differences: list = field(default_factory=list)
    tables: list = field(default_factory=list)
    assertions: list = field(default_factory=list)
    control: Optional[dict] = None
    rto: Optional[float] = None

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a phase."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.phases[name] = round(time.monotonic() - begun, 3)

    def check(self, name: str, act: Callable[[], object]) -> bool:
        """Carry out a check that raises when it fails; returns whether it passed."""
        begun = time.monotonic()
        try:
            act()
        except CouldNotVerifyError as error:
            self.set(name, "could_not_verify", error.message, time.monotonic() - begun)
        except EngineError as error:
            self.differences.append(error.message)
            self.set(name, "fail", error.message, time.monotonic() - begun)
        else:
            self.set(name, "pass", "", time.monotonic() - begun)
        return self.checks[name]["verdict"] == "pass"

    def compared(self, name: str, differences: list, count: int, seconds: float = 0.0) -> None:
        """Note a check that compared ``count`` things and found these differences."""
        self.differences += differences
        self.set(name, "fail" if differences else "pass", "; ".join(differences[:5]), seconds, count)

    def set(self, name: str, verdict: str, detail: str, seconds: float = 0.0, compared: Optional[int] = None) -> None:
        """Note the verdict of a check."""
        self.checks[name] = {
            "name": name,
            "verdict": verdict,
            "detail": detail,
            "seconds": round(seconds, 3),
            "compared": compared,
        }

    def failed(self) -> bool:
        """Whether any check has failed so far."""
        return any(one["verdict"] == "fail" for one in self.checks.values())

    def fill(self, why: str) -> None:
        """Every check that has no verdict yet could not be verified."""
        for name in CHECKS:
            if name not in self.checks:
                self.set(name, "could_not_verify", why)

    def verdict(self) -> str:
        """The drill's verdict: one failure fails it, one open check leaves it open."""
        verdicts = {one["verdict"] for one in self.checks.values()}
        return "fail" if "fail" in verdicts else "could_not_verify" if "could_not_verify" in verdicts else "pass"

    def document(self, config: Config, backup: Union[Backup, Damaged], past: list[dict]) -> dict:
        """The drill's document (see docs/architecture.md), with the ``past`` drills' rows and its own.

        ``backup`` and the RPO are None where its manifest cannot be relied on.
        """
        self.fill("it was not reached")
        described = None if isinstance(backup, Damaged) else self._describe(backup)
        row = {
            "id": _new_id(self.started, {one["id"] for one in past}),
            "started": text.utc(self.started),
            "verdict": self.verdict(),
            "backup": backup.id,
            "rto_seconds": round(self.rto, 3) if self.rto is not None else None,
            "size": described["size"] if described else None,
            "duration_seconds": round(time.monotonic() - self.begun, 3),
        }
        return {
            "schema": 1,
            "id": row["id"],
            "verdict": row["verdict"],
            "started": row["started"],
            "ended": text.utc(datetime.datetime.now(datetime.timezone.utc)),
            "host": socket.gethostname(),
            "application": config.application,
            "engine_version": __version__,
            "backup": described,
            "place": self.place,
            "checks": [self.checks[name] for name in CHECKS],
            "tables": self.tables,
            "differences": self.differences,
            "assertions": self.assertions,
            "negative_control": self.control,
            "phases": self.phases,
            "rto_seconds": row["rto_seconds"],
            "rpo_seconds": described["age_seconds"] if described else None,
            "targets": {
                "rto_seconds": config.drill_rto_target or None,
                "rpo_seconds": config.drill_rpo_target or None,
            },
            "history": [*past[-59:], row],
        }

    def _describe(self, backup: Backup) -> dict:
        head = backup.manifest
        return {
            "id": head.id,
            "kind": head.kind,
            "ended": head.ended,
            "size": head.size,
            "age_seconds": round((self.started - head.ended_at).total_seconds(), 3),
            "host": head.host,
            "path": backup.path,
            "server_version": head.database["server_version"] if head.database is not None else None,
        }


def _new_id(started: datetime.datetime, taken: set) -> str:
    """The drill's ID from its local time, moved on until no other drill bears it."""
    while f"drill_{started.astimezone():%Y%m%d_%H%M%S}" in taken:
        started += datetime.timedelta(seconds=1)
    return f"drill_{started.astimezone():%Y%m%d_%H%M%S}"
