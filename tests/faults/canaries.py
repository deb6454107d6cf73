"""Secrets that must not turn up: the password in no text at all, rows and file contents only inside artifacts."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

from alarms import HOOK_PASSWORD
from content import FILE_CANARY, ROW_CANARY
from findings import Leak, need
from keychain import PASSPHRASE
from world import PASSWORD, World

FORMS = {
    PASSWORD[:8],  # no way of quoting changes it
    PASSWORD,
    quote(PASSWORD, safe=""),
    quote(PASSWORD),
    quote_plus(PASSWORD),
    json.dumps(PASSWORD)[1:-1],
    json.dumps(PASSWORD, ensure_ascii=False)[1:-1],
    PASSWORD.replace("'", "''"),
    base64.b64encode(PASSWORD.encode()).decode(),
    ROW_CANARY,
    FILE_CANARY,
    PASSPHRASE,
    HOOK_PASSWORD,
}


def absent(world: World, *texts: str) -> None:
    """Look at everything the engine wrote in plain text, at what it printed, and at ``texts``."""
    places = [world.log, *world.repository.glob("*.txt"), *world.repository.glob("*.log")]
    places += [*world.repository.glob("*/*.manifest.json"), *world.repository.glob(".restore/*")]
    places += [path for path in world.repository.glob("drills/**/*") if path.is_file()]
    found = [(str(path), path.read_text(errors="replace")) for path in places if path.is_file()]
    found += [("what was printed", text) for text in (*world.transcripts, *texts)]
    if world.alerts is not None:
        found += [("an alert", text) for text in (*world.alerts.hooked(), *world.alerts.mailed())]
    for where, text in found:
        for form in FORMS:
            need(form not in text, Leak, f"{where} holds a canary")
