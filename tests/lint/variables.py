# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/variables.md from the role's argument_specs.yml, and holds defaults/main.yml and the engine to it.

The Japanese page is written by hand; it is held to the same variables, types, defaults and values.
With --check nothing is written; a difference, or a disagreement, is named and the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "mirai_backup"
PAGE = ROOT / "docs" / "variables.md"
JAPANESE = ROOT / "docs" / "ja" / "variables.md"
PREFIX = "mirai_backup_"
_PIPE = r"\|"
_BAR = re.compile(r"(?<!\\)\|")  # between two cells, and not in one
_WORDS = {"empty": "空", "all": "すべて"}  # what the cells before the meaning hold beside names, types and values
HEAD = """\
# Variables of the role `mirai.backup.mirai_backup`

Made of `roles/mirai_backup/meta/argument_specs.yml` by `tests/lint/variables.py`; change it there.
Those marked ⚙ are also keys of `/etc/mirai-backup/config.json`, without `mirai_backup_` before them.
日本語: [ja/variables.md](ja/variables.md)

| variable | type | default | meaning |
|---|---|---|---|
"""
TAIL = """
## Variables of the playbooks

| variable | playbook | meaning |
|---|---|---|
| `target` | all | the hosts, by default the group `mirai` |
| `mirai_backup_become` | all | whether to become root, by default `true`; `false` for a set-up without root |
| `kind` | backup | `full` (default), `database` or `json` |
| `backup` | restore | which backup: `latest`, `oldest`, `latest-verified`, an ID, a timestamp or a path; required |
| `components` | restore | `full` (default), `database` or `json` |
| `to_database`, `to_dir` | restore | restore under another name or directory, and leave what is live alone |
| `table`, `file` | restore | single tables or files, with commas; they are laid beside what is live |
| `confirm` | restore | `<id>@<host>`, where a refusal asks for it |
| `status_reports` | status | where the report is written, by default `status_reports` where the play is started |
| `status_max_age` | status | how old the newest backup of each half may be, by default `26h` |
| `status_language` | status | `en` (default) or `ja`: the language that the page opens in |
| `status_fail` | status | `true` (default): fail unless all are ok; `problem`: let warnings pass; `false`: never |
| `gpg_key`, `gpg_key_passphrase_file` | restore, restore_test | files with the private key and its passphrase |
| `accept_unsigned` | restore, restore_test | whether to use a backup from before its manifest was signed |
| `backup` | restore_test | which backup is drilled; `latest` unless told |
| `drill_source` | restore_test | servers whose backups a drill host takes, with commas; all of `mirai` unless told |
| `drill_reports` | restore_test | where the reports go on the controller, by server; `./drill_reports` unless told |
| `offsite` | restore, restore_test | `true` takes the backup from a store; the host needs none of its own |
| `store` | restore, restore_test | which store; by default the first that answers and has the backup |
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    options = parser.parse_args()
    specs = _load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = _load(ROLE / "defaults" / "main.yml")
    engine = _engine_defaults()
    keys = set(engine)
    problems = disagreements(specs, defaults) + unknown_to_role(keys, specs) + other_defaults(engine, defaults)
    page = rendered(specs, keys)
    if not options.check:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        problems.append(f"{PAGE.relative_to(ROOT)} is not up to date: run tests/lint/variables.py")
    problems += [f"{JAPANESE.relative_to(ROOT)} {one}" for one in untranslated(page, JAPANESE.read_text("utf-8"))]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def disagreements(specs: dict, defaults: dict) -> list[str]:
    """Where argument_specs and defaults differ in names, order or default values."""
    problems = [f"{name} is in argument_specs.yml, but has no default" for name in specs if name not in defaults]
    problems += [f"{name} has a default, but is not in argument_specs.yml" for name in defaults if name not in specs]
    for name in specs.keys() & defaults.keys():
        if specs[name].get("default") != defaults[name]:
            problems.append(f"{name} is {defaults[name]!r} by default, but {specs[name].get('default')!r} in its spec")
    if not problems and list(specs) != list(defaults):
        problems.append("argument_specs.yml and defaults/main.yml name the variables in different order")
    return problems


def unknown_to_role(keys: set[str], specs: dict) -> list[str]:
    """Keys of the configuration that the role has no variable for, or does not write."""
    template = (ROLE / "templates" / "config.json.j2").read_text(encoding="utf-8")
    written = set(re.findall(r"^  '(\w+)':", template, re.MULTILINE))
    problems = [f"config key {key} has no variable {PREFIX}{key}" for key in sorted(keys) if PREFIX + key not in specs]
    problems += [f"config key {key} is not written by config.json.j2" for key in sorted(keys - written)]
    problems += [f"config.json.j2 writes {key}, which the engine does not know" for key in sorted(written - keys)]
    return problems


def other_defaults(engine: dict, defaults: dict) -> list[str]:
    """Where the engine's default is another than the role's; those that the role derives are left out."""
    return [
        f"{PREFIX}{key} is {defaults[PREFIX + key]!r} by default, but {value!r} in the engine"
        for key, value in engine.items()
        if "{{" not in str(defaults.get(PREFIX + key, "{{")) and defaults[PREFIX + key] != value
    ]


def rendered(specs: dict, keys: set[str]) -> str:
    """The page docs/variables.md."""
    rows = []
    for name, spec in specs.items():
        mark = " ⚙" if name[len(PREFIX) :] in keys else ""
        cells = (f"`{name}`{mark}", _type(spec), _default(spec), _meaning(spec))
        rows.append(f"| {' | '.join(cell.replace('|', _PIPE) for cell in cells)} |\n")
    return HEAD + "".join(rows) + TAIL


def untranslated(page: str, japanese: str) -> list[str]:
    """Where the tables of the Japanese page differ from those of ``page`` in more than the words of the meaning."""
    wanted = {tuple(_in_japanese(cell) for cell in cells): meaning for cells, meaning in _rows(page).items()}
    found = _rows(japanese)
    problems = [f"lacks the row {' | '.join(cells)}" for cells in wanted if cells not in found]
    problems += [
        f"has the row {' | '.join(cells)}, which {PAGE.name} has not" for cells in found if cells not in wanted
    ]
    if not problems and list(found) != list(wanted):
        problems.append(f"has the rows in another order than {PAGE.name}")
    for cells in [cells for cells in wanted if cells in found]:
        lost = [code for code in re.findall(r"`[^`]+`", wanted[cells]) if code not in found[cells]]
        if lost or not found[cells]:
            problems.append(f"does not say of {cells[0]}: {', '.join(lost) or 'its meaning'}")
    return problems


def _rows(page: str) -> dict[tuple[str, ...], str]:
    """The rows that name variables: their cells but the last, and the last, which is the meaning."""
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in _BAR.split(line)[1:-1]] for line in lines]
    return {tuple(row[:-1]): row[-1] for row in cells}


def _in_japanese(cell: str) -> str:
    first, space, rest = cell.partition(" ")
    return _WORDS.get(first, first) + space + rest


def _engine_defaults() -> dict:
    """The configuration's keys and their default values, as JSON has them."""
    sys.path.insert(0, str(ROOT / "plugins" / "module_utils"))
    from mirai_backup.config import Config

    return json.loads(json.dumps(Config().document(masked=False)))


def _load(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _type(spec: dict) -> str:
    if "choices" in spec:
        return " ".join(f"`{choice}`" if choice else "empty" for choice in spec["choices"])
    return f"{spec['type']} of {spec['elements']}" if "elements" in spec else spec["type"]


def _default(spec: dict) -> str:
    value = spec["default"]
    return "empty" if value == "" else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _meaning(spec: dict) -> str:
    """The description as Markdown; Ansible's markup becomes code."""
    lines = [_sentences(spec)]
    for name, option in spec.get("options", {}).items():
        lines.append(f"V({name}): {_sentences(option)}")
    return re.sub(r"\b[CVO]\(([^)]*)\)", r"`\1`", " ".join(lines))


def _sentences(spec: dict) -> str:
    return spec["description"] if isinstance(spec["description"], str) else " ".join(spec["description"])


if __name__ == "__main__":
    sys.exit(main())
