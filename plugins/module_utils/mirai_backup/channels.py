# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ways a message can take: apprise, one process a channel, and local mail. None can hold up another for long."""

from __future__ import annotations

import email.message
import email.policy
import re
import shutil
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Optional

from . import process
from .command import Command, environment
from .config import Config
from .errors import ConfigError, ProcessError

TIMEOUT = 45.0
_PAUSE = 2.0
_LINE = re.compile(r"(channel\d+)=(\S.*)")
_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[^.]{8,}|[^.]{20,}")
_TOGETHER = 8
_SCHEMA = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """What is sent. ``tone`` is apprise's notification type: failure, warning, success or info."""

    subject: str
    body: str
    tone: str


@dataclass(frozen=True)
class Channel:
    """A way for messages: an entry of the alert file by its ``tag``, or local mail, whose tag is empty.

    ``failure`` says why it cannot even be tried.
    """

    name: str
    tag: str = ""
    url: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Delivery:
    """What became of a message on the channel ``name``; ``failure`` is empty when the channel took it."""

    name: str
    failure: str


def find(config: Config) -> tuple[Channel, ...]:
    """The channels that there are; local mail only where a sendmail is."""
    try:
        found = [Channel(f"{tag} ({_schema(url)})", tag, url) for tag, url in _entries(config.alerts_config)]
        if config.alerts_config and not found:
            raise ConfigError(f"alerts_config {config.alerts_config} names no channel")
    except ConfigError as error:  # local mail is still there
        found = [Channel("alerts_config", failure=error.message)]
    if config.alert_mail and _sendmail() is not None:
        found.append(Channel("mail"))
    return tuple(found)


def send(config: Config, channels: tuple[Channel, ...], message: Message, timeout: float = TIMEOUT) -> list[Delivery]:
    """Send ``message`` through every channel, side by side, each with its own ``timeout`` in seconds.

    A channel that fails is tried once more: a connection that breaks off is no reason for silence.
    """
    if not channels:
        return []
    with ThreadPoolExecutor(min(_TOGETHER, len(channels))) as pool:
        return list(pool.map(lambda one: _deliver(config, one, message, timeout), channels))


def secrets(config: Config) -> tuple[str, ...]:
    """The alert file's URLs, and what in them looks like a password or a token. Raises ConfigError."""
    found = []
    for _tag, url in _entries(config.alerts_config):
        password = re.match(r"[^/]*://[^/@:]*:([^/]*)@", url)
        found += [url, *(password.groups() if password else ())]
        found += [part for part in _parts(url) if _TOKEN.fullmatch(part)]
    return tuple(found)


def _entries(path: str) -> list[tuple[str, str]]:
    """Tag and URL of each entry of the alert file."""
    if not path:
        return []
    try:
        with open(path, encoding="utf-8") as file:
            matches = [_LINE.fullmatch(line.strip()) for line in file]
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"alerts_config {path} cannot be read: {why}", "run mirai.backup.setup again") from error
    return [(match.group(1), match.group(2)) for match in matches if match is not None]


def _deliver(config: Config, channel: Channel, message: Message, timeout: float) -> Delivery:
    if channel.failure:
        return Delivery(channel.name, channel.failure)
    command, text = _apprise(config, channel, message) if channel.tag else _mail(config, message)
    deadline = time.monotonic() + timeout
    failure = _try(command, text, timeout)
    left = deadline - time.monotonic() - _PAUSE
    if failure and left > 0:
        time.sleep(_PAUSE)
        failure = _try(command, text, left)
    return Delivery(channel.name, failure)


def _try(command: Command, text: bytes, timeout: float) -> str:
    """Run ``command``; returns why it failed, or nothing."""
    try:
        process.run(command, text, timeout)
    except ProcessError as error:
        return error.message
    return ""


def _apprise(config: Config, channel: Channel, message: Message) -> tuple[Command, bytes]:
    """The URL stays in the file; of what apprise says about it, and about others that it reads, the rest is kept."""
    masked = tuple(part for _tag, url in _entries(config.alerts_config) for part in (url, *_parts(url)))
    argv = ("apprise", "--config", config.alerts_config, "--tag", channel.tag)
    argv += ("--title", message.subject, "--notification-type", message.tone, "--verbose")
    command = Command(argv, secrets=masked, complains_on_stdout=True)
    return command, message.body.encode("utf-8", "backslashreplace")


def _mail(config: Config, message: Message) -> tuple[Command, bytes]:
    mail = email.message.EmailMessage(email.policy.default.clone(linesep="\n"))
    mail["To"] = ", ".join(config.alert_mail)
    mail["Subject"] = message.subject
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body.encode("utf-8", "backslashreplace").decode("utf-8"))
    return Command((_sendmail() or "sendmail", "-oi", "-t")), mail.as_bytes()


def _sendmail() -> Optional[str]:
    return shutil.which("sendmail", path=environment()["PATH"])


def _schema(url: str) -> str:
    match = _SCHEMA.match(url)
    return match.group(0) if match is not None and "://" in url else "?"


def _parts(url: str) -> tuple[str, ...]:
    """The parts of a URL, as written and as meant: of many services even the host is a token."""
    rest, _mark, query = url.partition("://")[2].partition("?")
    parts = re.split(r"[/@:,]+", rest) + [pair.partition("=")[2] for pair in query.split("&")]
    return tuple({part for one in parts for part in (one, urllib.parse.unquote(one)) if len(part) >= 4})
