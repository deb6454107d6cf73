"""The application that is measured: generated data of a given size, loaded into a server of the bench's own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

import generate
from application import Application
from peaks import CommandFailed, Peak, watch
from series import seconds
from server import Server

SEED = 7
SENTENCES = (24, 60)  # of a small file: some 7 kB


class Subject(Application):
    """An application whose database and data directory are ``size`` bytes each, with ``files`` small files more."""

    def __init__(self, directory: Path, server: Server, name: str) -> None:
        super().__init__(directory, server, name)
        self.compiled = directory.parent / "compiled"

    def generate(self, size: int, data_size: int, files: int = 0) -> "Subject":
        """Make it all; the database is empty where ``size`` is 0."""
        self.backend.mkdir(parents=True)
        self.server.psql(f"CREATE ROLE {self.database} LOGIN CREATEDB PASSWORD 'bench'")
        self.server.psql(f"CREATE DATABASE {self.database} OWNER {self.database}")
        if size:
            self._load(size)
        generate.write_data_dir(self.data, SEED, data_size, files, *SENTENCES)
        self.write_env(self.url(password="bench"))
        self.configure(drill_dir=str(self.directory))
        return self

    def _load(self, size: int) -> None:
        path = self.directory / "app.sql"
        generate.write_sql(path, SEED, size)
        argv = [f"{self.server.bindir}/psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", self.libpq_url, "-f", str(path)]
        subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
        path.unlink()
        self.server.psql("VACUUM (ANALYZE)", self.database)
        self.server.psql("CHECKPOINT")

    @property
    def libpq_url(self) -> str:
        """What pg_dump and its kin connect to: over TCP with a password, as the engine does."""
        return self.url(password="bench").replace("+psycopg2", "")

    def environment(self, **extra: str) -> dict:
        """The engine's modules are kept compiled, as an installed engine's are."""
        values = super().environment(PYTHONPYCACHEPREFIX=str(self.compiled), **extra)
        values.pop("PYTHONDONTWRITEBYTECODE", None)
        return values

    def timed(self, *arguments: str) -> float:
        """Seconds that the command took; it must succeed."""

        def succeed() -> None:
            result = self.run(*arguments, timeout=7200)
            if result.code:
                raise CommandFailed(f"mirai-backup {' '.join(arguments)}: exit {result.code}: {result.err}{result.out}")

        return seconds(succeed)

    def watched(self, *arguments: str) -> Peak:
        """The command's peak memory."""
        return watch(self.argv(*arguments), self.environment())

    def newest(self, kind: str) -> dict:
        """The newest backup of a kind, as ``list`` describes it."""
        return self.succeed("--json", "list", "--kind", kind).document["backups"][0]

    @contextlib.contextmanager
    def empty_repository(self) -> Iterator[None]:
        """Another repository, in which nothing is retained, for as long as the block lasts."""
        before, place = dict(self.settings), self.directory / "empty"
        self.configure(repository=str(place))
        try:
            yield
        finally:
            shutil.rmtree(place, ignore_errors=True)
            self.settings = before
            self.configure()

    def forget(self) -> None:
        """Start anew: no backups, no previous states."""
        shutil.rmtree(self.repository, ignore_errors=True)
        self.forget_previous()

    def forget_previous(self) -> None:
        """Drop the previous states: the next restore would pay for their end."""
        for old in self.backend.glob("data_before_*"):
            shutil.rmtree(old)
        for name in self._databases():
            if name != self.database:
                self.server.psql(f'DROP DATABASE "{name}" WITH (FORCE)')

    def remove(self) -> None:
        """Give all the space back."""
        for name in self._databases():
            self.server.psql(f'DROP DATABASE "{name}" WITH (FORCE)')
        self.server.psql(f"DROP ROLE {self.database}")
        shutil.rmtree(self.directory)

    def _databases(self) -> list[str]:
        sql = f"SELECT datname FROM pg_database WHERE datname ~ '^{self.database}($|_)'"
        return self.server.psql(sql).splitlines()
