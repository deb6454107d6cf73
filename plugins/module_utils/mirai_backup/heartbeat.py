# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The dead man's switch: pings a URL when a run begins and ends (the protocol of healthchecks.io).

A job that never runs sends no alert; the service behind the URL does, when the pings stay away.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
import urllib.parse
import urllib.request
import uuid

from .redact import redact

_TIMEOUT = 10.0
_BODY = 10_000
_PAUSES = (1.0, 3.0)


class Heartbeat:
    """The pings of one run, which share its run ID. Without a URL nothing is sent."""

    def __init__(self, url: str, timeout: float = _TIMEOUT, pauses: tuple[float, ...] = _PAUSES) -> None:
        self._url = url
        self._run_id = str(uuid.uuid4())
        self._timeout = timeout
        self._pauses = pauses

    def begin(self) -> str:
        """Say that the run begins, tried once, since the run waits for it; returns how that failed, or nothing."""
        return self._ping("start", "", ())

    def end(self, exit_code: int, summary: str) -> str:
        """Say how the run ended, tried again where that fails; returns how it failed, or nothing."""
        return self._ping(str(exit_code), summary, self._pauses)

    def _ping(self, signal: str, summary: str, pauses: tuple[float, ...]) -> str:
        if not self._url:
            return ""
        failure = self._send(signal, summary)
        for pause in pauses:
            if not failure:
                break
            time.sleep(pause)
            failure = self._send(signal, summary)
        return f"heartbeat {signal}: {redact(failure, secrets(self._url))}" if failure else ""

    def _send(self, signal: str, summary: str) -> str:
        """One request, which takes no longer than the timeout even where the answer drips in."""
        request = urllib.request.Request(
            address(self._url, signal, self._run_id),
            data=summary.encode("utf-8", "backslashreplace")[:_BODY],
            headers={"User-Agent": "mirai-backup", "Content-Type": "text/plain; charset=utf-8"},
            method="POST",
        )
        failures = ["no answer within the time"]

        def send() -> None:
            try:
                with urllib.request.build_opener().open(request, timeout=self._timeout):
                    failures[0] = ""
            except (OSError, ValueError, http.client.HTTPException) as error:
                failures[0] = str(error) or type(error).__name__

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        thread.join(self._timeout)
        return failures[0]


def address(url: str, signal: str, run_id: str) -> str:
    """The URL of one ping: ``<url>/<signal>?rid=<run_id>``; a query that the URL has stays."""
    parts = urllib.parse.urlsplit(url)
    query = "&".join(filter(None, (parts.query, f"rid={run_id}")))
    return urllib.parse.urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{signal}", query=query, fragment=""))


def secrets(url: str) -> tuple[str, ...]:
    """What in a heartbeat URL nobody else should read: the URL, and what in its path looks like a key."""
    parts = urllib.parse.urlsplit(url).path.split("/")
    return (url, *(part for part in parts if len(part) >= 8 and re.search(r"[0-9]", part))) if url else ()
