# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Says to people how a run ended: on failure, on recovery, and on success where that is wanted."""

from __future__ import annotations

import datetime
import socket
from typing import Optional

from . import channels, language, notices, repository, secrecy, text
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
    host, tongue = socket.gethostname(), language.chosen(config.language)
    title = notices.title(tongue, run.verb, run.kind)
    about = run.cause or ("; ".join(run.problems) if first == "FAILED" else "")
    subject = " ".join(f"{first} {host}: {title}{': ' + about if about else ''}".split())
    result, time = notices.say(tongue, run.result), text.local(run.ended_at)
    rows = [
        ("what", notices.say(tongue, "what_ran", title=title, application=config.application, host=host)),
        ("result", notices.say(tongue, "result_said", result=result, code=run.exit_code, time=time)),
        ("took", text.duration(run.duration_seconds)),
        ("backup_id", run.backup),
        ("cause", run.cause),
        ("next_step", run.next_step),
        *(("problem", one) for one in run.problems),
        ("last_good", _last_good(config, tongue)),
        ("repository", config.repository),
        ("log", config.log),
    ]
    body = "".join(f"{line}\n" for line in notices.lines(tongue, [row for row in rows if row[1]]))
    subject, body = secrecy.clean(config, subject), secrecy.clean(config, body)
    if len(subject) > _SUBJECT:
        subject = subject[: _SUBJECT - 1] + "…"
    return Message(subject, body, _TONES[first])


def test(config: Config) -> Outcome:
    """Send a test through every channel; exit 0 when all take it, 1 when one does not or there is none."""
    found = channels.find(config)
    host, tongue = socket.gethostname(), language.chosen(config.language)
    sent = Message(
        f"TEST {host}: {notices.say(tongue, 'test_subject')}",
        notices.say(tongue, "test", application=config.application, host=host),
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


def _last_good(config: Config, tongue: str) -> str:
    try:
        good = repository.listing(config.repository).good()
    except (EngineError, OSError) as error:
        return notices.say(tongue, "good_unknown", why=getattr(error, "message", error))
    if not good:
        return notices.say(tongue, "good_none")
    newest = good[-1]
    age = (datetime.datetime.now(datetime.timezone.utc) - newest.head.ended_at).total_seconds()
    halves = [notices.say(tongue, half) for half in sorted(newest.head.components)]
    said = notices.say(tongue, "halves", *halves) if len(halves) > 1 else halves[0]
    age_said = text.duration(max(age, 0))
    return notices.say(tongue, "good_said", id=newest.id, halves=said, age=age_said, path=newest.path)
