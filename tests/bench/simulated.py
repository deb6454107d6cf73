"""A fleet of simulated servers: names of an inventory that all lead to this machine, each with a prefix of its own."""

from __future__ import annotations

import datetime
import json
import random
from pathlib import Path

from mirai_backup import drill_history, manifest, repository, text
from mirai_backup.sinks import Artifact

# What befalls some servers, by the last digit of their number, and the state that the report has to find them in.
FATES = {1: "late", 2: "damaged", 3: "not_set_up", 4: "unreachable", 5: "warned", 6: "undrilled", 7: "broken"}
STATES = {
    "good": "ok",
    "late": "problem",
    "damaged": "problem",
    "not_set_up": "not_set_up",
    "unreachable": "unreachable",
    "warned": "warning",
    "undrilled": "problem",
    "broken": "problem",
}
_CLOSED = 1  # the port of tcpmux, where nothing listens
_NO_FILES = manifest.entries_digest(iter(()))


def build(root: Path, count: int, backups: int, python: str) -> "tuple[Path, dict[str, str]]":
    """Make ``count`` servers with ``backups`` each below ``root``; returns the inventory and name → expected state.

    Of the first 20 some have each fate, and of every further 100 one of each; the others are in order.
    """
    hosts, states = {}, {}
    for number in range(count):
        fate = FATES.get(number % 10, "good") if number % 100 < 20 else "good"
        name = f"app{number:03}"
        hosts[name] = _variables(root / name, fate, python)
        if fate not in ("not_set_up", "unreachable"):
            _server(root / name, fate, backups, random.Random(number))
        states[name] = STATES[fate]
    inventory = root / "inventory.json"
    inventory.write_text(json.dumps({"mirai": {"hosts": hosts}}, indent=1), encoding="utf-8")
    return inventory, states


def _variables(prefix: Path, fate: str, python: str) -> dict:
    values = {
        "ansible_connection": "local",
        "ansible_python_interpreter": python,
        "mirai_backup_prefix": str(prefix),
        "mirai_backup_become": False,
    }
    if fate == "unreachable":
        values.update(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=_CLOSED)
    return values


def _server(prefix: Path, fate: str, backups: int, dice: random.Random) -> None:
    """A configuration and a repository with one full backup a day, the newest of this night."""
    app = prefix / "app"
    (app / "backend" / "data").mkdir(parents=True)
    path = app / "backend" / "backups"
    repository.create(str(path))
    config = prefix / "etc" / "mirai-backup" / "config.json"
    config.parent.mkdir(parents=True)
    values = {"app_dir": str(app), "drill": True, "log": str(prefix / "log")}
    if fate == "broken":
        values["retension"] = {}
    config.touch(mode=0o600)
    config.write_text(json.dumps(values), encoding="utf-8")
    now = datetime.datetime.now(datetime.timezone.utc)
    youngest = now - datetime.timedelta(hours=dice.uniform(2, 20), days=9 if fate == "late" else 0)
    size = dice.uniform(2e5, 4e6)
    for sequence in range(1, backups + 1):
        size *= dice.uniform(0.98, 1.05)
        age = datetime.timedelta(days=backups - sequence)
        head = _head(f"server {prefix.name}", sequence, youngest - age, int(size), fate)
        _seal(path, head, whole=not (fate == "damaged" and sequence == backups))
    started = text.utc(now - datetime.timedelta(days=dice.uniform(1, 28)))
    verdict = "fail" if fate == "undrilled" else "pass"
    row = {"id": "drill_20260101_040000", "backup": head.id, "verdict": verdict, "started": started, "rto_seconds": 40}
    (path / drill_history.DIRECTORY).mkdir()
    drill_history.append(str(path), {**row, "size": head.size, "duration_seconds": 60})


def _head(host: str, sequence: int, ended: datetime.datetime, size: int, fate: str) -> manifest.Manifest:
    timestamp = ended.strftime("%Y%m%d_%H%M%S")
    parts = (f"database/mirai_db_{timestamp}.sql.gz", 0.7), (f"json/mirai_json_{timestamp}.tar.gz", 0.3)
    return manifest.Manifest(
        id=f"mirai_full_{timestamp}",
        kind="full",
        sequence=sequence,
        application="Mirai-Knowledge-Systems",
        host=host,
        started=text.utc(ended - datetime.timedelta(seconds=20)),
        ended=text.utc(ended),
        utc_offset="+0000",
        duration_seconds=20.0,
        engine_version="0.1.0",
        compression="gzip",
        artifacts=(Artifact(f"mirai_full_{timestamp}.tar.gz", size, "0" * 64),),
        members=tuple(Artifact(name, int(share * size), "0" * 64) for name, share in parts),
        database={
            "name": "mirai",
            "system_identifier": "1",
            "server_version": "15.14",
            "size": 9 * size,
            "properties": {},
            "roles": [],
            "fingerprint": None,
        },
        files={"count": 0, "size": 0, "sha256": _NO_FILES},
        warnings=("roles were dumped without their passwords",) if fate == "warned" else (),
    )


def _seal(path: Path, head: manifest.Manifest, whole: bool) -> None:
    """Lay the artifact, a file of the right size that holds nothing, and its manifest."""
    artifact = head.artifacts[0]
    file = path / head.kind / artifact.name
    file.touch(mode=0o600)
    with file.open("r+b") as opened:
        opened.truncate(artifact.size if whole else artifact.size // 2)
    manifest.write(f"{file}{manifest.SUFFIX}", head)
