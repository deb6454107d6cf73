# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A manifest in short: what choosing among thousands of backups takes, without their fingerprints and file lists."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from . import text
from .manifest import Manifest
from .sinks import Artifact


@dataclass(frozen=True)
class Summary:
    """Of a Manifest, the properties of the same names; ``halves`` are the components in order of the alphabet."""

    __slots__ = (
        "application",
        "artifacts",
        "digest",
        "duration_seconds",
        "ended",
        "halves",
        "host",
        "id",
        "kind",
        "sequence",
        "started",
        "warnings",
    )

    id: str
    kind: str
    sequence: int
    application: str
    host: str
    started: str
    ended: str
    duration_seconds: float
    digest: str
    halves: tuple[str, ...]
    warnings: tuple[str, ...]
    artifacts: tuple[Artifact, ...]

    @property
    def size(self) -> int:
        """Bytes of all artifacts together."""
        return sum(one.size for one in self.artifacts)

    @property
    def ended_at(self) -> datetime.datetime:
        """The end as a point in time."""
        return text.parse_utc(self.ended)

    @property
    def components(self) -> frozenset:
        """The halves it holds, of ``database`` and ``json``."""
        return frozenset(self.halves)


def of(manifest: Manifest) -> Summary:
    """The summary of ``manifest``."""
    return Summary(
        id=manifest.id,
        kind=manifest.kind,
        sequence=manifest.sequence,
        application=manifest.application,
        host=manifest.host,
        started=manifest.started,
        ended=manifest.ended,
        duration_seconds=float(manifest.duration_seconds),
        digest=manifest.digest,
        halves=tuple(sorted(manifest.components)),
        warnings=manifest.warnings,
        artifacts=manifest.artifacts,
    )
