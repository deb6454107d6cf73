"""rooms.py: whatever the table of rooms and the imports disagree about is named."""

import pytest
import rooms

PAGE = """# Architecture

## The rooms

| group | room | what it does |
|---|---|---|
| ground | `errors` | words about `cli` |
| | `text` | |
| doors | `check`, `cli` | |

<!-- drawn by tests/lint/rooms.py -->
<!-- end of the drawing -->

## Formats

| | `not_a_room` | |
"""
GROUPS = {"ground": ["errors", "text"], "doors": ["check", "cli"]}
IMPORTS = {"errors": set(), "text": {"errors"}, "check": {"text"}, "cli": {"check", "errors"}}


def test_the_table_is_read_from_its_own_section():
    assert rooms.table(PAGE) == GROUPS


def test_relative_imports_are_found_wherever_they_stand():
    source = "from . import text, __version__\nfrom .errors import A\nimport os\ndef f():\n    from .cli import main\n"
    assert rooms.rooms_imported(source) == {"text", "errors", "cli"}


def test_what_agrees_is_not_reported():
    assert rooms.disagreements(GROUPS, IMPORTS) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": {"check"}}, "room text (ground) imports check, which is in a group below it (doors)"),
        ({"new": set()}, "room new is in the engine, but not in the table"),
        ({"errors": {"text"}}, "rooms import each other in a circle: errors, text"),
    ],
)
def test_what_disagrees_is_named(change, said):
    assert said in rooms.disagreements(GROUPS, {**IMPORTS, **change})


def test_rooms_that_are_gone_or_named_twice():
    groups = {**GROUPS, "doors": ["check", "cli", "gone", "text"]}
    assert "room gone is in the table, but not in the engine" in rooms.disagreements(groups, IMPORTS)
    assert "room text is in the table twice" in rooms.disagreements(groups, IMPORTS)


def test_only_members_of_a_circle_are_named():
    assert rooms.circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == [
        "rooms import each other in a circle: b, c"
    ]


def test_foreign_packages_and_reserved_ones():
    sources = {"text": "import yaml.loader\nimport subprocess\n", "process": "import subprocess\n"}
    assert rooms.trespasses(sources) == [
        "room text imports yaml.loader, which is not in the standard library",
        "room text imports subprocess, which only process may",
    ]


def test_the_diagram_shows_groups_and_leaves_out_what_follows():
    groups = {"a": ["x"], "b": ["y"], "c d": ["z"]}
    drawn = rooms.diagram(groups, {"x": set(), "y": {"x"}, "z": {"y", "x"}})
    arrows = [line.strip() for line in drawn.splitlines() if "-->" in line]
    assert arrows == ["b --> a", "c_d --> b"]
    page = rooms.with_diagram(PAGE, drawn)
    assert drawn in page and rooms.with_diagram(page, drawn) == page
    assert rooms.table(page) == GROUPS
