# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Says to people how a run ended: on failure, on recovery, and on success where that is wanted."""

from __future__ import annotations

import datetime
import socket
from typing import Optional

from . import channels, repository, secrecy, text
from .channels import Delivery, Message
from .config import Config
from .errors import EngineError
from .outcome import FAILED, OK, Outcome
from .runs import Run

_SUBJECT = 160
_TONES = {"FAILED": "failure", "INCOMPLETE": "warning", "RECOVERED": "success", "SUCCESS": "success"}
_UNBEGUN = (10, 64)


def word(config: Config, run: Run, before: Optional[Run], hook_failed: bool = False) -> str:
    """How an alert on ``run`` begins, given the one before it; empty when nobody is told.

    A hook that failed is alerted even where the run is ok: the application may still be in maintenance mode.
    """
    if run.verb in ("restore", "rollback") and run.exit_code in _UNBEGUN:
        return ""  # refused before it began; whoever asked for it reads that
    if run.result == "failed":
        return "FAILED"
    if run.result == "incomplete":
        return "INCOMPLETE"
    if hook_failed:
        return "FAILED"
    if before is not None and before.result != "ok":
        return "RECOVERED"
    return "SUCCESS" if config.alert_success else ""


def message(config: Config, run: Run, first: str) -> Message:
    """The alert that begins with the word ``first``; free of secrets and of rows."""
    host = socket.gethostname()
    about = run.cause or ("; ".join(run.problems) if first == "FAILED" else "")
    subject = " ".join(f"{first} {host}: {run.title}{': ' + about if about else ''}".split())
    lines = [
        ("What", f"{run.title} of {config.application} on {host}"),
        ("Result", f"{run.result}, exit code {run.exit_code}, {text.local(run.ended_at)}"),
        ("Took", text.duration(run.duration_seconds)),
        ("Backup", run.backup),
        ("Cause", run.cause),
        ("Next step", run.next_step),
        *(("Problem", one) for one in run.problems),
        ("Last good", _last_good(config)),
        ("Repository", config.repository),
        ("Log", config.log),
    ]
    body = "".join(f"{name + ':':<12}{value}\n" for name, value in lines if value)
    subject, body = secrecy.clean(config, subject), secrecy.clean(config, body)
    if len(subject) > _SUBJECT:
        subject = subject[: _SUBJECT - 1] + "…"
    return Message(subject, body, _TONES[first])


def test(config: Config) -> Outcome:
    """Send a test through every channel; exit 0 when all take it, 1 when one does not or there is none."""
    found = channels.find(config)
    host = socket.gethostname()
    sent = Message(
        f"TEST {host}: alerts of mirai-backup",
        f"This is a test of the alerts of {config.application} on {host}.\nNothing has happened.\n",
        "info",
    )
    deliveries = channels.send(config, found, sent)
    working = sum(not one.failure for one in deliveries)
    document = {
        "channels": [{"name": one.name, "works": not one.failure, "failure": one.failure} for one in deliveries],
        "working": working,
    }
    lines = [f"{one.name}: {one.failure or 'works'}" for one in deliveries]
    if not found:
        lines.append("there is no channel: set alert_urls, or install a mail server for alert_mail")
    return Outcome(document, tuple(lines), OK if found and working == len(found) else FAILED)


def send(config: Config, told: Message) -> list[Delivery]:
    """Send ``told`` through every channel; without one nothing is sent."""
    return channels.send(config, channels.find(config), told)


def _last_good(config: Config) -> str:
    try:
        good = repository.listing(config.repository).good()
    except (EngineError, OSError) as error:
        return f"unknown: {getattr(error, 'message', error)}"
    if not good:
        return "there is none"
    newest = good[-1]
    age = (datetime.datetime.now(datetime.timezone.utc) - newest.manifest.ended_at).total_seconds()
    halves = " and ".join(sorted(newest.manifest.components))
    return f"{newest.id} ({halves}), {text.duration(max(age, 0))} old, {newest.path}"
