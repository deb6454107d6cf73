"""Puts the tables of the last full run, and of the defects, into docs/reliability.md."""

from __future__ import annotations

import re
from typing import Iterable

import results
from installed import ROOT, Engine
from results import Record

_PATH = ROOT / "docs" / "reliability.md"


def record(engine: Engine, seed: str, moment: str, records: Iterable[Record]) -> None:
    """A full run that passed."""
    head = f"{moment}, version {engine.version} (files {engine.digest}), seed `{seed}`. Seconds are of all workers."
    _replace("last full run", f"{head}\n\n{results.printed(results.table(records))}")


def record_defects(engine_version: str, moment: str, found: list[dict]) -> None:
    """A run of all defects, each of which was caught."""
    lines = ["| defect | module | caught by | as |", "|---|---|---|---|"]
    lines += [f"| {one['defect']} | `{one['file']}` | `{one['case']}` | {one['kind']} |" for one in found]
    _replace("defects", f"{moment}, version {engine_version}.\n\n" + "\n".join(lines))


def _replace(name: str, text: str) -> None:
    """Put ``text`` between the marks of that name."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    old = _PATH.read_text()
    if not pattern.search(old):
        raise RuntimeError(f"{_PATH} has no marks {begin} and {end}")
    _PATH.write_text(pattern.sub(lambda _match: f"{begin}\n{text}\n{end}", old))
