# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The family of errors. Each carries the exit code that the command documents."""

from __future__ import annotations


class EngineError(Exception):
    """Something failed.

    ``message`` says what failed and on which object, ``next_step`` what to do about it (``usual_step`` of the
    class unless told); both are one line for people, free of secrets. ``exit_code`` is the command's exit status.
    """

    exit_code = 1
    usual_step = "see the log; mirai-backup --traceback shows where it came from"

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step or self.usual_step

    @property
    def words(self) -> str:
        """Both lines, as they are printed and logged."""
        return f"{self.message}\n  next: {self.next_step}"

    def document(self) -> dict:
        """The error as the JSON document that ``--json`` prints and the modules return."""
        return {
            "error": self.message,
            "next_step": self.next_step,
            "exit_code": self.exit_code,
            "error_type": type(self).__name__,
        }


class ConfigError(EngineError):
    """A configuration key, file or argument is unknown, of the wrong type, or impossible."""

    exit_code = 64


class NotSetUpError(ConfigError):
    """There is no configuration: this machine was never set up, or no longer is."""


class UsageError(EngineError):
    """The command was called in a way that cannot mean anything."""

    exit_code = 64


class PreflightError(EngineError):
    """Something that a run needs is missing; nothing was begun."""


class ProcessError(EngineError):
    """A program that the engine started failed, died or could not be started."""

    usual_step = "read what it said; the log has the time"


class DatabaseError(EngineError):
    """The PostgreSQL server cannot be reached or refused a statement."""

    usual_step = "see the server's log"


class MismatchError(EngineError):
    """Content is not what its manifest says."""

    exit_code = 2
    usual_step = "use another backup; mirai-backup verify --all says which are whole"


class CouldNotVerifyError(EngineError):
    """A check could not be carried out, so nothing was shown either way."""

    exit_code = 4


class NotFoundError(EngineError):
    """There is no such backup, or no repository."""

    exit_code = 10


class LockedError(EngineError):
    """Another run holds the repository."""

    exit_code = 11


class DecryptError(EngineError):
    """What is encrypted cannot be read: the private key is not here, or its passphrase is not the right one."""

    exit_code = 12


class Interrupted(EngineError):
    """The run was ended by a signal; what it had begun is debris that the next run sweeps."""

    exit_code = 130
