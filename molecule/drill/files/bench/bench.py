"""Tries the drill out: on sabotaged backups, which it must fail, and on healthy odd ones, which it must pass.

Usage: bench.py start | stop | sabotage KIND | healthy VARIANT | all

``sabotage`` and ``healthy`` print one JSON document: exit, verdict, differences, checks, names (the pattern
of the place that has to be named). ``all`` starts, runs every case, stops, and prints the documents by kind and name.
Runs as root on a host with the command and a PostgreSQL server's programs.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import healthy
import index_files
import place
import sabotage
from sealed import Sealed

HERE = Path(__file__).parent
INDEX_CORRUPTED = "index_corrupted_in_the_files"
SABOTAGES = (*sabotage.KINDS, INDEX_CORRUPTED)
VARIANTS = tuple(healthy.VARIANTS)


def start() -> None:
    """The server, and an application with two good backups for the saboteurs."""
    place.start()
    app = place.Application("base").create((HERE / "base.sql").read_text())
    (app.data / "sub").mkdir()
    (app.data / "knowledge.json").write_text('[{"id": 1, "title": "橋梁点検"}]')
    (app.data / "experts.json").write_text('[{"id": 1, "name": "山田"}]')
    (app.data / "sub/notes.json").write_text("[]")
    (app.data / "latest.json").symlink_to("knowledge.json")
    app.backup()
    place.psql(
        "INSERT INTO audit.log VALUES ('2026-06-01', 'late'); DELETE FROM audit.log WHERE what = 'late'", app.database
    )
    app.backup()


def run_sabotage(name: str) -> dict:
    """Damage a copy of the good backups and drill it."""
    if name == INDEX_CORRUPTED:
        return run_index_corrupted()
    base, app = place.Application("base"), place.Application(f"sabotage-{name}", "bench base")
    app.configure()
    shutil.copytree(base.repository, app.repository, symlinks=True)
    backup = Sealed(app.repository)
    damage, names = sabotage.KINDS[name]
    damage(backup, app.repository)
    status, document = app.run("drill", backup.id)
    shutil.rmtree(app.path)
    return report(status, document, names)


def run_index_corrupted() -> dict:
    """Corrupt an index behind the back of a running drill."""
    app = place.Application(INDEX_CORRUPTED)
    app.create((HERE / "base.sql").read_text() + index_files.SLOW, drill_url=place.url("postgres"))
    status, document = index_files.drill(app, app.backup())
    app.remove()
    return report(status, document, index_files.NAMES)


def run_healthy(name: str) -> dict:
    """Make an application of the variant, back it up and drill that."""
    variant = healthy.VARIANTS[name]
    app = place.Application(f"healthy-{name}")
    app.create(variant.sql, variant.superuser_sql, variant.options, **variant.settings)
    variant.files(app.data)
    backup = app.backup(*variant.flags)
    status, document = app.run("drill", backup)
    app.remove()
    return report(status, document, "")


def run_all() -> dict:
    """Every case, as many at once as there are processors; one that cannot be run reports the error instead."""
    start()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        cases = {
            kind: {name: pool.submit(attempted, run, name) for name in names}
            for kind, run, names in (("sabotage", run_sabotage, SABOTAGES), ("healthy", run_healthy, VARIANTS))
        }
        documents = {kind: {name: one.result() for name, one in found.items()} for kind, found in cases.items()}
    place.stop()
    return documents


def attempted(run: Callable[[str], dict], name: str) -> dict:
    try:
        return run(name)
    except Exception as error:
        return {"exit": None, "verdict": None, "differences": [f"{type(error).__name__}: {error}"], "checks": {}}


def report(status: int, document: dict, names: str) -> dict:
    return {
        "exit": status,
        "verdict": document.get("verdict"),
        "differences": document.get("differences", [document.get("error", "")]),
        "checks": {one["name"]: f"{one['verdict']} {one['detail']}" for one in document.get("checks", ())},
        "compared": {one["name"]: one["compared"] for one in document.get("checks", ())},
        "names": names,
    }


def main() -> int:
    verbs = {
        "start": start,
        "stop": place.stop,
        "sabotage": run_sabotage,
        "healthy": run_healthy,
        "all": run_all,
    }
    result = verbs[sys.argv[1]](*sys.argv[2:])
    if result is not None:
        print(json.dumps(result, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
