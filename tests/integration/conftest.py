"""One server for the session, one application for each test."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from application import Application
from server import Server
from shipping import KINDS
from storage import BadS3

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server():
    """A running PostgreSQL server."""
    with tempfile.TemporaryDirectory(prefix="mirai-server-") as directory:
        Path(directory).chmod(0o755)
        one = Server(Path(directory) / "pg").create()
        yield one
        one.remove()


@pytest.fixture
def app(tmp_path, server):
    """An application with a database, files and a configuration; its database is dropped afterwards."""
    one = Application(tmp_path, server, f"mirai {next(_numbers)}").create()
    yield one
    names = server.psql(f"SELECT datname FROM pg_database WHERE datname LIKE '{one.database}%'").splitlines()
    for name in names:
        server.psql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.psql(f'DROP ROLE "{one.database}"')


@pytest.fixture
def storages(tmp_path):
    """Make stores by kind; all are gone afterwards."""
    made = []

    def make(kind: str):
        one = KINDS[kind](tmp_path / f"storage{len(made)}")
        made.append(one)
        return one.start()

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def bad():
    """The S3 server that does wrong."""
    one = BadS3()
    yield one
    one.close()
