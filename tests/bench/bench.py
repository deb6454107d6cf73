"""Measure the engine side by side with bare pg_dump and with the operators' guide, and write docs/benchmarks.md.

    python3 tests/bench/bench.py [--sizes 20M,200M,2G] [--memory-sizes …] [--files 100000] [--repeat 3]

A size is that of the database's SQL and, once more, of the data directory. Everything that is made lies below one
temporary directory and is gone afterwards; some ten times the largest size has to be free there.
"""

from __future__ import annotations

import argparse
import datetime
import os
import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(ROOT / path) for path in ("tests/integration", "tests/fixtures", "plugins/module_utils")]

import charts
import comparisons
import document
import footprints
import history
import hosts
import machine
import peers
import rounds
from document import Results
from generate import size_of
from peaks import CommandFailed, merged
from series import Series
from server import Server
from subject import Subject


def main(argv: "list[str] | None" = None) -> int:
    """Measure, write, say which goals were missed; 1 when something that was to be measured failed.

    Interrupted, it writes what was measured until then.
    """
    options = _options(argv)
    with tempfile.TemporaryDirectory(prefix="mirai-bench-", dir=options.scratch) as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # the server's account passes through
        server = Server(scratch / "pg").create()
        try:
            found = Results(
                f"{datetime.date.today():%Y-%m-%d}", machine.lines(server.bindir), machine.busy(), options.repeat
            )
            _measure(options, scratch, server, found)
        except KeyboardInterrupt:
            _say("bench: interrupted; the page has what was measured until now")
        except CommandFailed as error:
            _say(f"bench: {error}")
            return 1
        finally:
            server.remove()
    page = document.render(found)
    options.output.write_text(page, encoding="utf-8")
    _draw(options.output.parent / "images", found)
    print(page)
    for one in document.missed(found):
        _say(f"goal missed: {one}")
    return 0


def _options(argv: "list[str] | None") -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--sizes", type=_sizes, default="20M,200M,2G", help="to time (default: %(default)s)")
    parser.add_argument("--memory-sizes", type=_sizes, help="to watch the memory at (default: as --sizes)")
    parser.add_argument("--files", type=int, default=100_000, help="small files; 0: none (default: %(default)s)")
    parser.add_argument("--backups", type=int, default=10_000, help="for list; 0: none (default: %(default)s)")
    parser.add_argument("--most-files", type=int, default=1_000_000, help="for memory; 0: none (default: %(default)s)")
    parser.add_argument("--peers", default="200M", help="size to hold other tools to; 0: none (default: %(default)s)")
    parser.add_argument("--hosts", type=int, default=100, help="to set up; 0: none (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="rounds (default: %(default)s)")
    parser.add_argument("--scratch", type=Path, help="where to make it all (default: the system's place)")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md", help="default: %(default)s")
    options = parser.parse_args(argv)
    if not options.output.parent.is_dir():
        parser.error(f"--output: {options.output.parent} is no directory; make it")
    options.memory_sizes = options.memory_sizes or options.sizes
    return options


def _sizes(text: str) -> list[str]:
    """``20M,2G`` as a list; raises ArgumentTypeError for what is no size."""
    names = text.split(",")
    for one in names:
        size_of(one)
    return names


def _measure(options: argparse.Namespace, scratch: Path, server: Server, found: Results) -> None:
    """Fill ``found`` in; what is only watched for its memory comes last, since it takes longest."""
    for number, size in enumerate(dict.fromkeys(options.sizes)):
        subject = _subject(scratch, server, size)
        if number == 0:
            found.start = rounds.starts(subject, options.repeat)
        found.times[size] = rounds.sized(subject, options.repeat, _say)
        if size in options.memory_sizes:
            _footprint(subject, size, found)
        if number == 0:
            found.retained = rounds.retained(subject, options.repeat, _say)
            if options.backups:
                _list(subject, options, found)
        if size == options.peers:
            _say(f"{size}: other tools")
            found.peers, found.peers_of = peers.database(subject, options.repeat, _say), size
        subject.remove()
    if options.files:
        _many_files(options, scratch, server, found)
    if options.most_files:
        _most_files(options, scratch, server, found)
    if options.hosts:
        _say(f"{options.hosts} hosts: setting them up twice")
        subject = Subject(scratch / "many", server, "benchmany").generate(0, size_of("100K"))
        found.setups = hosts.setups(subject, options.hosts)
        subject.remove()
    for size in dict.fromkeys(one for one in options.memory_sizes if one not in options.sizes):
        subject = _subject(scratch, server, size)
        _footprint(subject, size, found)
        subject.remove()


def _subject(scratch: Path, server: Server, size: str) -> Subject:
    _say(f"{size}: making the data")
    return Subject(scratch / f"app{size}", server, f"bench{size.lower()}").generate(size_of(size), size_of(size))


def _footprint(subject: Subject, size: str, found: Results) -> None:
    found.peaks[size] = footprints.sized(subject, _say)
    found.sizes[size] = rounds.sizes(subject, _say)


def _draw(directory: Path, found: Results) -> None:
    """The charts beside the page."""
    directory.mkdir(exist_ok=True)
    goals = charts.draw("Every figure as a share of its goal (the line)", document.bars(found))
    (directory / "benchmarks-goals.svg").write_text(goals, encoding="utf-8")
    if found.peers:
        chart = charts.draw("Seconds of the first backup of the database", comparisons.bars(found.peers), " s")
        (directory / "benchmarks-peers.svg").write_text(chart, encoding="utf-8")


def _list(subject: Subject, options: argparse.Namespace, found: Results) -> None:
    _say(f"list of {options.backups} backups")
    subject.forget()
    subject.timed("backup", "--db-only")
    history.fill(subject, options.backups - 1)
    found.backups, found.manifest_bytes = options.backups, history.head_bytes(subject)
    found.listing = Series(tuple(subject.timed("list") for _number in range(options.repeat)))
    found.listing_peak = subject.watched("list").own


def _many_files(options: argparse.Namespace, scratch: Path, server: Server, found: Results) -> None:
    _say(f"{options.files} small files: making them")
    subject = Subject(scratch / "files", server, "benchfiles").generate(0, size_of("1M"), options.files)
    found.files, found.file_times = options.files, rounds.many_files(subject, options.repeat, _say)
    runs = [footprints.many_files(subject, _say) for _number in range(options.repeat)]
    found.file_peaks = {verb: merged([run[verb] for run in runs]) for verb in runs[0]}
    if options.peers != "0":
        found.file_peers = peers.files(subject, options.repeat, _say)
    subject.remove()


def _most_files(options: argparse.Namespace, scratch: Path, server: Server, found: Results) -> None:
    _say(f"{options.most_files} tiny files: making them")
    subject = Subject(scratch / "most", server, "benchmost").generate(0, size_of("100K"))
    for number in range(options.most_files):
        if number % 1000 == 0:
            directory = os.path.join(subject.data, "most", f"{number // 1000:06d}")
            os.makedirs(directory)
        with open(os.path.join(directory, f"entry_{number:09d}.json"), "wb", buffering=0) as file:
            file.write(b'{"id": %d}\n' % number)
    found.most_files, found.most_peaks = options.most_files, footprints.most_files(subject, _say)
    subject.remove()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    for one in (signal.SIGINT, signal.SIGTERM):  # a shell's background job would ignore the first
        signal.signal(one, signal.default_int_handler)
    sys.exit(main())
