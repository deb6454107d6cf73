# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holds the unit tests to their coverage: every branch of the pure rooms, 95 % of the whole engine.

Counted are statements and branches, in every Python that the tests start. What ran is in build/coverage, put there by
``make unit``.
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
# The rooms that are given values and return values. Three of them read one file besides, or write one.
PURE = (
    "arguments", "config_checks", "dburl", "drill_choice", "drill_findings", "drill_history", "entries", "errors",
    "fleet", "fleet_page", "fleet_words_en", "fleet_words_ja", "jsoncheck", "junit", "manual", "outcome", "redact",
    "report", "report_charts", "report_checks", "report_html", "report_phrases", "report_shell", "report_style",
    "report_tables", "report_times", "report_verdict", "report_words_en", "report_words_ja", "retention", "selector",
    "summary", "text", "validators", "xmltext", "config", "envfile", "manifest",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "coverage", help="where the measured run lies")
    parser.add_argument("--rooms", action="store_true", help="list every room with what of it did not run")
    options = parser.parse_args()
    rooms = _measured(options.data)
    problems = [f"{name} is no room of the engine" for name in PURE if not (ENGINE / f"{name}.py").exists()]
    problems += [f"pure room {rooms[name]['words']}" for name in PURE if name in rooms and rooms[name]["open"]]
    unseen = sorted({path.stem for path in ENGINE.glob("*.py")} - set(rooms))
    problems += [f"{name} was not measured" for name in unseen]
    whole = 100 * (1 - sum(one["open"] for one in rooms.values()) / sum(one["all"] for one in rooms.values()))
    if whole < WHOLE:
        problems.append(f"the engine is covered to {whole:.1f} % instead of {WHOLE:g} %; most is open in:")
        problems += [f"  {one['words']}" for one in _by_open(rooms)[:20]]
    print(f"coverage: {whole:.1f} % of the engine, {len(PURE)} pure rooms, {len(problems)} problems")
    for line in problems + ([one["words"] for one in _by_open(rooms)] if options.rooms else []):
        print(f"  {line}")
    return 1 if problems else 0


def _by_open(rooms: dict) -> list:
    return sorted((one for one in rooms.values()), key=lambda one: -one["open"])


def _measured(directory: Path) -> dict:
    """Per room how many statements and branches there are and how many are open, and that in words."""
    runs = [str(path) for path in sorted(directory.glob("unit*"))]
    if not runs:
        sys.exit(f"nothing was measured in {directory}: run make unit")
    with tempfile.TemporaryDirectory() as scratch:
        data, result = Path(scratch) / "all", Path(scratch) / "report.json"
        settings = [f"--rcfile={ROOT / 'pyproject.toml'}", f"--data-file={data}"]
        _coverage("combine", "--keep", "--quiet", *settings, *runs)
        # Copies that tests install elsewhere are not counted.
        _coverage("json", "--quiet", f"--include={ENGINE}/*", *settings, "-o", str(result))
        files = json.loads(result.read_text())["files"]
    rooms = {}
    for path, one in files.items():
        counts = one["summary"]
        all_ = counts["num_statements"] + counts["num_branches"]
        open_ = all_ - counts["covered_lines"] - counts["covered_branches"]
        words = f"{Path(path).stem}: {100 * (1 - open_ / (all_ or 1)):.1f} %"
        words += f", lines {one['missing_lines']}" if one["missing_lines"] else ""
        jumps = [pair for pair in one["missing_branches"] if not set(map(abs, pair)) & set(one["missing_lines"])]
        words += f", branches {jumps}" if jumps else ""
        rooms[Path(path).stem] = {"all": all_, "open": open_, "words": words}
    return rooms


def _coverage(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coverage", *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        sys.exit(f"coverage {arguments[0]}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
