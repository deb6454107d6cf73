# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Loads a database within itself, after a safety backup of what it holds: the way back, since nothing lies beside."""

from __future__ import annotations

import dataclasses
import os

from . import backup, in_place, safefile, verify
from .config import Config
from .postgres import Session
from .repository import Backup
from .restores import Journal
from .target import DatabaseTarget
from .watch import Observer


def load(
    config: Config, place: DatabaseTarget, journal: Journal, source: Backup, work: str, observer: Observer
) -> tuple[Journal, Session, dict]:
    """Keep writers out, back up what is there, replace it by ``work``/dump and prove that; nothing is committed yet.

    Returns the journal with the transaction's number, the open session, and the proof. Between the safety backup and
    the commit nobody could write: the safety backup is the state that the restore replaces.
    """
    session = in_place.begin(place)
    try:
        directory = journal.database["previous"]
        observer.say(f"safety backup of {place.live} in {directory}")
        safefile.make_directory(os.path.dirname(directory))
        # Like a database that is kept beside, it is for this server alone, which may not have the private key.
        here = dataclasses.replace(config, repository=directory, gpg_recipients=(), gpg_sign_key="")
        kept = backup.within(here, "database", observer)
        verify.check(here, kept, observer)
        observer.say(f"restoring {source.id} within {place.live}, in one transaction")
        proof = in_place.load(place, session, work, source.manifest)
        known_by = {"xid": in_place.number_for_good(place, session), "system": place.server.system_identifier}
        database = {**journal.database, **known_by}
        return dataclasses.replace(journal, database=database), session, proof
    except BaseException:
        session.close()
        raise
