"""What the operators' guide does by hand and by shell script: the other side of every ratio.

As in the script, one thing comes after the other: ``pg_dump -Fc`` into a file, ``gzip`` of the file, ``tar -czf`` of
the data directory, ``tar -czf`` of everything that is kept. All at their default level.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from peaks import CommandFailed
from series import seconds
from subject import Subject


def dump_bytes(subject: Subject) -> int:
    """Bytes of the dump at gzip -6, compressed once."""
    path = subject.directory / "dump.gz"
    pipe((pg(subject, "pg_dump", "-Fc", "-Z0"), ("gzip", "-6")), path)
    size = path.stat().st_size
    path.unlink()
    return size


class Guide:
    """The guide's backups of ``subject`` in a directory of their own."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._root = subject.directory / "guide"
        self._dump = self._root / "database" / "mirai_db.sql.gz"
        self._json = self._root / "json" / "mirai_json.tar.gz"
        shutil.rmtree(self._root, ignore_errors=True)
        for kind in ("database", "json", "full"):
            (self._root / kind).mkdir(parents=True)

    def database(self) -> float:
        """Seconds of the database backup."""
        plain = self._dump.with_suffix("")
        dump = pg(self._subject, "pg_dump", "-Fc", "-f", str(plain))
        return seconds(lambda: (run(dump), run(("gzip", "--force", plain))))

    def piped(self) -> float:
        """Seconds of the same as a pipe, which the script is not: on two cores the dump and gzip run side by side."""
        argv = pg(self._subject, "pg_dump", "-Fc")
        return seconds(lambda: pipe((argv, ("gzip",)), self._root / "piped"))

    def json(self) -> float:
        """Seconds of the JSON backup."""
        argv = ("tar", "-czf", self._json, "-C", self._subject.backend, "data")
        return seconds(lambda: run(argv))

    def full(self, halves: float) -> float:
        """Seconds of the full backup: ``halves``, those of both, and then all that is kept packed once more."""
        argv = ("tar", "-czf", self._root / "full" / "mirai_full.tar.gz", "-C", self._root, "database", "json")
        return halves + seconds(lambda: run(argv))

    def retain(self, count: int) -> None:
        """Keep ``count`` backups of each half, the ones before like the last."""
        for number in range(1, count):
            for path in (self._dump, self._json):
                shutil.copyfile(path, path.with_name(f"{number}_{path.name}"))

    def restore(self) -> float:
        """Seconds of the manual restore of the database into a new one; nothing is checked."""
        name = f"{self._subject.database}_guide"
        server = self._subject.server
        where = ("-h", server.directory, "-p", server.port, "-U", "postgres")

        def by_hand() -> None:
            run(("gunzip", self._dump))
            run((f"{server.bindir}/createdb", *where, "-T", "template0", name))
            run((f"{server.bindir}/pg_restore", *where, "-d", name, self._dump.with_suffix("")))

        took = seconds(by_hand)
        self._dump.with_suffix("").unlink()
        server.psql(f"DROP DATABASE {name} WITH (FORCE)")
        return took

    def remove(self) -> None:
        """Give the space back."""
        shutil.rmtree(self._root)


def pg(subject: Subject, program: str, *arguments: str) -> tuple:
    """The command of a client program on the subject's database."""
    return (f"{subject.server.bindir}/{program}", *arguments, "-d", subject.libpq_url)


def run(argv: tuple) -> None:
    """Run one program, which must succeed."""
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailed(f"{argv} ended with status {done.returncode}: {done.stderr.strip()}")


def pipe(stages: tuple, path: Path) -> None:
    """Run ``stages`` as a pipe into ``path``; every exit status counts."""
    with path.open("wb") as out:
        running: list = []
        for number, argv in enumerate(stages):
            last = number == len(stages) - 1
            stdin = running[-1].stdout if running else subprocess.DEVNULL
            running.append(subprocess.Popen(argv, stdin=stdin, stdout=out if last else subprocess.PIPE))
            if number:
                stdin.close()
        for argv, process in zip(stages, running):
            if process.wait():
                raise CommandFailed(f"{argv[0]} ended with status {process.returncode}")
