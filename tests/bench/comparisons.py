"""The parts of the page that hold us to other tools, to other histories and to many hosts."""

from __future__ import annotations

import figures
import peers
from charts import Bar
from figures import met

_HONESTLY = """\
Each tool writes its first backup, then one row or file in a hundred changes, and it writes a second. pgBackRest and
pg_basebackup copy the server's files, all of its databases, and restore files: the larger the database, the more they
win by, and an incremental is small. They restore the whole server to one major version only, prove page checksums
and not content, and cannot give back a table. restic and borg store a dump or a tree in pieces that they know again: a
second backup stores only what is new, and of a tree they read only what changed. They know nothing of a snapshot or
of rows; a backup is read with the tool that wrote it, where ours is a file for `gunzip`, `tar` and `pg_restore`, and
every row of its dump is proven.
"""


def sections(found) -> list[str]:
    """Those of the page's sections for which there are measurements."""
    parts = []
    if rows(found):
        parts.append("## Sizes and history\n\n" + table(["figure", "measured", "goal", "met"], rows(found)))
    if found.peers:
        parts.append(
            f"## Beside other tools: the database of {found.peers_of}\n\n{_HONESTLY}\n"
            + _peers(found.peers, peers.DATABASE)
        )
        parts.append(_image("peers", "seconds of the first backup of the database, by tool"))
    if found.file_peers:
        parts.append(f"## Beside other tools: {found.files:,} small files\n\n" + _peers(found.file_peers, peers.FILES))
    if found.setups is not None:
        parts.append("## Many hosts\n\n" + _setups(found.setups))
    return parts


def rows(found) -> list[list[str]]:
    """Sizes, history, and memory over very many files: figure, measured, goal, met."""
    lines = []
    for size, ours in found.sizes.items():
        for name, goal in figures.SIZES.items():
            ratio = ours[name] / ours["gzip -6"]
            lines.append([f"{size}: size with {name} / gzip -6", f"{ratio:.3f}", f"≤ {goal:g}", met(ratio, goal)])
    for what, series in zip(("seconds", "bytes"), found.retained):
        name = f"{what} of a full backup with 20 retained / with none"
        lines.append([name, series.text(), f"≤ {figures.RETAINED:g}", met(series.median, figures.RETAINED)])
    for verb, peak in found.most_peaks.items():
        name = f"MiB of {verb}, {found.most_files:,} files"
        lines.append([name, f"{peak.own:.1f}", f"≤ {figures.MANY_MIB}", met(peak.own, figures.MANY_MIB)])
    return lines


def table(head: list[str], rows_: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows_]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def bars(measured: dict) -> list[Bar]:
    """First backups by tool, for a chart."""
    return [
        Bar(name.replace("\\", ""), row.first.median, ours=name.startswith("mirai")) for name, row in measured.items()
    ]


def _image(name: str, what: str) -> str:
    return f"![{what}](images/benchmarks-{name}.svg)\n"


def _peers(measured: dict, tools: tuple) -> str:
    """The table, and which of ``tools`` are not in it."""
    head = ["tool", "first, s", "second, s", "stored by the first, MB", "added by the second, MB", "restore, s"]
    lines = [
        [
            name,
            row.first.text(),
            row.second.text(),
            f"{row.stored / 1e6:.1f}",
            f"{row.added / 1e6:.1f}",
            row.restore.text() if row.restore is not None else "",
        ]
        for name, row in measured.items()
    ]
    left_out = [one.name for one in tools if one.name not in measured]
    return table(head, lines) + (f"\nNot installed here, so not measured: {', '.join(left_out)}.\n" if left_out else "")


def _setups(one) -> str:
    head = ["`playbooks/setup.yml`, 20 forks, all hosts this machine", "seconds"]
    return table(
        head,
        [
            [f"first run, {one.hosts} hosts, with a first backup of each", f"{one.first:.1f}"],
            [f"second run, {one.hosts} hosts, {one.changed} changes", f"{one.second:.1f}"],
            ["second run, by host", f"{one.second / one.hosts:.2f}"],
            ["second run of one host alone", f"{one.one:.1f}"],
        ],
    )
