# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/errors.md: every error that the engine, the role and the playbooks can end with, read off their source.

With --check nothing is written; a difference is named and the exit status is 1.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "plugins" / "module_utils" / "mirai_backup"
EDGE = ENGINE.parent / "ansible_edge.py"
PAGE = ROOT / "docs" / "errors.md"
HEAD = """\
# Every error of `mirai-backup`

Made of the engine's source by `tests/lint/errors.py`. A `…` stands for the object: a path, a name, a number, or what
another program said. The first line of an error says what failed and on which object, the second what to do next; both
are printed, logged and sent. Codes are explained in [architecture.md](architecture.md#exit-codes), the frequent ones in
[troubleshooting.md](troubleshooting.md).

| code | error | next step |
|---|---|---|
"""
PLAYS = """
## What the role and the playbooks check themselves

The modules of this collection fail with the errors above; these come from tasks around them, in the file that is named.

| where | error, and what to do |
|---|---|
"""


class Found(NamedTuple):
    """One error: its exit code, message and next step, placeholders as ``…``."""

    code: int
    message: str
    step: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    options = parser.parse_args()
    page = rendered(sorted(set(everywhere())), sorted(set(checks())))
    if not options.check:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        print(f"{PAGE.relative_to(ROOT)} is not up to date: run tests/lint/errors.py", file=sys.stderr)
        return 1
    return 0


def everywhere() -> Iterator[Found]:
    """Every error that a room of the engine makes, or its edge to Ansible."""
    classes = _classes()
    for path in [*sorted(ENGINE.glob("*.py")), EDGE]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in classes and node.args:
                kind = classes[_name(node.func)]
                message, *rest = [_text(one) for one in node.args]
                if message.strip("…: "):
                    yield Found(kind.exit_code, message, rest[0] if rest else kind.usual_step)


def checks() -> Iterator[tuple[str, str]]:
    """Every check of the role and the playbooks: its file, and what it says when it fails."""
    for path in [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/**/*.yml")]:
        for message in _fail_messages(yaml.safe_load(path.read_text(encoding="utf-8"))):
            text = re.sub(r"{{.*?}}", "…", message, flags=re.DOTALL).strip()
            if text.strip("…: "):
                yield str(path.relative_to(ROOT)), text


def rendered(found: list[Found], checked: list[tuple[str, str]]) -> str:
    """The page."""
    rows = (f"| {one.code} | {_cell(one.message)} | {_cell(one.step)} |\n" for one in found)
    plays = (f"| `{where}` | {_cell(message)} |\n" for where, message in checked)
    return HEAD + "".join(rows) + PLAYS + "".join(plays)


def _fail_messages(node: object) -> Iterator[str]:
    """The ``fail_msg`` of every assertion in tasks or plays."""
    if isinstance(node, dict):
        if isinstance(node.get("fail_msg"), str):
            yield node["fail_msg"]
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from _fail_messages(one)


def _classes() -> dict[str, type]:
    """The classes of errors.py by name."""
    sys.path.insert(0, str(ENGINE.parent))
    from mirai_backup import errors

    return {
        name: one for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, errors.EngineError)
    }


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _text(node: ast.expr) -> str:
    """The text that an expression gives, as far as it stands in the source."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(one) for one in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.IfExp):
        return " or ".join(filter(None, (_text(node.body), _text(node.orelse))))
    return "…"


def _cell(content: str) -> str:
    return re.sub(r"(…\W?)(?:…)+", r"\1", content).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main())
