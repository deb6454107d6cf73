"""Other tools on the same data: a first backup, a second one after one row or file in a hundred changed.

Each works in a directory of its own, with its own way of compressing, on a machine that is warm. A tool that is not
installed is named and left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Optional

from peaks import CommandFailed
from series import Series, seconds

if TYPE_CHECKING:
    from subject import Subject

CHANGED = ("public.knowledge", "public.sop", "public.incidents")


@dataclass(frozen=True)
class Row:
    """What one tool took: seconds of both backups and of a restore, bytes stored by the first, added by the second."""

    first: Series
    second: Series
    stored: int
    added: int
    restore: Optional[Series] = None


class Tool:
    """One tool in a directory of its own. ``restore`` is None where it restores as the guide does."""

    name = program = ""
    restore: Optional[Callable[[], None]] = None

    def __init__(self, subject: Subject, root: Path) -> None:
        self.subject = subject
        self.root = root
        root.mkdir()

    def prepare(self) -> None:
        """What is done once, and not timed."""

    def backup(self, number: int) -> None:
        """Make backup ``number``, 1 or 2."""
        raise NotImplementedError

    def dump(self, *arguments: str) -> str:
        """The shell words of a dump of the database."""
        return f"{self.subject.server.bindir}/pg_dump {' '.join(arguments)} -d {self.subject.libpq_url}"

    def sh(self, script: str, account: str = "", **environment: object) -> None:
        """Run a pipe of which every exit status counts."""
        argv = ["bash", "-euo", "pipefail", "-c", script]
        if account:
            argv = ["setpriv", "--reuid", account, "--regid", account, "--init-groups", "--", *argv]
        values = {**os.environ, **{key: str(value) for key, value in environment.items()}}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/", env=values)
        if done.returncode:
            raise CommandFailed(f"{self.name}: {script} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")


class Ours(Tool):
    name = "mirai.backup"
    kind = "--db-only"

    def prepare(self) -> None:
        self.subject.forget()
        self.subject.configure(fingerprint="full", compression="auto")
        self.root.rmdir()
        self.root = self.subject.repository

    def backup(self, number: int) -> None:
        self.subject.timed("backup", self.kind)

    def restore(self) -> None:
        self.subject.timed("restore", "latest", self.kind)


class OursFiles(Ours):
    kind = "--json-only"


class Script(Tool):
    name = "the guide"

    def backup(self, number: int) -> None:
        self.sh(f"{self.dump('-Fc')} -f {self.root}/{number}.sql && gzip {self.root}/{number}.sql")


class ScriptFiles(Tool):
    name = "the guide"

    def backup(self, number: int) -> None:
        self.sh(f"tar -czf {self.root}/{number}.tar.gz -C {self.subject.backend} data")


class PlainDump(Tool):
    name = "pg_dump \\| gzip, as community.postgresql dumps"

    def backup(self, number: int) -> None:
        self.sh(f"{self.dump()} | gzip > {self.root}/{number}.sql.gz")


class Restic(Tool):
    name = program = "restic"

    def prepare(self) -> None:
        self.restic("init")

    def backup(self, number: int) -> None:
        self.restic("backup --stdin --stdin-filename db.dump", f"{self.dump('-Fc', '-Z0')} | ")

    def restic(self, words: str, before: str = "") -> None:
        self.sh(f"{before}restic --quiet --no-cache {words}", RESTIC_PASSWORD="bench", RESTIC_REPOSITORY=self.root)


class ResticFiles(Restic):
    def backup(self, number: int) -> None:
        self.restic(f"backup {self.subject.data}")


class Borg(Tool):
    name = program = "borg"
    source = "-"

    def prepare(self) -> None:
        self.borg("init --encryption none")

    def backup(self, number: int) -> None:
        self.borg(f"create --compression zstd,3 ::{number} -", f"{self.dump('-Fc', '-Z0')} | ")

    def borg(self, words: str, before: str = "") -> None:
        base = self.root.parent / "borg-state"
        self.sh(f"{before}borg {words}", BORG_REPO=self.root, BORG_BASE_DIR=base)


class BorgFiles(Borg):
    def backup(self, number: int) -> None:
        self.borg(f"create --compression zstd,3 ::{number} {self.subject.data}")


class BaseBackup(Tool):
    name = "pg_basebackup, zstd on the server"

    def prepare(self) -> None:
        shutil.chown(self.root, self.subject.server.account or None)

    def backup(self, number: int) -> None:
        server = self.subject.server
        self.sh(
            f"{server.bindir}/pg_basebackup -h {server.directory} -p {server.port} -U postgres -D {self.root}/{number}"
            " -Ft -X fetch --compress=server-zstd --checkpoint=fast",
            server.account,
        )


class BackRest(Tool):
    name = program = "pgBackRest, zstd; the second incremental"
    program = "pgbackrest"

    def prepare(self) -> None:
        server = self.subject.server
        for name in ("log", "lock", "restored"):
            (self.root / name).mkdir()
        (self.root / "restored").chmod(0o700)
        (self.root / "conf").write_text(
            f"[global]\nrepo1-path={self.root}/repo\nlog-path={self.root}/log\nspool-path={self.root}/lock\n"
            f"lock-path={self.root}/lock\nstart-fast=y\narchive-check=n\ncompress-type=zst\nprocess-max=2\n"
            f"repo1-retention-full=9\n[main]\npg1-path={server.data}\npg1-port={server.port}\n"
            f"pg1-socket-path={server.directory}\n"
        )
        self.sh(f"chown -R {server.account or '$(id -u)'} {self.root}")
        self.backrest("stanza-create")

    def backup(self, number: int) -> None:
        self.backrest(f"backup --type={'full' if number == 1 else 'incr'}")

    def restore(self) -> None:
        self.backrest(f"restore --type=none --pg1-path={self.root}/restored")

    def backrest(self, words: str) -> None:
        self.sh(f"pgbackrest --config={self.root}/conf --stanza=main {words}", self.subject.server.account)


DATABASE = (Ours, Script, PlainDump, Restic, Borg, BackRest, BaseBackup)
FILES = (OursFiles, ScriptFiles, ResticFiles, BorgFiles)


def database(subject: Subject, repeat: int, say: Callable[[str], object]) -> dict[str, Row]:
    """Every tool on the database; the physical ones copy the whole server, which holds little else."""

    def change(number: int) -> None:
        for table in CHANGED:
            subject.server.psql(f"UPDATE {table} SET title = title || '*' WHERE id % 100 = {number}", subject.database)

    return _measured(DATABASE, subject, change, repeat, say)


def files(subject: Subject, repeat: int, say: Callable[[str], object]) -> dict[str, Row]:
    """Every tool on the data directory."""

    def change(number: int) -> None:
        for place, path in enumerate(sorted((subject.data / "records").rglob("*.json"))):
            if place % 100 == number:
                path.write_text(path.read_text(encoding="utf-8").replace('"title": "', '"title": "*'), encoding="utf-8")

    def warm() -> None:
        """Have the system's cache hold every file: borg drops each that it has read, and who comes next would pay."""
        for path in subject.data.rglob("*"):
            if path.is_file():
                path.read_bytes()

    return _measured(FILES, subject, change, repeat, say, warm)


def _measured(
    tools: tuple, subject: Subject, change: Callable, repeat: int, say: Callable, warm: Callable = lambda: None
) -> dict[str, Row]:
    """``warm`` comes before each backup, and is not timed."""
    rounds: dict = {}
    for number in range(repeat):
        root = subject.directory / "peers"
        root.mkdir()
        root.chmod(0o755)
        here = [
            tool(subject, root / str(place)) for place, tool in enumerate(tools) if shutil.which(tool.program or "sh")
        ]
        for tool in here:
            tool.prepare()
        for tool in here:
            warm()
            rounds.setdefault(tool.name, []).append([seconds(tool.backup, 1), _bytes(tool.root)])
        change(number)
        for tool in here:
            warm()
            took = seconds(tool.backup, 2)
            added = _bytes(tool.root) - rounds[tool.name][-1][1]
            restored = seconds(_lasting, tool) if tool.restore is not None else None
            rounds[tool.name][-1] += [took, added, restored]
            say(f"  {tool.name}: first {rounds[tool.name][-1][0]:.2f} s, second {took:.2f} s")
        shutil.rmtree(root)
    return {name: _row(values) for name, values in rounds.items()}


def _lasting(tool: Tool) -> None:
    """Restore, and have it on the disk, as ours ends by itself."""
    tool.restore()
    os.sync()


def _row(values: list) -> Row:
    first, stored, second, added, restored = zip(*values)
    restore = Series(restored) if restored[0] is not None else None
    return Row(Series(first), Series(second), stored[-1], added[-1], restore)


def _bytes(root: Path) -> int:
    """What lies below a tool's directory, pgBackRest's scratch places apart."""
    total = 0
    for folder, names, files_ in os.walk(root):
        if folder == str(root):
            names[:] = [one for one in names if one not in ("restored", "log", "lock")]
        total += sum(os.lstat(os.path.join(folder, one)).st_size for one in files_)
    return total
