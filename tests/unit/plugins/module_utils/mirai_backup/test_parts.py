"""parts: a full archive that plain tar reads, its members unchanged."""

import errno
import hashlib
import os
import subprocess

import pytest
from mirai_backup import parts
from mirai_backup.sinks import Artifact

NAMES = ("database/mirai_db_20261123_020000.sql.gz", "json/mirai_json_20261123_020000.tar.gz", "json/empty")


def test_the_guides_tar_reads_it_and_the_members_are_identical(tmp_path):
    contents = dict(zip(NAMES, (os.urandom(3_000_001), os.urandom(512), b"")))
    pairs = []
    for number, (name, content) in enumerate(contents.items()):
        (tmp_path / str(number)).write_bytes(content)
        pairs.append((str(tmp_path / str(number)), Artifact(name, len(content), "")))
    path = str(tmp_path / "full.tar.gz")
    artifact = parts.bundle(path, "full.tar.gz", pairs, 1_700_000_000.9)

    raw = open(path, "rb").read()
    assert artifact == Artifact("full.tar.gz", len(raw), hashlib.sha256(raw).hexdigest())
    assert len(raw) < sum(map(len, contents.values())) * 1.01
    assert os.listdir(tmp_path) == ["full.tar.gz"]  # no part is there twice
    listed = subprocess.run(["tar", "-tzf", path], capture_output=True, text=True, check=True).stdout.split()
    assert listed == list(NAMES)
    subprocess.run(["tar", "-xzf", path, "-C", tmp_path], check=True)
    for name, content in contents.items():
        assert (tmp_path / name).read_bytes() == content
        assert os.stat(tmp_path / name).st_mode & 0o777 == 0o600
        assert os.stat(tmp_path / name).st_mtime == 1_700_000_000


def test_a_full_disk_is_named_and_no_part_is_gone_before_it(tmp_path, monkeypatch):
    part = tmp_path / "part"
    part.write_bytes(os.urandom(9_000_000))
    written = []

    def write(descriptor, block):
        written.append(len(block))
        if len(written) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(block)

    monkeypatch.setattr(os, "write", write)
    path = str(tmp_path / "full.tar.gz")
    with pytest.raises(OSError, match="No space left") as caught:
        parts.bundle(path, "full.tar.gz", [(str(part), Artifact(NAMES[0], 9_000_000, ""))], 0.0)
    assert caught.value.filename == path
    assert part.exists()
    assert len(written) < 8  # it does not go on for long


def test_what_fails_last_is_raised_too(tmp_path):
    def write(block):
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"), parts._behind(write) as later:
        later(b"the only block")
