# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Watches a run for the operator: heartbeat, hooks, alerts, memory, metrics. What fails there changes no result."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from typing import Callable, Iterator, Optional

from . import alerts, keyring, marks, metrics, repository, runs, secrecy, text
from .config import Config
from .errors import EngineError
from .heartbeat import Heartbeat
from .hooks import Hooks
from .outcome import Outcome
from .runs import Occasion, Run
from .watch import Observer


def run(config: Config, occasion: Occasion, observer: Observer, action: Callable[[Hooks], Outcome]) -> Outcome:
    """Carry out ``action``, which is given the hooks to run; returns its outcome or raises its error.

    In the outcome's document ``watching`` names what those who watch it could not do.
    """
    begun = time.monotonic()
    watchers = _Watchers(config, occasion, observer)
    watchers.begin()
    try:
        outcome = action(watchers.hooks)
    except BaseException as error:
        watchers.end(runs.of_error(occasion, error, time.monotonic() - begun))
        raise
    watchers.end(runs.of_outcome(occasion, outcome, time.monotonic() - begun))
    problems = watchers.problems()
    lines = (*outcome.lines, *(f"  watching: {one}" for one in problems))
    return dataclasses.replace(outcome, document={**outcome.document, "watching": problems}, lines=lines)


def failed(config: Config, occasion: Occasion, observer: Observer, error: EngineError) -> None:
    """Tell of a run that could not even begin."""
    _Watchers(config, occasion, observer).end(runs.of_error(occasion, error, 0))


class _Watchers:
    """Those who are told of one run, and what failed in telling them."""

    def __init__(self, config: Config, occasion: Occasion, observer: Observer) -> None:
        self._config = config
        self._observer = observer
        self._heartbeat = Heartbeat(_heartbeat_url(config, occasion))
        self._failures: list[str] = []
        self.hooks = Hooks(config, occasion, observer)

    def problems(self) -> list[str]:
        """What the hooks and the others could not do."""
        return [*self.hooks.failures, *self._failures]

    def begin(self) -> None:
        """Ping that the run begins."""
        with self._isolated("heartbeat"):
            self._note(self._heartbeat.begin())

    def end(self, ended: Run) -> None:
        """Tell everybody, one after the other; a failure with one keeps nothing from the next."""
        try:
            with self._isolated("heartbeat"):
                summary = f"{ended.title}: {ended.result}" + (f": {ended.cause}" if ended.cause else "")
                self._note(self._heartbeat.end(ended.exit_code, secrecy.clean(self._config, summary)))
            with self._isolated("alerts"):
                self._alert(ended)
            with self._isolated("the memory of runs"):
                if os.path.isdir(self._config.repository):
                    runs.remember(self._config.repository, self._with_problems(ended))
            if self._config.metrics_textfile:
                keys: dict[str, float] = {}
                with self._isolated("the keys"):
                    keys = _expiries(self._config)
                stores: dict[str, Optional[float]] = {}
                with self._isolated("the memory of stores"):
                    stores = _shipped(self._config)
                with self._isolated("metrics"):
                    metrics.write(self._config, stores=stores, keys=keys)
        except KeyboardInterrupt:  # the run itself is over, and keeps its result
            self._note("interrupted before everybody was told")

    def _alert(self, ended: Run) -> None:
        before = runs.last(self._config.repository).get((ended.verb, ended.kind))
        first = alerts.word(self._config, ended, before, bool(self.hooks.failures))
        if not first:
            return
        deliveries = alerts.send(self._config, alerts.message(self._config, self._with_problems(ended), first))
        for one in deliveries:
            self._note(f"alert by {one.name}: {one.failure}" if one.failure else "")
        taken = [one.name for one in deliveries if not one.failure]
        if taken:
            self._observer.say(f"alert {first}: taken by {', '.join(taken)}")
        else:
            self._observer.say(f"alert {first}: no channel took it; see mirai-backup config test-alerts", "WARNING")

    def _with_problems(self, ended: Run) -> Run:
        problems = tuple(secrecy.clean(self._config, one) for one in self.problems())
        return dataclasses.replace(ended, problems=problems)

    @contextlib.contextmanager
    def _isolated(self, what: str) -> Iterator[None]:
        """Whatever goes wrong in the block is kept and ends there: it must not fail a backup that is good."""
        try:
            yield
        except Exception as error:
            why = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
            self._note(f"{what}: {secrecy.clean(self._config, why)}")

    def _note(self, failure: str) -> None:
        if failure:
            self._failures.append(failure)
            self._observer.say(f"watching: {failure}", "WARNING")


def _heartbeat_url(config: Config, occasion: Occasion) -> str:
    urls = {"backup": config.heartbeat_url, "drill": config.drill_heartbeat_url}
    return urls.get(occasion.verb, "")


def _expiries(config: Config) -> dict[str, float]:
    """When the keys that backups need expire, in seconds of the epoch, by fingerprint; those that do."""
    return {one.fingerprint: one.expires for one in keyring.find(config) if one.expires is not None}


def _shipped(config: Config) -> dict[str, Optional[float]]:
    """When the newest backup that each store took ended, in seconds of the epoch; None where a store has none.

    Of one that is not here any more it is when the store took it.
    """
    if not config.offsite:
        return {}
    ended = {one.id: one.head.ended_at for one in repository.listing(config.repository).backups}
    newest: dict[str, Optional[float]] = {}
    for store in config.offsite:
        memory = marks.read(marks.place(config.repository, store.name))
        held = [(mark.sequence, name, mark.time) for name, mark in memory.marks.items() if not mark.gone]
        _sequence, name, taken = max(held, default=(0, "", ""))
        newest[store.name] = (ended.get(name) or text.parse_utc(taken)).timestamp() if held else None
    return newest
