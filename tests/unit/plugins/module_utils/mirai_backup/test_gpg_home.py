"""gpg_home: keyrings that are gone afterwards, those of dead runs too."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from mirai_backup import gpg_home
from mirai_backup.errors import PreflightError


def test_private_while_it_is_there_and_gone_afterwards():
    with gpg_home.throwaway() as path:
        assert os.stat(path).st_mode & 0o777 == 0o700
        assert gpg_home.sweep(os.path.dirname(path)) == []
    assert not os.path.exists(path)
    with pytest.raises(ValueError), gpg_home.throwaway() as path:
        raise ValueError
    assert not os.path.exists(path)


@pytest.fixture
def base():
    """A directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        yield Path(path)


def test_what_a_killed_run_left_goes_and_nothing_else(base):
    code = (
        "import os, sys; from mirai_backup import gpg_home; gpg_home._base = lambda: sys.argv[1];"
        "manager = gpg_home.throwaway(); home = manager.__enter__(); open(home + '/key', 'w'); os.kill(os.getpid(), 9)"
    )
    package = os.path.dirname(os.path.dirname(gpg_home.__file__))
    argv = [sys.executable, "-c", code, str(base)]
    subprocess.run(argv, check=False, env={**os.environ, "PYTHONPATH": package})
    (left,) = os.listdir(base)
    for name in ("mirai-gpg-notes", "mirai-gpg-1-x-y", "other"):
        (base / name).mkdir()
    (base / "mirai-gpg-999999999-1-file").write_text("a file")
    assert gpg_home.sweep(str(base)) == [str(base / left)]
    assert len(os.listdir(base)) == 4


def test_agent_ends_with_the_run_that_was_killed(base):
    code = (
        "import os, sys; from mirai_backup import gpg_home; gpg_home._base = lambda: sys.argv[1];"
        "manager = gpg_home.throwaway(); print(manager.__enter__(), flush=True); sys.stdin.read()"
    )
    package = os.path.dirname(os.path.dirname(gpg_home.__file__))
    with subprocess.Popen(
        [sys.executable, "-c", code, str(base)],
        env={**os.environ, "PYTHONPATH": package},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        home = run.stdout.readline().strip()
        assert _agents(home)
        run.kill()
    deadline = time.monotonic() + 30  # it looks every four seconds
    while _agents(home):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_agent_that_cannot_start_is_named(base, monkeypatch):
    broken = base / "gpg-agent"
    broken.write_text("#!/bin/sh\necho no sockets here >&2\nexit 2\n")
    broken.chmod(0o755)
    monkeypatch.setattr(gpg_home.gpg, "program", lambda _name: str(broken))
    with pytest.raises(PreflightError, match="could not be started for /home: gpg-agent exited .* 2: no sockets here"):
        with gpg_home._agent("/home"):
            raise AssertionError


def _agents(home):
    found = subprocess.run(["pgrep", "--full", f"gpg-agent.*{home}"], capture_output=True, text=True, check=False)
    return found.stdout.split()
