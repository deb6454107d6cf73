"""What came of each case: JSON Lines, written as they end, so that a run can be taken up again."""

from __future__ import annotations

import collections
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Iterable


@dataclass(frozen=True)
class Record:
    """One case that was run. ``kind`` is empty when it passed, else what its failure counts as."""

    case: str
    family: str
    group: str
    seed: int
    attempts: int
    expectation: str
    outcome: str
    passed: bool
    kind: str
    seconds: float


class Results:
    """The file of a run. ``header`` says what was run; a file with another header is begun anew."""

    def __init__(self, path: Path, header: dict) -> None:
        self.path = path
        self.header = header
        self.records: dict[str, Record] = {}
        if not self._take_up():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(header) + "\n")

    def add(self, record: Record) -> None:
        """Keep ``record``, on disk too."""
        self.records[record.case] = record
        with open(self.path, "a") as file:
            file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")

    def _take_up(self) -> bool:
        try:
            first, *lines = self.path.read_text().splitlines()
            if json.loads(first) != self.header:
                return False
        except (FileNotFoundError, ValueError):
            return False
        for line in lines:
            try:
                record = Record(**json.loads(line))
            except (ValueError, TypeError):  # the line that a dying run left torn: its case is run again
                continue
            if record.passed:
                self.records[record.case] = record
        return True


def table(records: Iterable[Record]) -> list[tuple]:
    """A row a class: class, cases, passed, silent losses, earlier backups harmed, other findings, seconds."""
    rows: dict = {}
    for one in records:
        row = rows.setdefault(one.group, collections.Counter())
        row["cases"] += 1
        row["passed"] += one.passed
        row["seconds"] += one.seconds
        row["silent"] += one.kind == "silent loss"
        row["harmed"] += one.kind == "earlier backup harmed"
        row["other"] += not one.passed and one.kind not in ("silent loss", "earlier backup harmed")
    names = ("cases", "passed", "silent", "harmed", "other")
    lines = [(group, *(row[name] for name in names), round(row["seconds"])) for group, row in sorted(rows.items())]
    total = [sum(line[place] for line in lines) for place in range(1, 7)]
    return [*lines, ("all", *total)]


def printed(rows: list[tuple]) -> str:
    """The table as Markdown."""
    head = ("class", "cases", "passed", "silent losses", "earlier backups harmed", "other findings", "seconds")
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(str(one) for one in row) + " |" for row in rows])
