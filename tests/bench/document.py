"""Writes what was measured as a page of Markdown: the ratios first, since they are the product."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

import budget
import comparisons
import figures
from charts import Bar
from comparisons import table
from figures import met
from hosts import Setups
from peaks import Peak
from peers import Row
from series import Series

_INTRODUCTION = """\
# Benchmarks

Written by `make bench`, which measures everything below in one run, on data and a PostgreSQL server of its own. Each
figure is the median of its rounds with the lowest and the highest beside it. A ratio is taken within each round, both
ways one after the other, so ratios count, and seconds are only there to show what they are made of.
"""
_TERMS = """\
- **floor**: `pg_dump -Fc -Z0 > /dev/null`, the work of the server itself. **Floor / guide** is what a ratio to the
  guide would be with a tool that adds nothing. Held up by a compressor, pg_dump finds more waiting for it and sleeps
  less often than before `/dev/null`, so a backup may come out a little below it.
- **bare programs**: the same ratio at the largest size with nothing but the programs in our place: `pg_dump -Fc -Z0 |
  igzip -1` into a file, `tar | igzip -1` into a file, both at once for a full backup; `igzip -d`, `createdb`,
  `pg_restore --jobs=2` for a restore. No digest, no proof, no look at the JSON, no statistics, no Python. A goal that
  they miss cannot be reached on this machine and data; what lies between them and us is the price of the proof.
- **guide**: what the operators' guide does: `pg_dump -Fc` into a file, `gzip` of it, `tar -czf` of the data directory,
  `tar -czf` of all that is kept once more; back with `gunzip`, `createdb`, `pg_restore`. One after the other, as in the
  script, all at their default levels. **As a pipe**, `pg_dump -Fc | gzip` on two cores, is what it could have been.
- **goal**: judged at the largest size, before rounding; at small ones the start of the programs is most of the time.
- **again**, **five backups retained**: our backup after one of the same files, as on any night on which they did not
  change. It reads and digests each, but what is the same to the last byte is not parsed as JSON once more. The other
  ratios to the guide are those of a first backup.
- **peak memory**: of the engine's own Python process, as the kernel counts it (VmHWM); that is what the goals are for.
  The programs it starts (pg_dump, the compressor, psql, pg_restore) are listed apart, the largest of each name.
- Whatever is timed begins with a disk that has all of what was before (`sync`), and a restore without the state before
  it, whose end it would pay for otherwise. Beside other tools, a restore ends with `sync` as well, as ours does itself.
- A drill's damage for its negative control is another one at each run, so its rounds differ more than others.
"""


@dataclass
class Results:
    """Everything that a run measured. Keys are sizes as given, verbs, or names of times."""

    date: str
    machine: list[str]
    busy: str
    repeat: int
    times: dict[str, dict[str, Series]] = field(default_factory=dict)
    peaks: dict[str, dict[str, Peak]] = field(default_factory=dict)
    files: int = 0
    file_times: dict[str, Series] = field(default_factory=dict)
    file_peaks: dict[str, Peak] = field(default_factory=dict)
    start: Series = Series((0.0,))
    backups: int = 0
    manifest_bytes: int = 0
    listing: Series = Series((0.0,))
    listing_peak: float = 0.0
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    retained: tuple[Series, ...] = ()
    peers: dict[str, Row] = field(default_factory=dict)
    peers_of: str = ""
    file_peers: dict[str, Row] = field(default_factory=dict)
    most_files: int = 0
    most_peaks: dict[str, Peak] = field(default_factory=dict)
    setups: Optional[Setups] = None

    @property
    def largest(self) -> dict[str, Series]:
        """The times at the largest size."""
        return list(self.times.values())[-1]


def render(found: Results) -> str:
    """The page."""
    busy = f"\n**{found.busy}**\n" if found.busy else ""
    parts = [_INTRODUCTION + busy]
    chart = "![every figure as a share of its goal](images/benchmarks-goals.svg)\n"
    parts.append("## Ratios\n\n" + _ratios(found) + "\n" + _below_floor(found.largest) + chart)
    parts.append("## Where the processor's time goes\n\n" + _processor(found))
    parts.append("## Peak memory, MiB\n\n" + _memory(found))
    parts += comparisons.sections(found)
    if found.file_peaks:
        parts.append(f"## {found.files:,} small files\n\n" + _files(found))
    parts.append("## What the words mean\n\n" + _TERMS)
    parts.append("## Seconds\n\n" + _seconds(found))
    rounds = f"{found.repeat} rounds" if found.repeat > 1 else "one round"
    machine = [f"Measured {found.date}, {rounds} a size", *found.machine]
    parts.append("## The machine\n\n" + "".join(f"- {one}\n" for one in machine))
    return "\n".join(parts)


def missed(found: Results) -> list[str]:
    """The goals that were not met, a line each."""
    every = (*_ratio_rows(found), *_memory_rows(found), *_file_rows(found), *comparisons.rows(found))
    rows = [(row[0], row[-1]) for row in every]
    return [name for name, verdict in rows if verdict == met(1, 0)]


def _ratios(found: Results) -> str:
    head = ["figure", *found.times, "goal", "met", "bare programs"]
    rows = _ratio_rows(found)
    times = found.largest
    least = [series.text(3) if series else "" for series in (one.least(times) for one in figures.RATIOS)]
    return table(head, [[*row, bare] for row, bare in zip(rows, least + [""] * len(rows))])


def _below_floor(times: dict[str, Series]) -> str:
    """A paragraph for each missed ratio to the guide's dump whose goal is less than the floor itself takes."""
    text, floor, dump = "", times["floor"], "guide database"
    limit = floor.over(times[dump])
    for figure in (one for one in figures.RATIOS if one.theirs == dump and one.goal):
        if min(limit.median, figure.of(times).median) > figure.goal:
            ours, bare = times[figure.mine].over(floor), times[figures.BARE[figure.mine]].over(floor)
            text += (
                f"**{figure.name}** was missed: its goal, {figure.goal:g}, asks for less than the floor, which is "
                f"{limit.text(3)} of the guide on this machine and data. Ours takes {ours.text(3)} of the floor, "
                f"the bare programs {bare.text(3)}.\n\n"
            )
    return text


def _processor(found: Results) -> str:
    """What goals leave, what is needed, what we take."""
    size = list(found.times)[-1]
    rows = [budget.row(one, found.largest, size) for one in figures.RATIOS if one.least(found.largest)]
    if found.file_times:
        rows.append(budget.row(figures.MANY_FILES, found.file_times, f"{found.files:,} files"))
    return f"{budget.MEANING}\n{table(budget.HEAD, rows)}"


def _ratio_rows(found: Results) -> list[list[str]]:
    rows = []
    sizes = list(found.times)
    for figure in figures.RATIOS:
        series = [figure.of(found.times[size]) for size in sizes]
        rows.append(_row(figure.name, [one.text(3) for one in series], series[-1].median, figure.goal))
    over = figures.overhead(found.times[sizes[0]])
    name = f"{sizes[0]}: {figures.OVERHEAD}"
    rows.append(_row(name, _first(over.text(), sizes), over.median, figures.OVERHEAD_SECONDS))
    name = "seconds of `mirai-backup --version`"
    rows.append(_row(name, _first(found.start.text(), sizes), found.start.median, 0.15))
    if found.backups:
        name = f"seconds of `mirai-backup list`, {found.backups:,} backups ({found.manifest_bytes:,} bytes a manifest)"
        rows.append(_row(name, _first(found.listing.text(), sizes), found.listing.median, 1.0))
    return rows


def bars(found: Results) -> list[Bar]:
    """Every figure that has a goal, at the largest size, for a chart."""
    times = found.largest
    return [Bar(one.name, one.of(times).median, one.goal) for one in figures.RATIOS if one.goal is not None]


def _row(name: str, cells: list[str], value: float, goal: Optional[float]) -> list[str]:
    return [name, *cells, "" if goal is None else f"≤ {goal:g}", met(value, goal)]


def _first(cell: str, sizes: list[str]) -> list[str]:
    return [cell] + [""] * (len(sizes) - 1)


def _memory(found: Results) -> str:
    head = ["verb", *found.peaks, "apart", "goal", "met", "children, largest of each"]
    rows = [[*row[:-1], row[-1], _children(found, row[0])] for row in _memory_rows(found)]
    if found.backups:
        rows.append([f"list of {found.backups:,}", f"{found.listing_peak:.1f}", *[""] * (len(head) - 2)])
    return table(head, rows)


def _memory_rows(found: Results) -> list[list[str]]:
    rows = []
    sizes = list(found.peaks)
    for verb in found.peaks[sizes[0]] if sizes else ():
        peaks = [found.peaks[size][verb] for size in sizes]
        goal, apart = figures.memory_goal(verb), figures.flat(peaks)
        shown = "" if apart is None else f"{apart:.1f}"
        highest = max(one.own for one in peaks)
        rows.append([verb, *(f"{one.own:.1f}" for one in peaks), shown, f"≤ {goal}", met(highest, goal)])
    return rows


def _children(found: Results, verb: str) -> str:
    names: dict = {}
    for peaks in found.peaks.values():
        for name, size in peaks[verb].children.items():
            names[name] = max(names.get(name, 0.0), size)
    return ", ".join(f"{name} {size:.0f}" for name, size in sorted(names.items()))


def _files(found: Results) -> str:
    head = ["verb", "peak MiB", "seconds", "goal MiB", "met"]
    text = table(head, _file_rows(found)[:-1])
    ratio = _file_rows(found)[-1]
    least = figures.MANY_FILES.least(found.file_times).text(3)
    again = f"{figures.MANY_AGAIN.name}: {figures.MANY_AGAIN.of(found.file_times).text(3)}"
    verdict = f"{ratio[0]}: {ratio[1]}, goal {ratio[3]}: {ratio[4]}; {again}. Bare programs: {least}.\n"
    return f"{text}\n{verdict}"


def _file_rows(found: Results) -> list[list[str]]:
    if not found.file_peaks:
        return []
    rows = []
    for verb, peak in found.file_peaks.items():
        cells = [f"{peak.own:.1f}", f"{peak.seconds:.2f}"]
        rows.append(_row(verb, cells, peak.own, figures.GZIP_MIB))
    ratio = figures.MANY_FILES.of(found.file_times)
    rows.append(_row(figures.MANY_FILES.name, [ratio.text(3), ""], ratio.median, figures.MANY_FILES.goal))
    return rows


def _seconds(found: Results) -> str:
    names = list(next(iter(found.times.values())))
    rows = [[name, *(times[name].text() for times in found.times.values())] for name in names]
    return table(["what", *found.times], rows)
