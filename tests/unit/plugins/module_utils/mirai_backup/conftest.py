"""What the engine's unit tests share: a configuration, a repository, and sealed backups in it."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import fake_postgresql
import pytest
from hypothesis import HealthCheck, settings
from mirai_backup import archive, config, index, interrupts, manifest, members, repository, restores, seal, text
from mirai_backup.sinks import HashedFile

_LENIENT = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("repeatable", derandomize=True, **_LENIENT)
settings.register_profile("search", max_examples=2000, **_LENIENT)  # pytest --hypothesis-profile=search
settings.load_profile("repeatable")


@pytest.fixture
def settings_of(tmp_path):
    """Makes a Config below the test's own directory: ``settings_of(jobs=3)``."""
    (tmp_path / "app" / "backend" / "data").mkdir(parents=True)

    def make(**values):
        settings = {"app_dir": str(tmp_path / "app"), "log": str(tmp_path / "backup.log"), "application": "mirai"}
        return config.from_mapping({**settings, "alert_mail": [], **values})

    return make


@pytest.fixture
def repo(tmp_path, settings_of) -> str:
    """The path of a repository as ``settings_of`` configures it, made and empty."""
    path = settings_of().repository
    repository.create(path)
    return path


@pytest.fixture
def head_of():
    """Makes a manifest without artifacts: ``head_of(kind="json", sequence=3, age=datetime.timedelta(days=2))``."""

    def make(kind="json", sequence=1, age=datetime.timedelta(0), timestamp="", **values):
        ended = datetime.datetime.now(datetime.timezone.utc) - age
        timestamp = timestamp or f"20260101_{sequence:06d}"
        database = {
            "name": "mirai",
            "system_identifier": "1",
            "server_version": "15.14",
            "size": 1,
            "properties": {},
            "roles": [],
            "fingerprint": None,
        }
        halves = {"database": database, "files": {"count": 0, "size": 0, "sha256": _NO_ENTRIES}}
        held = {"full": halves, "database": {"database": halves["database"]}, "json": {"files": halves["files"]}}
        return manifest.Manifest(
            id=f"{repository.STEMS[kind]}_{timestamp}",
            kind=kind,
            sequence=sequence,
            application="mirai",
            host="host.example",
            started=text.utc(ended - datetime.timedelta(seconds=2)),
            ended=text.utc(ended),
            utc_offset="+0000",
            duration_seconds=2.0,
            engine_version="0.1.0",
            compression="gzip",
            artifacts=(),
            **{**held[kind], **values},
        )

    return make


@pytest.fixture
def staged(head_of):
    """Puts an artifact into a staging directory and returns the manifest that describes it."""

    def make(stage, kind="json", content=b"content", **values):
        head = head_of(kind, **values)
        name = f"{head.id}{'.sql.gz' if kind == 'database' else '.tar.gz'}"
        with HashedFile(os.path.join(stage, name)) as file:
            file.write(content)
            return replace(head, artifacts=(file.finish(name),))

    return make


@pytest.fixture
def sealed(repo, staged):
    """Seals a backup in ``repo`` and returns its manifest: ``sealed("database", sequence=2)``."""

    def make(kind="json", **values):
        with seal.staging(repo) as stage:
            head = staged(stage, kind, **values)
            seal.publish(repo, stage, head, lambda: iter(()))
        return head

    return make


@pytest.fixture
def away(tmp_path, settings_of, repo):
    """Two stores, ``a`` and ``b``, on a stand-in for rclone: the configuration, the stores' ``root``, and ``fault``."""
    root = tmp_path / "stores"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
    program = tmp_path / "bin" / "rclone"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable} -SE\n{(Path(__file__).parent / 'fake_rclone.py').read_text()}")
    program.chmod(0o755)
    sections = tmp_path / "rclone.conf"
    sections.write_text("[a]\ntype = local\n[b]\ntype = local\n")
    sections.chmod(0o600)
    entries = [{"name": name, "path": str(root / name), "retries": 0} for name in ("a", "b")]

    def fault(*lines):
        (program.parent / "faults").write_text("".join(f"{line}\n" for line in lines))

    fault()
    config_ = settings_of(offsite=entries, rclone=str(program), rclone_config=str(sections))
    return SimpleNamespace(config=config_, root=root, fault=fault)


@pytest.fixture
def full_at(monkeypatch):
    """``with full_at(state):`` the disk is full where a journal is to be advanced to ``state``."""

    @contextlib.contextmanager
    def full(state):
        advance = restores.advance

        def write(repository, journal, wanted):
            if wanted == state:
                raise OSError(28, "No space left on device")
            return advance(repository, journal, wanted)

        with monkeypatch.context() as patched:
            patched.setattr(restores, "advance", write)
            yield

    return full


@pytest.fixture
def postgresql(tmp_path):
    """PostgreSQL's programs without a server behind them: see fake_postgresql."""
    return fake_postgresql.Programs(tmp_path / "postgresql")


@pytest.fixture
def contents():
    """Everything below a directory: relative path → content of files, target of links, None for directories."""

    def make(root):
        found = {}
        for directory, names, files in os.walk(root):
            found.update({os.path.relpath(os.path.join(directory, one), root): None for one in names})
            for one in files:
                if one == index.FILE:  # what a listing remembers is nobody's content
                    continue
                path = os.path.join(directory, one)
                if os.path.islink(path):
                    found[os.path.relpath(path, root)] = os.readlink(path)
                else:
                    with open(path, "rb") as file:
                        found[os.path.relpath(path, root)] = file.read()
        return found

    return make


_NO_ENTRIES = hashlib.sha256(b"").hexdigest()


@pytest.fixture
def archived(tmp_path, monkeypatch):
    """Archives a directory: the tar stream, its entries, the findings. ``hook`` is called before each block.

    With a hook every member is a block of its own, or more where it is large. ``checked`` is a manifest's path.
    """

    def make(root, hook=None, checked=""):
        if hook is not None:
            monkeypatch.setattr(members, "_HELD", 1)
        archiver = archive.Archiver(str(root), str(tmp_path / f"entries{len(os.listdir(tmp_path))}"), checked)
        blocks = []

        def write(block):
            if hook is not None:
                hook(len(blocks))
            blocks.append(bytes(block))

        archiver.write(write)
        return b"".join(blocks), list(archiver.entries()), archiver.findings

    return make


@pytest.fixture
def data(tmp_path):
    """Makes a data directory of files, all written long ago: ``data({"a.json": b"{}", "sub/b": b""})``."""

    def make(files):
        root = tmp_path / "data"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, ns=(_LONG_AGO, _LONG_AGO))
        return root

    return make


_LONG_AGO = 1_700_000_000_123_456_789


@pytest.fixture(params=[signal.SIGTERM, signal.SIGINT])
def strike(request):
    """Sends the signal to us; the handlers are put back afterwards."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    interrupts.install()
    yield lambda: os.kill(os.getpid(), request.param)
    for one, handler in before.items():
        signal.signal(one, handler)
