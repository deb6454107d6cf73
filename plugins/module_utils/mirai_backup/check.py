# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers one question for monitoring: is there a good and recent backup of both halves?"""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass, field

from . import drill_history, keyring, marks, records, repository, restores, runs, text
from .config import Config
from .errors import EngineError, LockedError
from .outcome import FAILED, OK, Outcome

# An upload takes its time, and the run that failed to ship has said so itself.
_SHIPPING_SECONDS = 6 * 3600
_NAGIOS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_UNKNOWN = 3


@dataclass
class _Findings:
    """What was found; ``ages`` in seconds by half, ``lagging`` are names of stores, ``drills`` rows of those that are
    scheduled."""

    problems: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    ages: dict = field(default_factory=dict)
    lagging: list = field(default_factory=list)
    drills: list = field(default_factory=list)
    keys: tuple = ()


def run(config: Config, max_age: float = 26 * 3600, nagios: bool = False) -> Outcome:
    """Check the newest good backup of each half against ``max_age`` seconds.

    Exit 0 or 1; with ``nagios`` the plugin's 0 to 3 and its one line.
    """
    found = _Findings()
    try:
        _look(config, max_age, found)
    except (EngineError, OSError) as error:
        found.problems.append(getattr(error, "message", str(error)))
    problems, warnings, ages = found.problems, found.warnings, found.ages
    state = 2 if problems else 1 if warnings else 0
    document = {
        "ok": not problems,
        "problems": problems,
        "warnings": warnings,
        "age_seconds": ages,
        "lagging_stores": found.lagging,
        "keys": [one.document() for one in found.keys],
    }
    summary = "; ".join(problems + warnings) or ", ".join(
        [f"{half} {text.duration(age)} old" for half, age in sorted(ages.items())] + _drilled(found.drills)
    )
    if nagios:
        performance = " ".join(f"{half}_age={age:.0f}s;;{max_age:.0f};0" for half, age in sorted(ages.items()))
        return Outcome(document, (f"{_plugin_line(state, summary)} | {performance}",), state)
    lines = [*(f"problem: {one}" for one in problems), *(f"warning: {one}" for one in warnings)]
    return Outcome(document, tuple(lines or [f"ok: {summary}"]), FAILED if problems else OK)


def unknown(error: EngineError) -> Outcome:
    """What a monitoring plugin says where ``error`` kept it from looking: one line, and 3."""
    return Outcome(error.document(), (_plugin_line(_UNKNOWN, error.words.replace("\n  ", "; ")),), _UNKNOWN)


def _plugin_line(state: int, summary: str) -> str:
    """A line as the plugins' guidelines want it; what follows a bar would be taken for figures."""
    return f"MIRAI_BACKUP {_NAGIOS[state]} - {' '.join(summary.split()).replace('|', '/')}"


def _look(config: Config, max_age: float, found: _Findings) -> None:
    """Fill ``found`` in. Raises EngineError and OSError for what cannot be looked at."""
    listing = repository.listing(config.repository)
    now = datetime.datetime.now(datetime.timezone.utc)
    problems, warnings = found.problems, found.warnings
    for half in ("database", "json"):
        good = listing.good(frozenset((half,)))
        if not good:
            problems.append(f"there is no good backup of the {half} half")
            continue
        age = (now - good[-1].head.ended_at).total_seconds()
        found.ages[half] = round(age, 3)
        if age > max_age:
            problems.append(f"the newest backup of the {half} half is {text.duration(age)} old ({good[-1].id})")
    future = [one.id for one in listing.backups if (one.head.ended_at - now).total_seconds() > 3600]
    problems += [f"{one} lies in the future: the clock is wrong, retention rests" for one in future]
    problems += [f"{one.id} is not whole: {one.problem}" for one in listing.backups if one.problem]
    problems += [problem for _path, problem in listing.damaged]
    problems += records.complaints(config.repository, listing.backups)
    drills = drill_history.rows(config.repository)
    if drills and drills[-1]["verdict"] != "pass":
        last = drills[-1]
        certain = config.drill or last["verdict"] == "fail"
        (problems if certain else warnings).append(f"the last drill ended in {last['verdict']} ({last['id']})")
    elif config.drill:
        found.drills = drills
        problems += _drill_overdue(config, drills, listing, now)
    for store in config.offsite:
        lag = _lag(config, store.name, listing, now)
        problems += lag
        found.lagging += [store.name] if lag else []
    unfinished = restores.unfinished(config.repository)
    if unfinished is not None:
        problems.append(f"a restore did not end: {unfinished}")
    last = records.last_run(config.repository)
    if last is not None and last["result"] == "failed":
        warnings.append(f"the last run failed at {last['time']}: {last['error']}")
    if last is not None and last["result"] == "incomplete":
        warnings.append(f"the last run was incomplete: {'; '.join(last['incomplete'])}")
    warnings += _unwatched(config, max_age, now)
    if listing.good():
        warnings += list(listing.good()[-1].head.warnings)
    found.keys = keyring.find(config)
    problems += [f"{one.purpose} key {one.fingerprint} {one.problem}" for one in found.keys if one.problem]
    warnings += filter(None, (one.warning(time.time()) for one in found.keys))


def _unwatched(config: Config, max_age: float, now: datetime.datetime) -> list[str]:
    """What those who watch the last runs could not do, and runs that found the repository locked."""
    warnings = []
    for run in runs.last(config.repository).values():
        if (now - run.ended_at).total_seconds() > max_age:
            continue
        if run.exit_code == LockedError.exit_code:
            warnings.append(f"{run.title} was locked out at {run.ended}: {run.cause}")
        warnings += [f"{run.title}: {problem}" for problem in run.problems]
    return warnings


def _lag(config: Config, store: str, listing: repository.Listing, now: datetime.datetime) -> list[str]:
    """Which halves have waited for too long to come to ``store``, as far as is remembered here."""
    memory = marks.read(marks.place(config.repository, store))
    problems = []
    for half in ("database", "json"):
        waiting: list = []
        for one in reversed(listing.good(frozenset((half,)))):
            if memory.shipped(one.id, one.head.digest):
                break
            waiting.append(one)
        age = (now - waiting[-1].head.ended_at).total_seconds() if waiting else 0
        if age > _SHIPPING_SECONDS:
            problems.append(
                f"offsite store {store} lacks the newest {len(waiting)} of the {half} half, for {text.duration(age)}"
            )
    if memory.last.get("problems"):
        problems = [f"{one}: {memory.last['problems'][0]}" for one in problems]
    return problems


def _drilled(rows: list) -> list[str]:
    """When the last drill was, in words."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ages = [(now - text.parse_utc(one["started"])).total_seconds() for one in rows[-1:]]
    return [f"drilled {text.duration(max(age, 0))} ago" for age in ages]


def _drill_overdue(config: Config, rows: list, listing: repository.Listing, now: datetime.datetime) -> list[str]:
    """Whether the last passed drill is too long ago."""
    if rows:
        last = text.parse_utc(rows[-1]["started"])
    else:  # retention lets backups go before a drill is due; the log of the runs goes back further
        oldest = listing.backups[0].head.ended_at if listing.backups else now
        last = min(oldest, records.first_time(config.repository) or oldest)
    age = (now - last).total_seconds()
    if age <= config.drill_max_age * 86400:
        return []
    what = f"the last drill was {text.duration(age)} ago" if rows else "no drill has been run yet"
    return [f"{what}, allowed are {config.drill_max_age} d"]
