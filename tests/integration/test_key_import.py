"""Keys come into the keyring of the backups once, whole, and only where they belong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keys
import pytest
from application import PACKAGE

sys.path.insert(0, str(PACKAGE))
from mirai_backup import key_import
from mirai_backup.errors import ConfigError


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("keys")
    return keys.make(directory, "reader"), keys.make(directory, "writer", "sign")


def names(home: Path) -> dict:
    return {str(path.relative_to(home)): path.stat() for path in home.rglob("*")}


def test_imported_once_by_nobody_but_its_owner(pairs, tmp_path):
    reader, writer = pairs
    home = tmp_path / ("long" * 40)  # no agent could have its socket in there
    home.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(home, 65534, 65534)
    wanted = ([reader.public.read_text()], [writer.private.read_text()], [reader.fingerprint], writer.fingerprint)
    planned, _used = key_import.run(str(home), *wanted, check=True)
    assert names(home) == {}
    changes, used = key_import.run(str(home), *wanted)
    assert planned == changes and {one.fingerprint for one in used} == {reader.fingerprint, writer.fingerprint}
    assert any(f"public key {reader.fingerprint}" in one for one in changes)
    assert any(f"private key {writer.fingerprint}" in one for one in changes)
    for name, status in names(home).items():
        assert status.st_mode & 0o077 == 0 and status.st_uid == home.stat().st_uid, name
    before = names(home)
    assert key_import.run(str(home), *wanted)[0] == []
    assert {name: one.st_mtime_ns for name, one in names(home).items()} == {
        name: one.st_mtime_ns for name, one in before.items()
    }
    assert keys.leftovers() == []


def test_what_is_no_such_key_is_refused_and_nothing_is_written(pairs, tmp_path):
    reader, writer = pairs
    private, public = reader.private.read_text(), writer.public.read_text()
    torn = public[:200]
    for wanted, words in (
        (([private], []), "not an armored public key"),
        (([], [public]), "not an armored private key"),
        (([torn], []), "public key 1"),
        (([public], [], [reader.fingerprint]), "is not there"),
        (([public], [], ["1234"]), "full fingerprint"),
    ):
        with pytest.raises(ConfigError, match=words):
            key_import.run(str(tmp_path), *wanted)
    assert names(tmp_path) == {}


def test_no_key_is_in_an_argv(pairs, tmp_path):
    """The keys travel through stdin; only their home and options are in the command line."""
    reader, _writer = pairs
    watcher = tmp_path / "seen"
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "gpg").write_text(f'#!/bin/sh\necho "$@" >> {watcher}\nexec /usr/bin/gpg "$@"\n')
    (tools / "gpg").chmod(0o755)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    code = "import sys; from mirai_backup import key_import; key_import.run(sys.argv[1], [sys.stdin.read()], [])"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "PATH": f"{tools}:{os.environ['PATH']}"}
    subprocess.run([sys.executable, "-c", code, str(home)], input=reader.public.read_text(), text=True, check=True,
                   env=environment)  # fmt: skip
    assert "--import" in watcher.read_text() and "PUBLIC KEY" not in watcher.read_text()
