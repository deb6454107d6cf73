"""What the pages on troubleshooting quote is what is really said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = ["docs/troubleshooting.md", "docs/ja/troubleshooting.md", "docs/restore-night.md", "docs/ja/restore-night.md"]
# Said by PostgreSQL, by the system, or with a number of this day.
FOREIGN = ("Connection refused", "No space left on device", "authentication failed", "permission denied", "row-level")
NUMBER = re.compile(r"\b\d+(?:\.x)?\b")


def source() -> str:
    """All that the role, the playbooks and the engine may say, placeholders and line breaks taken out."""
    files = [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("plugins/**/*.py")]
    joined = "\n".join(path.read_text(encoding="utf-8") for path in files)
    joined = re.sub(r'"\s*\n\s*f?"', "", joined)  # texts that go on in the next line of the source
    joined = re.sub(r"\{\{?.*?\}?\}", "…", joined)
    return re.sub(r"\s+", " ", joined)


def quoted(page: str) -> list[str]:
    rows = [line.split("|")[1] for line in (ROOT / page).read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    return [one for row in rows for one in re.findall(r"`([^`]+)`", row) if not one.startswith("mirai")]


@pytest.mark.parametrize("page", PAGES)
def test_every_message_is_one_of_ours(page):
    said = source()
    shown = quoted(page)
    assert shown
    for message in shown:
        for part in re.split(r"…|<[^>]*>", NUMBER.sub("…", message)):
            part = part.strip(" :,;")
            if len(part) > 5 and not part.startswith(FOREIGN):
                assert part in said, f"{page} quotes {message!r}, but nobody says {part!r}"
