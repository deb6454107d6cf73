"""What the application holds: content.sql in the database, some files in the data directory, canaries in both."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

ROW_CANARY = "R0WCANARY-5d1f"
FILE_CANARY = "F1LECANARY-77ab"


def sql() -> str:
    """The script that fills the database."""
    return (Path(__file__).parent / "content.sql").read_text().replace("@CANARY@", ROW_CANARY)


def write(data: Path) -> None:
    """The data directory, made at ``data``: JSON, bytes, an empty directory, odd names, a link."""
    data.mkdir(parents=True)
    (data / "knowledge.json").write_text(json.dumps([{"id": 1, "title": "橋梁点検", "x": FILE_CANARY}]))
    (data / "experts.json").write_text('[{"id": 1, "name": "山田"}]')
    (data / "generation.json").write_text('{"generation": 0}')
    (data / "empty").mkdir()
    (data / "deep" / "er").mkdir(parents=True)
    (data / "deep" / "er" / "名前 with space.json").write_text('{"k": ' + "[" * 40 + "]" * 40 + "}")
    (data / "blob.bin").write_bytes(bytes(range(256)) * 120)
    (data / "latest.json").symlink_to("knowledge.json")
    for path in data.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (time.time() - 3600, time.time() - 3600))
