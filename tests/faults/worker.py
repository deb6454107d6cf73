"""Runs cases in a process of its own, in a world of its own."""

from __future__ import annotations

import os
import signal
import time
import traceback
from pathlib import Path
from typing import Optional

from families.all import FAMILIES
from family import Case
from findings import Finding, Unreached
from installed import Engine
from results import Record
from world import World

ATTEMPTS = 16
CASE_SECONDS = 240
# In a third of the cases of these classes somebody must be told of a run that fails.
WATCHED = ("server", "disk", "row", "snapshot", "offsite", "encrypted")


class Worker:
    """``directory`` is the worker's own; its world is made when a case first needs it."""

    def __init__(self, directory: Path, engine: Engine) -> None:
        self._directory = directory
        self._engine = engine
        self._world: Optional[World] = None
        self._worlds = 0

    def run(self, case: Case) -> Record:
        """One case, drawn again while its fault does not take place."""
        family = FAMILIES[case.family]
        begun = time.monotonic()
        expectation, outcome, kind, attempt = family.about, "", "unreached", 0
        for attempt in range(ATTEMPTS):
            signal.signal(signal.SIGALRM, _too_long)
            signal.alarm(CASE_SECONDS)
            try:
                place = self._prepared(family)
                if family.needs_world:
                    place.watch(family.group in WATCHED and case.seed_of(0) % 3 == 0)
                expectation, outcome = family.run(place, case.random(attempt), case.number)
                kind = ""
                break
            except Unreached as why:
                outcome = f"unreached: {why}"
            except Finding as finding:
                outcome, kind = f"{type(finding).__name__}: {finding}", finding.kind
                break
            except Exception:  # the harness itself: never a pass, and the world may be in any state
                outcome, kind = traceback.format_exc()[-3000:], "harness"
                self.close()
                break
            finally:
                signal.alarm(0)
        if kind and self._world is not None:
            self._evidence(case)
        seconds = round(time.monotonic() - begun, 3)
        seed = case.seed_of(attempt)
        return Record(
            case.id, case.family, family.group, seed, attempt + 1, expectation, outcome, not kind, kind, seconds
        )

    def close(self) -> None:
        """Take the world away."""
        if self._world is not None:
            self._world.remove()
            self._world = None

    def _prepared(self, family: object) -> object:
        if not family.needs_world:
            return self._engine
        if self._world is None:
            self._worlds += 1
            self._world = World(self._directory / f"world{self._worlds}", self._engine).create()
        return self._world

    def _evidence(self, case: Case) -> None:
        """Keep what the failed case left, beside the results."""
        world = self._world
        place = os.environ.get("GAUNTLET_EVIDENCE")
        if not place:
            return
        target = Path(place) / case.id.replace("/", "-")
        target.mkdir(parents=True, exist_ok=True)
        for name, path in (("log", world.log), ("trace", world.scratch / "trace")):
            if path.exists():
                (target / name).write_bytes(path.read_bytes()[-200_000:])
        (target / "printed").write_text("\n----\n".join(world.transcripts)[-100_000:])


def serve(directory: Path, engine: Engine, todo: object, done: object) -> None:
    """Take cases from the queue ``todo`` until None comes; put each record into ``done``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(directory, engine)
    try:
        for case in iter(todo.get, None):
            done.put(worker.run(case))
    finally:
        worker.close()
        done.put(None)


def _too_long(_number: int, _frame: object) -> None:
    raise Finding(f"the case did not end within {CASE_SECONDS} s")
