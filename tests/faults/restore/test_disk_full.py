"""The disk gets full in the middle: nothing in service changes, or all of it; with room again the next call finishes.

File systems of their own are mounted for this, so the tests run as root, as on a server.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from application import Application
from conftest import CONTENT
from server import Server
from subject import Subject


@pytest.fixture(scope="module")
def cramped():
    """An application whose server and whose files each have a small file system to themselves."""
    directory = Path(tempfile.mkdtemp(prefix="mirai-cramped-"))
    directory.chmod(0o755)
    places = {"cluster": (directory / "pg", "160m"), "application": (directory / "app", "64m")}
    for place, size in places.values():
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", place], check=True)
    try:
        server = Server(places["cluster"][0]).create()
        app = Application(directory, server, "mirai cramped")
        app.create(CONTENT)
        yield Subject(app), {name: place for name, (place, _size) in places.items()}
        server.stop()
    finally:
        for place, _size in places.values():
            subprocess.run(["umount", "--lazy", place], check=True)
        shutil.rmtree(directory)


@pytest.mark.parametrize(
    ("where", "in_place", "share"),
    [
        ("application", False, 0.25),
        ("application", False, 0.45),
        ("application", False, 0.7),
        ("application", False, 0.9),
        ("application", True, 0.6),
        ("cluster", False, 0.45),
        ("cluster", True, 0.45),
    ],
)
def test_disk_full(cramped, where, in_place, share):
    subject, places = cramped
    total = subject.total("restore", in_place)
    result = subject.strike("restore", int(total * share), "full", str(places[where]))
    filler = Path(places[where]) / "filler"
    assert filler.exists(), "the disk was not filled"
    filler.unlink()
    subject.revive()
    assert result.code in (0, 1, 2), result.err
    assert "Traceback" not in result.err
    assert "next:" in result.err or result.code == 0, result.err
    subject.assert_whole()
    subject.app.succeed("restore", "latest")
    assert subject.app.content() == subject.backed_up
    subject.assert_clean()
