"""What the faults are done to, and how to tell a whole state from anything else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from application import PACKAGE, Application, Result

CHAOS = Path(__file__).parent / "chaos.py"


class Subject:
    """An application, its backed-up state and its damaged state; what strikes, and what is left."""

    def __init__(self, app: Application) -> None:
        self.app = app
        app.succeed("backup")
        self.backed_up = app.content()
        self.damaged: tuple = ()
        self._totals: dict = {}

    def damage(self, in_place: bool) -> None:
        """Start from the same point each time: the backed-up state restored, nothing kept, then damaged."""
        app = self.app
        app.configure(keep_previous=0, admin_url=app.server.admin_url, restore_smoke=[], app_services=[])
        app.succeed("restore", "latest")
        app.configure(keep_previous=1, admin_url=app.url() if in_place else app.server.admin_url)
        app.sql("DELETE FROM audit.log WHERE at < '2026-01-01 02:00'; CREATE TABLE public.new (n int)")
        (app.data / "experts.json").unlink()
        (app.data / "new.json").write_text("[]")
        self.damaged = app.content()
        assert self.damaged != self.backed_up

    def total(self, verb: str, in_place: bool) -> int:
        """How many things ``verb`` does when nothing strikes; the state is the damaged one afterwards."""
        key = (verb, in_place)
        if key not in self._totals:
            self._prepare(verb, in_place)
            assert self.strike(verb, 0, "none").code == 0
            self._totals[key] = int((self.app.directory / "count").read_text())
        self._prepare(verb, in_place)
        return self._totals[key]

    def _prepare(self, verb: str, in_place: bool) -> None:
        self.damage(in_place)
        if verb == "rollback":
            self.app.succeed("restore", "latest")

    def strike(self, verb: str, at: int, mode: str, place: str = "") -> Result:
        """Run ``verb`` and strike at its ``at``-th thing."""
        words = ["restore", "latest"] if verb == "restore" else [verb]
        environment = {
            **os.environ,
            "PYTHONPATH": str(PACKAGE),
            "CHAOS_AT": str(at),
            "CHAOS_MODE": mode,
            "CHAOS_PLACE": place or str(self.app.server.data),
            "CHAOS_COUNT": str(self.app.directory / "count"),
        }
        done = subprocess.run(
            [sys.executable, str(CHAOS), "--config", str(self.app.config_path), *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def revive(self) -> None:
        """Start the server where it is down."""
        if not (self.app.server.data / "postmaster.pid").exists():
            self.app.server.start()

    def assert_whole(self) -> None:
        """Old or new is in service, whole. Only within the window (database swapped, directory not yet) it is one half
        of each, both whole, and then check says that a restore did not end."""
        now = self.app.content()
        if now in (self.backed_up, self.damaged):
            return
        assert now[0] in (self.backed_up[0], self.damaged[0])
        assert self.app.data.is_dir()
        assert now[1] in (self.backed_up[1], self.damaged[1])
        assert "did not end" in self.app.run("check").out

    def assert_clean(self) -> None:
        """No debris: every database, directory and journal is in service or listed as a previous state."""
        app = self.app
        listed = app.succeed("--json", "list").document
        kept = json.dumps(listed["previous_states"], ensure_ascii=False)
        assert len(listed["backups"]) == 1
        names = app.server.psql(f"SELECT datname FROM pg_database WHERE datname LIKE '{app.database}%'").splitlines()
        names += [str(one) for one in app.backend.glob("data*")]
        names += [str(one) for one in (app.repository / ".before").glob("*")]
        left = [one for one in names if one not in (app.database, str(app.data)) and one not in kept]
        assert not left, f"{left} beside {kept}"
        assert not list((app.repository / ".staging").iterdir())
        journals = [json.loads(one.read_text()) for one in (app.repository / ".restore").glob("*.json")]
        assert {one["state"] for one in journals} <= {"done"}
        assert not list((app.repository / ".restore").glob(".*.tmp"))
        assert "did not end" not in app.run("check").out


def chaotic(directory: Path, name: str, old: str, new: str) -> str:
    """An engine of its own, with one piece of one file changed; returns what PYTHONPATH has to be."""
    shutil.copytree(PACKAGE, directory / "engine")
    path = directory / "engine" / "mirai_backup" / name
    source = path.read_text()
    assert old in source, f"{name} has no {old!r}"
    path.write_text(source.replace(old, new))
    return str(directory / "engine")
