# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holds the tests to their coverage: the pure rooms to every branch by unit tests alone, the engine to 95 % by unit
and integration tests together. What ran is in build/coverage, put there by ``make unit`` and ``make integration``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "plugins" / "module_utils" / "mirai_backup"
WHOLE = 95.0
# The rooms that are given values and return values, and touch nothing else.
PURE = (
    "alert_words", "arguments", "config_checks", "dburl", "drill_findings", "drill_history", "entries", "errors",
    "jsoncheck", "junit", "outcome", "redact", "report", "report_charts", "report_checks", "report_html",
    "report_phrases", "report_style", "report_tables", "report_times", "report_verdict", "report_words_en",
    "report_words_ja", "retention", "selector", "text", "xmltext", "config", "envfile", "manifest",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "coverage", help="where the measured runs lie")
    parser.add_argument("--missing", action="store_true", help="name the lines and branches that did not run")
    options = parser.parse_args()
    unknown = [name for name in PURE if not (ENGINE / f"{name}.py").exists()]
    problems = [f"{name} is no module of the engine" for name in unknown]
    unit = _report(options.data, "unit*")
    for name in PURE:
        if name in unknown:
            continue
        found = unit.get(name)
        if found is None or found["percent"] < 100:
            problems.append(f"pure room {name}: {found['percent'] if found else 0:.1f} % of its branches by unit tests")
            if options.missing and found:
                problems.append(f"  lines {found['lines']}, branches {found['branches']}")
    everything = _report(options.data, "*")
    statements = sum(one["all"] for one in everything.values())
    whole = 100 * sum(one["ran"] for one in everything.values()) / statements
    if whole < WHOLE:
        problems.append(f"the engine: {whole:.1f} % instead of {WHOLE:g} %")
    if options.missing:
        for name, one in sorted(everything.items(), key=lambda pair: pair[1]["ran"] - pair[1]["all"]):
            if one["percent"] < 100:
                problems.append(f"  {name}: {one['percent']:.1f} %, lines {one['lines'][:40]}")
    print(f"coverage: the engine {whole:.1f} %, {len(PURE)} pure rooms, {len(problems)} problems")
    for one in problems:
        print(f"  {one}")
    return 1 if problems else 0


def _report(directory: Path, pattern: str) -> dict:
    """Per module of the engine, what ran of all statements and branches, over the runs that match ``pattern``."""
    runs = [str(path) for path in sorted(directory.glob(pattern)) if not path.name.endswith(".json")]
    if not runs:
        sys.exit(f"nothing was measured in {directory}: run make unit integration first")
    with tempfile.TemporaryDirectory() as scratch:
        data, result = Path(scratch) / "all", Path(scratch) / "report.json"
        common = [sys.executable, "-m", "coverage"]
        settings = [f"--rcfile={ROOT / 'pyproject.toml'}", f"--data-file={data}"]
        _call(*common, "combine", "--keep", "--quiet", *settings, *runs)
        _call(*common, "json", "--quiet", *settings, "-o", str(result))
        files = json.loads(result.read_text())["files"]
    found = {}
    for path, one in files.items():
        summary = one["summary"]
        found[Path(path).stem] = {
            "all": summary["num_statements"] + summary["num_branches"],
            "ran": summary["covered_lines"] + summary["covered_branches"],
            "percent": summary["percent_covered"],
            "lines": one["missing_lines"],
            "branches": one["missing_branches"],
        }
    return found


def _call(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{' '.join(argv[2:5])}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
