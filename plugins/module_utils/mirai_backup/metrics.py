# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Figures for Prometheus, in a file that node_exporter's textfile collector reads. Times are timestamps, not ages."""

from __future__ import annotations

import os
import secrets
import shutil
import types
from dataclasses import dataclass, field
from typing import Mapping, Optional

from . import __version__, drill_history, repository, runs, text
from .config import KINDS, Config
from .errors import EngineError
from .repository import Listing

_NONE: Mapping = types.MappingProxyType({})
_VERDICTS = ("pass", "fail", "could_not_verify")


@dataclass
class Family:
    """One metric: its name without ``mirai_backup_``, its meaning, and its samples by label."""

    name: str
    meaning: str
    samples: list[tuple[dict, float]] = field(default_factory=list)

    def add(self, value: float, **labels: str) -> None:
        """One more sample; an empty label is left out."""
        self.samples.append(({key: one for key, one in labels.items() if one}, value))

    def lines(self) -> list[str]:
        """The family in Prometheus's text format; without samples nothing."""
        if not self.samples:
            return []
        name = f"mirai_backup_{self.name}"
        lines = [f"# HELP {name} {self.meaning}", f"# TYPE {name} gauge"]
        for labels, value in self.samples:
            inner = ",".join(f'{key}="{_escaped(one)}"' for key, one in labels.items())
            lines.append(f"{name}{{{inner}}} {value!r}" if inner else f"{name} {value!r}")
        return lines


def write(config: Config, stores: Mapping[str, Optional[float]] = _NONE, keys: Mapping[str, float] = _NONE) -> None:
    """Replace the file ``metrics_textfile`` at one instant, readable by all; as ``families``. Raises OSError."""
    path = config.metrics_textfile
    content = "".join(f"{line}\n" for family in families(config, stores, keys) for line in family.lines())
    temporary = f"{path}.{secrets.token_hex(4)}.tmp"  # the collector reads *.prom only
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o644)
            file.write(content.encode("utf-8", "backslashreplace"))
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def families(
    config: Config, stores: Mapping[str, Optional[float]] = _NONE, keys: Mapping[str, float] = _NONE
) -> list[Family]:
    """Every metric as of now. A repository that cannot be read leaves those of its content out.

    ``stores`` says for each offsite store when the newest backup it holds ended, None where it holds none;
    ``keys`` when each key expires, by fingerprint. All are seconds of the epoch.
    """
    info = Family("info", "The engine that wrote these metrics.")
    info.add(1, version=__version__, application=config.application)
    beyond = [info, *_beyond(stores, keys)]
    try:
        listing = repository.listing(config.repository)
    except (EngineError, OSError):
        return beyond
    return [*beyond, *_of_backups(config, listing), *_of_runs(config), *_of_drills(config), _free(config)]


def _of_backups(config: Config, listing: Listing) -> list[Family]:
    last = Family("last_success_timestamp_seconds", "When the newest good backup of a kind ended; 0 where none is.")
    newest = Family("newest_timestamp_seconds", "When the newest good backup of a half ended; 0 where there is none.")
    size = Family("size_bytes", "The size of the newest good backup of a kind.")
    duration = Family("duration_seconds", "How long the newest good backup of a kind took.")
    count = Family("backups", "How many backups of a kind there are, by whether they are whole.")
    scheduled = {one.kind for one in config.schedules}
    for kind in KINDS:
        found = [one for one in listing.backups if one.head.kind == kind]
        good = [one.head for one in found if not one.problem]
        if good:
            size.add(good[-1].size, kind=kind)
            duration.add(good[-1].duration_seconds, kind=kind)
        if found or kind in scheduled:
            last.add(good[-1].ended_at.timestamp() if good else 0, kind=kind)
            count.add(len(good), kind=kind, state="good")
            count.add(len(found) - len(good), kind=kind, state="damaged")
    for half in ("database", "json"):
        holding = listing.good(frozenset((half,)))
        newest.add(holding[-1].head.ended_at.timestamp() if holding else 0, half=half)
    return [last, newest, size, duration, count]


def _of_runs(config: Config) -> list[Family]:
    ended = Family("last_run_timestamp_seconds", "When the last run of a verb and kind ended, well or not.")
    code = Family("last_run_exit_code", "The exit code of that run; 0 is ok, 3 incomplete.")
    took = Family("last_run_duration_seconds", "How long that run took.")
    problems = Family("last_run_watching_problems", "How many hooks, alerts and pings of that run failed.")
    for run in runs.last(config.repository).values():
        labels = {"verb": run.verb, "kind": run.kind}
        ended.add(run.ended_at.timestamp(), **labels)
        code.add(run.exit_code, **labels)
        took.add(run.duration_seconds, **labels)
        problems.add(len(run.problems), **labels)
    return [ended, code, took, problems]


def _of_drills(config: Config) -> list[Family]:
    when = Family("drill_timestamp_seconds", "When the last drill of a verdict began; 0 where there is none.")
    verdict = Family("drill_verdict", "1 for the verdict of the last drill, 0 for the others.")
    recovery = Family("drill_rto_seconds", "How long the last drill took to restore.")
    rows = drill_history.rows(config.repository)
    if not rows and not config.drill:
        return []
    for name in _VERDICTS:
        of_name = [row for row in rows if row["verdict"] == name]
        when.add(text.parse_utc(of_name[-1]["started"]).timestamp() if of_name else 0, verdict=name)
        verdict.add(int(bool(rows) and rows[-1]["verdict"] == name), verdict=name)
    if rows and rows[-1].get("rto_seconds") is not None:
        recovery.add(rows[-1]["rto_seconds"])
    return [when, verdict, recovery]


def _beyond(stores: Mapping[str, Optional[float]], keys: Mapping[str, float]) -> list[Family]:
    offsite = Family("offsite_newest_timestamp_seconds", "When the newest backup in an offsite store ended; 0: none.")
    expiry = Family("key_expiry_timestamp_seconds", "When a key that backups need expires.")
    for store, ended in stores.items():
        offsite.add(ended or 0, store=store)
    for fingerprint, expires in keys.items():
        expiry.add(expires, fingerprint=fingerprint)
    return [offsite, expiry]


def _free(config: Config) -> Family:
    free = Family("repository_free_bytes", "The space that is free where the repository lies.")
    free.add(shutil.disk_usage(config.repository).free)
    return free


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
