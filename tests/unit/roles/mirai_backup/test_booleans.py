"""A boolean given as text, with ``-e NAME=false`` or in an INI inventory, is one wherever the role asks for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[4]
ROLE = ROOT / "roles" / "mirai_backup"
OPTIONS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
BOOLEANS = [name for name, option in OPTIONS.items() if option.get("type") == "bool"]
SOURCES = [
    path
    for place in (ROLE / "tasks", ROLE / "vars", ROLE / "templates", ROOT / "playbooks")
    for path in place.rglob("*")
    if path.is_file()
]
# Where a name is only given a value, or spoken of.
SPOKEN = r":|=| to (?:true|false)"


@pytest.mark.parametrize("name", BOOLEANS)
def test_it_is_made_one_at_every_use(name):
    bare = re.compile(rf"(?<!_){name}\b(?! \| bool|{SPOKEN})")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        if bare.search(line)
    ]
    assert found == []


def test_there_are_booleans_to_look_at():
    assert "mirai_backup_require_app" in BOOLEANS
