# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the shell completions and the manual page of mirai-backup from its argument parser.

They lie in roles/mirai_backup/files/. With --check nothing is written; what is not up to date is named and the exit
status is 1.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "roles" / "mirai_backup" / "files"
sys.path.insert(0, str(ROOT / "plugins" / "module_utils"))

import completions
import manual_page
from mirai_backup import arguments, config


@dataclass(frozen=True)
class Option:
    """An option or, where it has no ``names``, an argument. ``value`` is its metavar, empty for a flag."""

    names: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    help: str
    repeatable: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Verb:
    """A verb with its one line, its options and its arguments."""

    name: str
    help: str
    description: str
    options: tuple[Option, ...]

    @property
    def flags(self) -> tuple[Option, ...]:
        """What begins with dashes."""
        return tuple(one for one in self.options if one.names)

    @property
    def arguments(self) -> tuple[Option, ...]:
        """What does not."""
        return tuple(one for one in self.options if not one.names)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    options = parser.parse_args()
    stale = []
    for name, content in rendered().items():
        path = FILES / name
        if not options.check:
            path.write_text(content, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(path.relative_to(ROOT))
    for path in stale:
        sys.stderr.write(f"{path} is not up to date: run tests/lint/command_line.py\n")
    return 1 if stale else 0


def rendered() -> dict[str, str]:
    """File name → content."""
    root = arguments.parser(config.DEFAULT_PATH)
    common = tuple(_option(action) for action in root._actions if not isinstance(action, argparse._SubParsersAction))
    verbs = tuple(_verbs(root))
    return {
        "mirai-backup.bash": completions.bash(common, verbs),
        "_mirai-backup": completions.zsh(common, verbs),
        "mirai-backup.fish": completions.fish(common, verbs),
        "mirai-backup.1": manual_page.page(root, common, verbs),
    }


def _verbs(root: argparse.ArgumentParser) -> "list[Verb]":
    (action,) = [one for one in root._actions if isinstance(one, argparse._SubParsersAction)]
    summaries = {one.dest: one.help for one in action._choices_actions}
    return [
        Verb(name, summaries[name], " ".join(verb.description.split()), tuple(map(_option, verb._actions)))
        for name, verb in action.choices.items()
    ]


def _option(action: argparse.Action) -> Option:
    takes_value = action.nargs != 0
    return Option(
        names=tuple(action.option_strings),
        value=(action.metavar or action.dest.upper()) if takes_value else "",
        choices=tuple(map(str, action.choices or ())),
        help=(action.help or "").replace("%(default)s", str(action.default)),
        repeatable=isinstance(action, argparse._AppendAction),
        optional=action.nargs == "?",
    )


if __name__ == "__main__":
    sys.exit(main())
