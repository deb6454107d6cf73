"""An application whose backups go to stores, and what happens meanwhile."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from storage import S3, Mounted, Sftp, WebDav, programs, write_config

KINDS = {"s3": S3, "sftp": Sftp, "webdav": WebDav, "directory": Mounted}


def ship_to(app, rclone: str = "current", **stores) -> None:
    """Configure the application to ship there; a store is a storage, or a pair of one and further keys."""
    pairs = {name: one if isinstance(one, tuple) else (one, {}) for name, one in stores.items()}
    path = app.directory / "rclone.conf"
    write_config(path, {name: one.section() for name, (one, _more) in pairs.items()})
    entries = [
        {"name": name, "path": getattr(one, "path", "bucket/app1"), "retries": 0, "timeout": 20, **more}
        for name, (one, more) in pairs.items()
    ]
    app.configure(offsite=entries, rclone_config=str(path), rclone=programs()[rclone])


def run(app, *arguments: str, code: int = 0):
    result = app.run(*arguments)
    assert result.code == code, result.out + result.err
    return result


def uploading(app) -> list:
    """The rclone processes of this application that upload now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"copyto" in words and f"--config={app.directory}/rclone.conf".encode() in words:
            found.append(int(path.parent.name))
    return found


def wait_until_gone(app) -> None:
    deadline = time.monotonic() + 10
    while uploading(app):
        assert time.monotonic() < deadline, "rclone outlived the engine"
        time.sleep(0.05)


def age(app, backup_id: str, days: int = 40) -> None:
    """Make a backup look old, here."""
    (path,) = app.repository.glob(f"*/{backup_id}*.manifest.json")
    _age(app, path, days * 24)


def age_by_hours(app, hours: int) -> None:
    """Make the only backup look as old."""
    (path,) = app.repository.glob("*/*.manifest.json")
    _age(app, path, hours)


def _age(app, path: Path, hours: int) -> None:
    _edit(
        app,
        path,
        "import datetime; from mirai_backup import text\n"
        f"then = text.utc(head.ended_at - datetime.timedelta(hours={hours}))\n"
        "changed = {'started': then, 'ended': then}",
    )


def forge(app, path: Path) -> None:
    """Write a manifest anew, with digests that fit."""
    _edit(app, path, "changed = {'application': 'another'}")


def _edit(app, path: Path, change: str) -> None:
    program = (
        "import sys, dataclasses; from mirai_backup import manifest\n"
        "head = manifest.read(sys.argv[1]); entries = list(manifest.read_entries(sys.argv[1], head))\n"
        f"{change}\n"
        "manifest.write(sys.argv[1], dataclasses.replace(head, **changed), entries)"
    )
    subprocess.run(["python3", "-c", program, str(path)], env=app.environment(), check=True)
