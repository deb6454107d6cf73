"""Tests the gauntlet: puts each defect into a copy of the engine and sees which case catches it."""

from __future__ import annotations

import argparse
import datetime
import json
import multiprocessing
import shutil
import time
from pathlib import Path
from typing import Optional

import document
from defects import DEFECTS, Defect
from family import FAMILIES, Case
from installed import ROOT, Engine
from results import Record
from worker import Worker

# So many cases of each of its families a defect is put to.
_CASES = 30
FILE = ROOT / "build" / "gauntlet" / "defects.jsonl"


def run(options: argparse.Namespace, workspace: Path) -> int:
    """Every defect, or the one whose name holds ``--case``; 0 when each was caught."""
    chosen = [one for one in DEFECTS if options.case in one.name]
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text("")
    context = multiprocessing.get_context("fork")
    todo, done = context.Queue(), context.Queue()
    for place, _defect in enumerate(chosen):
        todo.put(place)
    count = max(1, min(options.workers, len(chosen)))
    workers = []
    for number in range(count):
        todo.put(None)
        one = context.Process(target=_serve, args=(workspace / f"mutants{number}", options.seed, chosen, todo, done))
        one.start()
        workers.append(one)
    records, missed, ended = [], [], 0
    while ended < count:
        found = done.get(timeout=3600)
        if found is None:
            ended += 1
            continue
        records.append(found)
        with open(FILE, "a") as file:
            file.write(json.dumps(found, ensure_ascii=False) + "\n")
        if not found["case"]:
            missed.append(found["defect"])
        said = (
            f"caught by {found['case']}: {' '.join(found['outcome'].split())[:140]}" if found["case"] else "NOT CAUGHT"
        )
        print(f"{found['defect']} | {said} | {found['seconds']} s", flush=True)
    for one in workers:
        one.join()
    print(f"\n{len(chosen)} defects, {len(missed)} not caught {missed or ''}")
    if not missed and not options.case:
        order = {one.name: place for place, one in enumerate(DEFECTS)}
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        version = Engine(workspace / "plain").version
        document.record_defects(version, moment, sorted(records, key=lambda one: order[one["defect"]]))
    return 1 if missed else 0


def _serve(directory: Path, seed: str, chosen: list, todo: object, done: object) -> None:
    for place in iter(todo.get, None):
        begun = time.monotonic()
        try:
            caught = _put_to_the_test(chosen[place], directory / str(place), seed)
        except Exception as error:
            caught = None
            print(f"{chosen[place].name}: {type(error).__name__}: {error}", flush=True)
        done.put(
            {
                "defect": chosen[place].name,
                "file": chosen[place].file,
                "case": caught.case if caught else "",
                "kind": caught.kind if caught else "",
                "outcome": caught.outcome if caught else "",
                "seconds": round(time.monotonic() - begun),
            }
        )
        shutil.rmtree(directory / str(place), ignore_errors=True)
    done.put(None)


def _put_to_the_test(defect: Defect, directory: Path, seed: str) -> Optional[Record]:
    """The first case that finds something; a case that merely could not be run does not count."""
    directory.mkdir(parents=True)
    for part in (directory, directory.parent):
        part.chmod(0o755)
    source = defect.plant(directory / "source")
    worker = Worker(directory / "world", Engine(directory / "engine", source))
    try:
        for number in range(_CASES):
            for one in defect.families:
                name, _slash, alone = one.partition("/")
                if number >= (1 if alone else FAMILIES[name].full):
                    continue
                record = worker.run(Case(name, int(alone or number), seed))
                if record.kind not in ("", "unreached", "harness"):
                    return record
    finally:
        worker.close()
    return None
