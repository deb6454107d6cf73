"""The bare programs that a backup or a restore is made of, piped as well as they can be, and nothing else.

No digest, no proof, no manifest, no start of Python: what they take is the least that a tool of this kind can take.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from guide import pg, pipe, run
from series import seconds
from subject import Subject

JOBS = 2
_LZ4 = "-c default_toast_compression=lz4"


def floor(subject: Subject) -> float:
    """Seconds of ``pg_dump -Fc -Z0 > /dev/null``: the server's own work, which nobody can save."""
    return seconds(lambda: pipe((pg(subject, "pg_dump", "-Fc", "-Z0"),), Path("/dev/null")))


class Bare:
    """The bare programs on ``subject``, in a directory of their own; ``remove`` gives the space back."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._root = subject.directory / "bare"
        self._dump = self._root / "dump"
        self._root.mkdir()

    def database(self) -> float:
        """Seconds of ``pg_dump -Fc -Z0 | igzip -1`` into a file."""
        return seconds(self._write_database)

    def files(self) -> float:
        """Seconds of ``tar | igzip -1`` into a file."""
        return seconds(self._write_files)

    def full(self) -> float:
        """Seconds of both at once."""

        def both() -> None:
            with ThreadPoolExecutor(2) as pool:
                for half in [pool.submit(self._write_database), pool.submit(self._write_files)]:
                    half.result()

        return seconds(both)

    def restore(self, lz4: bool = False) -> float:
        """Seconds of ``igzip -d`` of what ``database`` wrote, ``createdb``, ``pg_restore --jobs``."""
        name = f"{self._subject.database}_bare"
        server = self._subject.server
        where = ("-h", server.directory, "-p", server.port, "-U", "postgres")

        def by_hand() -> None:
            pipe(((_compressor()[0], "-dc", str(self._root / "db.gz")),), self._dump)
            run((f"{server.bindir}/createdb", *where, "-T", "template0", name))
            restore = (f"{server.bindir}/pg_restore", *where, f"--jobs={JOBS}", "-d", name, self._dump)
            run(("env", f"PGOPTIONS={_LZ4 if lz4 else ''}", *restore))

        took = seconds(by_hand)
        self._dump.unlink()
        server.psql(f"DROP DATABASE {name} WITH (FORCE)")
        return took

    def remove(self) -> None:
        """Give the space back."""
        shutil.rmtree(self._root)

    def _write_database(self) -> None:
        pipe((pg(self._subject, "pg_dump", "-Fc", "-Z0"), _compressor()), self._root / "db.gz")

    def _write_files(self) -> None:
        argv = ("tar", "-cf", "-", "-C", str(self._subject.backend), "data")
        pipe((argv, _compressor()), self._root / "files.gz")


def _compressor() -> tuple[str, ...]:
    """The fastest there is, as the engine chooses it."""
    found = next(one for one in ("igzip", "pigz", "gzip") if shutil.which(one))
    return (found, "-1")
