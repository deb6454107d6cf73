"""Every command of ours that the documentation shows is run, as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from storage import Mounted, programs, write_config

ROOT = Path(__file__).resolve().parents[2]
# The page of errors quotes what the engine says; variables.md is made of the role's descriptions.
PAGES = [
    page
    for page in [*ROOT.glob("README*.md"), *sorted(ROOT.glob("docs/**/*.md"))]
    if page.name not in ("errors.md", "variables.md")
]
INLINE = re.compile(r"`(?:/usr/local/bin/)?mirai-backup ([^`\n]+)`")
LINE = re.compile(r"^(?:[#$] )?(?:sudo )?(?:/usr/local/bin/)?mirai-backup (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
END = re.compile(r"\s+#.*|\s*[|;)].*|\s+2>&1.*")
SYNOPSIS = re.compile(r"[…\[]|\b(?:VERB|動詞)\b|^restore$")  # where a verb is only spoken of
PLACES = {
    "ID@HOST": "id@host",
    "mirai_look": "{database}_look",
    "mirai_table": "{database}_table",
    "/var/tmp/mirai_look": "{directory}/look",
}
FAILS = {"check": (0, 1), "test-alerts": (0, 1)}  # they answer a question; both answers are right
ORDER = ("backup", "list", "restore", "rollback", "prune")


def commands() -> list[str]:
    """What stands after ``mirai-backup``, each command once, in an order in which they can follow each other."""
    found = set()
    for page in PAGES:
        content = page.read_text(encoding="utf-8")
        shown = INLINE.findall(content)
        for block in FENCED.findall(content):
            shown += LINE.findall(block)
        found.update(END.sub("", one).strip() for one in shown if not SYNOPSIS.search(one))
    return sorted(found, key=lambda one: (_rank(one), one))


def _rank(command: str) -> int:
    words = [word for word in command.split() if word in ORDER]
    return ORDER.index(words[0]) if words else len(ORDER)


@pytest.fixture
def ids(app, tmp_path):
    """The newest backup of each kind, by the words that pages use for one."""
    (app.data / "projects.json").write_text("[]")
    share = tmp_path / "share"
    share.mkdir()
    store = Mounted(share).start()
    write_config(tmp_path / "rclone.conf", {"share": store.section()})
    stores = [{"name": "share", "path": store.path}]
    app.configure(offsite=stores, rclone_config=str(tmp_path / "rclone.conf"), rclone=programs()["current"])
    for flag in ([], ["--db-only"], ["--json-only"]):
        app.succeed("backup", *flag)
    json_id, db_id, full_id = app.ids()
    return {
        "ID": full_id,
        "BACKUP": full_id,
        "バックアップ名": full_id,
        "mirai_full_YYYYMMDD_HHMMSS": full_id,
        "mirai_db_YYYYMMDD_HHMMSS": db_id,
        "mirai_json_YYYYMMDD_HHMMSS": json_id,
    }


def test_every_command_is_run(app, ids, tmp_path):
    names = {"database": app.database, "directory": str(tmp_path)}
    failures = []
    for command in commands():
        words = [PLACES.get(word, ids.get(word, word)).format(**names) for word in shlex.split(command)]
        allowed = next((FAILS[word] for word in words if word in FAILS), (0,))
        result = app.run(*words)
        if result.code not in allowed:
            failures.append(f"mirai-backup {command}: exit {result.code}: {result.err.strip()}")
    assert not failures, "\n".join(failures)


def test_there_are_commands():
    assert len(commands()) > 20
