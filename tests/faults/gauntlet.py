"""The gauntlet: thousands of faults, each judged by an oracle that shares no code with the engine.

    tests/faults/gauntlet.py [--quick] [--seed S] [--classes kill,call.write] [--workers N]
    tests/faults/gauntlet.py --case kill.backup.calls/17 [--seed S]

A full run is taken up again where it was broken off, as long as engine, gauntlet and seed are the same.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import multiprocessing
import os
import queue
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "integration")]

import document
import mutants
import results
import worker
from family import FAMILIES, Case, cases
from installed import ROOT, SOURCE, Engine

_TOOLS = (
    "strace", "faketime", "psql", "pg_restore", "gunzip", "tar", "zstd", "gpg", "mount", "setpriv", "ssh-keygen",
    "pgbouncer", *(str(ROOT / ".venv" / "bin" / name) for name in ("apprise", "rclone", "ansible-playbook")),
)  # fmt: skip


def main() -> int:
    """Run what was asked for; 0 when every case passed."""
    options = _options()
    if options.list:
        for one in FAMILIES.values():
            print(f"{one.name:28} {one.full:5} {one.quick:4}  {one.about}")
        print(
            f"{'all':28} {sum(one.full for one in FAMILIES.values()):5} {sum(one.quick for one in FAMILIES.values()):4}"
        )
        return 0
    _needs()
    # Ended from outside, it still takes its servers and file systems away.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    workspace = Path(tempfile.mkdtemp(prefix="mirai-gauntlet-"))
    workspace.chmod(0o755)
    try:
        return mutants.run(options, workspace) if options.defects else _run(options, workspace)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _run(options: argparse.Namespace, workspace: Path) -> int:
    engine = Engine(workspace / "engine", Path(options.source))
    chosen = _chosen(options)
    header = {"engine": engine.digest, "version": engine.version, "seed": options.seed, "quick": options.quick}
    header["gauntlet"] = _own_digest()
    kept = results.Results(Path(options.results), header)
    os.environ["GAUNTLET_EVIDENCE"] = str(kept.path.with_suffix(".evidence"))
    if options.case or options.quick:
        kept.records = {}
    todo = [case for case in chosen if case.id not in kept.records]
    print(
        f"gauntlet: engine {engine.version} ({engine.digest}), seed {options.seed}, {len(chosen)} cases,"
        f" {len(chosen) - len(todo)} of them done before, {options.workers} workers",
        flush=True,
    )
    begun = time.monotonic()
    _drive(options, workspace, engine, todo, kept)
    ran = [kept.records[case.id] for case in chosen if case.id in kept.records]
    failed = [one for one in ran if not one.passed]
    missing = len(chosen) - len(ran)
    print("\n" + results.printed(results.table(ran)))
    moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    print(f"\n{moment}: {len(ran)} cases, {len(failed)} failed, {missing} not run, {time.monotonic() - begun:.0f} s")
    for one in failed:
        print(
            f"FAILED {one.case} seed {one.seed} ({one.kind})\n  expected: {one.expectation}\n  outcome:  {one.outcome}"
        )
    passed = bool(ran) and not failed and not missing
    if passed and not (options.quick or options.case or options.classes or options.first):
        document.record(engine, options.seed, moment, ran)
    return 0 if passed else 1


def _drive(
    options: argparse.Namespace, workspace: Path, engine: Engine, todo: list[Case], kept: results.Results
) -> None:
    """Hand the cases to the workers and keep what they say, with a line of progress for each."""
    context = multiprocessing.get_context("fork")
    waiting, done = context.Queue(), context.Queue()
    for case in todo:
        waiting.put(case)
    count = max(1, min(options.workers, len(todo)))
    workers = []
    for number in range(count):
        waiting.put(None)
        one = context.Process(target=worker.serve, args=(workspace / f"worker{number}", engine, waiting, done))
        one.start()
        workers.append(one)
    try:
        _collect(todo, kept, done, count)
    except BaseException:
        waiting.cancel_join_thread()
        for one in workers:
            one.terminate()
        raise
    finally:
        for one in workers:
            one.join()


def _collect(todo: list[Case], kept: results.Results, done: object, count: int) -> None:
    begun, ended, number = time.monotonic(), 0, 0
    while ended < count:
        try:
            record = done.get(timeout=worker.CASE_SECONDS + 120)
        except queue.Empty as error:
            raise RuntimeError("no worker answers any more") from error
        if record is None:
            ended += 1
            continue
        number += 1
        kept.add(record)
        left = (time.monotonic() - begun) / number * (len(todo) - number)
        mark = "ok  " if record.passed else "FAIL"
        line = (
            f"[{number}/{len(todo)}, {left:.0f} s left] {mark} {record.case} seed {record.seed} {record.seconds:.1f} s"
        )
        print(f"{line} | {record.expectation} | {' '.join(record.outcome.split())[:160]}", flush=True)


def _own_digest() -> str:
    """Names exactly these cases: results of other ones are not taken up."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".sql", ".patch"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _chosen(options: argparse.Namespace) -> list[Case]:
    if options.case:
        name, _slash, number = options.case.partition("/")
        return [Case(name, int(number), options.seed)]
    wanted = options.classes.split(",") if options.classes else None
    chosen = cases(options.seed, options.quick, wanted)
    return chosen[: options.first] if options.first else chosen


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    environment = os.environ
    parser.add_argument("--quick", action="store_true", default=environment.get("GAUNTLET") == "quick")
    parser.add_argument("--seed", default=environment.get("GAUNTLET_SEED", "1"))
    parser.add_argument(
        "--classes", default=environment.get("GAUNTLET_CLASSES", ""), help="families or classes, by comma"
    )
    parser.add_argument("--workers", type=int, default=int(environment.get("GAUNTLET_WORKERS", os.cpu_count() or 1)))
    parser.add_argument("--results", default="")
    parser.add_argument("--case", default="", help="one case alone, such as kill.backup.calls/17")
    parser.add_argument("--first", type=int, default=0, help="only the first so many")
    parser.add_argument("--source", default=str(SOURCE), help=argparse.SUPPRESS)
    parser.add_argument("--defects", action="store_true", help="put defects into the engine, each must be caught")
    parser.add_argument("--list", action="store_true", help="list the families with their counts")
    options = parser.parse_args()
    kind = "case" if options.case else "quick" if options.quick else "full"
    options.results = options.results or str(ROOT / "build" / "gauntlet" / f"{kind}-{options.seed}.jsonl")
    return options


def _needs() -> None:
    """Refuse to begin where a class could not be run: a skipped case would be no pass."""
    missing = [name for name in _TOOLS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if missing or os.geteuid() != 0:
        sys.exit(
            f"the gauntlet needs root and {', '.join(missing) or 'nothing more'}; tests/bootstrap.sh installs tools"
        )


if __name__ == "__main__":
    sys.exit(main())
