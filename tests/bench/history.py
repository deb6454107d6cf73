"""Gives a repository many sealed backups, through the engine itself, without dumping that often."""

from __future__ import annotations

import datetime
import os
from dataclasses import replace
from unittest.mock import patch

from mirai_backup import manifest, repository, seal, text
from mirai_backup.sinks import HashedFile
from subject import Subject


def fill(subject: Subject, count: int) -> None:
    """Seal ``count`` backups of the database like the newest there is, an hour apart, their dumps a few bytes.

    Nothing is forced to disk meanwhile: what is measured is how they are read.
    """
    path = str(subject.repository)
    newest = repository.listing(path).good(frozenset({"database"}))[-1].manifest
    began = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
    with patch.object(os, "fsync"):
        for number in range(1, count + 1):
            moment = began + datetime.timedelta(hours=number)
            timestamp = f"{moment:%Y%m%d_%H%M%S}"
            head = replace(
                newest,
                id=f"mirai_db_{timestamp}",
                sequence=newest.sequence + number,
                started=text.utc(moment),
                ended=text.utc(moment),
            )
            with seal.staging(path) as stage:
                name = f"mirai_db_{timestamp}.sql.gz"
                with HashedFile(os.path.join(stage, name)) as file:
                    file.write(timestamp.encode())
                    head = replace(head, artifacts=(file.finish(name),))
                seal.publish(path, stage, head, lambda: iter(()))


def head_bytes(subject: Subject) -> int:
    """The size of one of their manifests."""
    path = repository.listing(str(subject.repository)).backups[-1].manifest_path
    assert manifest.read(path)
    return os.path.getsize(path)
