"""hashed: bytes are held to the manifest while they are read."""

import hashlib
import io
import os

import pytest
from mirai_backup import repository
from mirai_backup.errors import MismatchError
from mirai_backup.hashed import HashedReader, require_sealed
from mirai_backup.sinks import Artifact

WHOLE = Artifact("x", 7, hashlib.sha256(b"content").hexdigest())


def read(content):
    counted = []
    reader = HashedReader(io.BytesIO(content), counted.append)
    assert reader.read(3) == content[:3]
    reader.drain()
    assert sum(counted) == len(content)
    return reader


def test_what_is_as_sealed_matches():
    assert read(b"content").matches(WHOLE)
    assert read(b"content").artifact("x") == WHOLE


def test_why_it_does_not_match():
    assert not read(b"conten").matches(WHOLE)
    assert read(b"conten").difference(WHOLE) == "6 bytes instead of 7"
    assert read(b"Content").difference(WHOLE) == "its SHA-256 is not the manifest's"


def test_a_backup_is_held_to_its_digests_without_decoding_it(repo, sealed):
    sealed(content=b"nothing that could be decoded")
    (one,) = repository.listing(repo).backups
    require_sealed(one)
    os.truncate(one.path, 3)
    with pytest.raises(MismatchError, match="is damaged: 3 bytes instead of 29"):
        require_sealed(one)
