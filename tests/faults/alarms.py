"""Who is told when a backup fails: an HTTP server and an SMTP server that keep what they are sent."""

from __future__ import annotations

from pathlib import Path

from installed import ROOT
from sinks import HttpSink, SmtpSink, words_of

HOOK_PASSWORD = "canary-hook-secret-99"


class Alerts:
    """Sinks of one world, and the file that names them; ``directory`` is put into PATH, since it holds apprise."""

    def __init__(self, directory: Path) -> None:
        self.http = HttpSink()
        self.smtp = SmtpSink()
        self.directory = directory / "alert-programs"
        self.directory.mkdir()
        self._install()
        self.path = directory / "alerts.conf"
        self._name_them()

    def _install(self) -> None:
        apprise = self.directory / "apprise"
        apprise.unlink(missing_ok=True)
        apprise.symlink_to(ROOT / ".venv" / "bin" / "apprise")

    def spoil(self) -> None:
        """Nothing can be sent at all, until ``reset``."""
        (self.directory / "apprise").unlink()
        (self.directory / "apprise").write_text("#!/bin/sh\necho 'No module named apprise' >&2\nexit 1\n")
        (self.directory / "apprise").chmod(0o755)

    def _name_them(self) -> None:
        mail = f"mailto://127.0.0.1:{self.smtp.port}/ops@example.org?from=backup@example.org"
        hook = f"json://hookuser:{HOOK_PASSWORD}@127.0.0.1:{self.http.port}/alerts"
        self.path.write_text(f"channel1={mail}\nchannel2={hook}\n")
        self.path.chmod(0o600)

    def reset(self) -> None:
        """Both take everything, and have been told nothing yet."""
        self._install()
        self.http.requests.clear()
        self.smtp.mails.clear()
        self.http.status, self.http.hangs, self.smtp.refusal = 200, False, ""

    def hooked(self) -> list[str]:
        """Title and text of each message that came by HTTP."""
        return [
            f"{one.document['title']}\n{one.document['message']}" for one in self.http.requests if one.path == "/alerts"
        ]

    def mailed(self) -> list[str]:
        """Subject and text of each message that came by mail."""
        return [f"{one['subject']}\n{words_of(one)}" for one in self.smtp.mails]

    def release(self) -> None:
        """A webhook that hung is let go, and another takes its place."""
        self.http.close()
        self.http = HttpSink()
        self._name_them()

    def close(self) -> None:
        """Let both go."""
        self.http.close()
        self.smtp.close()
