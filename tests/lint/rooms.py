# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holds the table of rooms in docs/architecture.md to the engine's imports, and draws the diagram beside it.

The table is the rule: every module is in it once, and imports only from its own group and from the groups above. With
--check nothing is written; what disagrees is named and the exit status is 1.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "plugins" / "module_utils" / "mirai_backup"
PAGE = ROOT / "docs" / "architecture.md"
_BEGIN, _END = "<!-- drawn by tests/lint/rooms.py -->\n", "<!-- end of the drawing -->\n"
# What only one room may import, and which.
_RESERVED = {"subprocess": "process", "argparse": "arguments"}
_ALSO = {"argparse": {"cli"}}  # for the type of what was parsed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    groups = table(page)
    sources = {path.stem: path.read_text(encoding="utf-8") for path in ENGINE.glob("*.py") if path.stem != "__init__"}
    imports = {name: rooms_imported(source) for name, source in sources.items()}
    found = disagreements(groups, imports) + trespasses(sources)
    drawn = with_diagram(page, diagram(groups, imports))
    if not options.check:
        PAGE.write_text(drawn, encoding="utf-8")
    elif drawn != page:
        found.append(f"the diagram in {PAGE.relative_to(ROOT)} is not up to date: run tests/lint/rooms.py")
    for one in found:
        sys.stderr.write(f"{one}\n")
    return 1 if found else 0


def table(page: str) -> dict[str, list[str]]:
    """Group → rooms, from the highest group to the lowest, as the table under "The rooms" has them."""
    groups: dict[str, list[str]] = {}
    group = ""
    section = page.split("## The rooms\n", 1)[1].split("\n## ", 1)[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"`(\w+)`", cells[1]) if line.startswith("|") and len(cells) >= 3 else []
        if names:
            group = cells[0] or group
            groups.setdefault(group, []).extend(names)
    return groups


def rooms_imported(source: str) -> set[str]:
    """The rooms that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return {name for name in found if not name.startswith("__")}


def disagreements(groups: dict[str, list[str]], imports: dict[str, set[str]]) -> list[str]:
    """Where table and imports differ: rooms missing or named twice, imports from a group below, and circles."""
    named = [room for rooms in groups.values() for room in rooms]
    found = [f"room {room} is in the engine, but not in the table" for room in sorted(imports.keys() - set(named))]
    found += [f"room {room} is in the table, but not in the engine" for room in sorted(set(named) - imports.keys())]
    found += [
        f"room {room} is in the table twice" for room in sorted({room for room in named if named.count(room) > 1})
    ]
    order = {room: index for index, rooms in enumerate(groups.values()) for room in rooms}
    for room, imported in sorted(imports.items()):
        for other in sorted(imported & order.keys()):
            if room in order and order[other] > order[room]:
                titles = list(groups)
                below, own = titles[order[other]], titles[order[room]]
                found.append(f"room {room} ({own}) imports {other}, which is in a group below it ({below})")
    return found + circles(imports)


def circles(imports: dict[str, set[str]]) -> list[str]:
    """Rooms that import each other, directly or through others."""
    left = {room: imported & imports.keys() for room, imported in imports.items()}
    while True:
        free = {room for room, imported in left.items() if not imported}
        if not free:
            break
        left = {room: imported - free for room, imported in left.items() if room not in free}
    # What only leads to a circle is no part of it.
    while True:
        wanted = set().union(*left.values())
        kept = {room: imported for room, imported in left.items() if room in wanted}
        if kept == left:
            break
        left = kept
    return [f"rooms import each other in a circle: {', '.join(sorted(left))}"] if left else []


def trespasses(sources: dict[str, str]) -> list[str]:
    """Imports that the engine's rules forbid: of what is not the standard library, and of what one room alone may."""
    found = []
    for room, source in sorted(sources.items()):
        for node in ast.walk(ast.parse(source)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            for name in names:
                top = name.split(".")[0]
                if top not in sys.stdlib_module_names:
                    found.append(f"room {room} imports {name}, which is not in the standard library")
                if room not in {_RESERVED.get(top, room)} | _ALSO.get(top, set()):
                    found.append(f"room {room} imports {top}, which only {_RESERVED[top]} may")
    return found


def diagram(groups: dict[str, list[str]], imports: dict[str, set[str]]) -> str:
    """The groups as boxes, an arrow from each to those it builds on; what follows from other arrows is left out."""
    group_of = {room: group for group, rooms in groups.items() for room in rooms}
    uses: dict[str, set[str]] = {group: set() for group in groups}
    for room, imported in imports.items():
        if room in group_of:
            uses[group_of[room]] |= {group_of[other] for other in imported if other in group_of} - {group_of[room]}
    keys = {group: group.replace(" ", "_") for group in groups}
    lines = ["flowchart BT"]
    for group, rooms in groups.items():
        lines.append(f'  {keys[group]}["<b>{group}</b><br>{", ".join(rooms)}"]')  # Mermaid breaks lines by itself
    for group in groups:
        indirect = set().union(*(_reached(uses, other) for other in uses[group]))
        lines += [f"  {keys[group]} --> {keys[other]}" for other in groups if other in uses[group] - indirect]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def _reached(uses: dict[str, set[str]], group: str) -> set[str]:
    """The groups that ``group`` builds on, directly or through others; a table at odds with the imports may circle."""
    reached, waiting = set(), list(uses[group])
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting += uses[one]
    return reached


def with_diagram(page: str, drawing: str) -> str:
    """The page with the drawing between its two marks. Raises ValueError where they are not there."""
    before, rest = page.split(_BEGIN, 1)
    _old, after = rest.split(_END, 1)
    return f"{before}{_BEGIN}{drawing}{_END}{after}"


if __name__ == "__main__":
    sys.exit(main())
