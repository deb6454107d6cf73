"""The pages name what there is, lead to what there is, and the Japanese README has the English one's parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
READMES = ["README.md", "README.ja.md"]
PAGES = sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^( *)```.*?^\1```|`[^`\n]*`", re.DOTALL | re.MULTILINE)


def read(page: str | Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def anchors(page: str | Path) -> set[str]:
    """What a link into the page may name: its headings, as GitHub writes them."""
    text = re.sub(r"^```.*?^```", "", read(page), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_what_there_is(page):
    dead = []
    for link in LINK.findall(CODE.sub("", read(page))):
        place, _sign, anchor = link.partition("#")
        if "://" in place or place.startswith("mailto:"):
            continue
        path = (ROOT / page).parent / place if place else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("page", READMES)
def test_every_playbook_and_module_is_named(page):
    paths = [*ROOT.glob("playbooks/*.yml"), *ROOT.glob("plugins/modules/*.py")]
    assert paths
    assert [path.stem for path in paths if f"| `mirai.backup.{path.stem}` |" not in read(page)] == []


def test_the_readmes_have_the_same_parts():
    def parts(page: str) -> list[tuple[int, int]]:
        """Table rows and blocks of code of each section."""
        sections = re.split(r"^## ", read(page), flags=re.MULTILINE)
        return [(len(re.findall(r"^\|", one, re.MULTILINE)), one.count("\n```")) for one in sections]

    assert parts("README.md") == parts("README.ja.md")
