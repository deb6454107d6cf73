"""One server and one application for all faults: each leaves both as it found them, or the next test says so."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integration"))

from application import Application
from server import Server
from subject import Subject

CONTENT = """
CREATE SCHEMA auth; CREATE SCHEMA audit;
CREATE TABLE auth.users (id serial PRIMARY KEY, name text NOT NULL);
INSERT INTO auth.users (name) SELECT '利用者 ' || n FROM generate_series(1, 20) n;
CREATE TABLE audit.log (at timestamptz NOT NULL, what text);
INSERT INTO audit.log SELECT '2026-01-01'::timestamptz + n * interval '1 minute', 'e' FROM generate_series(1, 200) n;
SELECT lo_from_bytea(0, decode(repeat('cafe', 1000), 'hex'));
"""


def pytest_collection_modifyitems(config, items):
    """Choose, by a seed, as many as MIRAI_FAULTS says (default 8, or ``all``) of the many points of time."""
    wanted = os.environ.get("MIRAI_FAULTS", "8")
    points = [one for one in items if one.get_closest_marker("point")]
    if wanted == "all" or len(points) <= int(wanted):
        return
    step = len(points) / int(wanted)
    offset = int(os.environ.get("MIRAI_FAULTS_SEED", "1"))
    chosen = {id(points[int(number * step + offset) % len(points)]) for number in range(int(wanted))}
    left = [one for one in points if id(one) not in chosen]
    config.hook.pytest_deselected(items=left)
    items[:] = [one for one in items if one not in left]


@pytest.fixture(scope="session")
def subject():
    """An application with one backup, damaged anew by every test that asks for it."""
    with tempfile.TemporaryDirectory(prefix="mirai-faults-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        server = Server(directory / "pg").create()
        app = Application(directory, server, "mirai faults")
        app.create(CONTENT)
        yield Subject(app)
        server.remove()
