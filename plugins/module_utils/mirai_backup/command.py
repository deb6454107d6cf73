# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A program to run, as a value: its arguments, the environment it is given, the account it runs as."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import Callable, Optional

from .errors import EngineError, ProcessError

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What would change how programs connect, or speak, behind the configuration's back.
_NOT_PASSED_ON = ("PG", "LC_", "LANG", "RCLONE_", "AWS_")


@dataclass(frozen=True)
class Command:
    """A program to run: ``argv``, what it adds to the environment, and whom to run as.

    ``descriptors`` are open files that it inherits; ``secrets`` are taken out of its messages; ``end_signal``
    ends it so that it lets its server know; ``complains_on_stdout`` is for programs that say there what failed.
    ``explain`` makes an error of its stderr where its words need reading.
    """

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    descriptors: tuple[int, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    end_signal: int = signal.SIGTERM
    explain: Optional[Callable[[str], Optional[EngineError]]] = None
    complains_on_stdout: bool = False

    @property
    def name(self) -> str:
        """The program's name, for messages."""
        return os.path.basename(self.argv[0])


def environment(extra: tuple = ()) -> dict:
    """The environment of every child: ours without locale, PG*, RCLONE_* and AWS_*, with a full PATH and ``extra``."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_PASSED_ON)}
    kept["PATH"] = ":".join(filter(None, (os.environ.get("PATH", ""), _SYSTEM_PATH)))
    kept["LC_ALL"] = "C.UTF-8"
    kept.setdefault("HOME", "/")
    kept.update(extra)
    return kept


def identity(command: Command) -> dict:
    """The Popen arguments that make ``command`` run as its user with that user's groups; none where it has no user.

    Raises ProcessError where there is no such account.
    """
    if not command.user:
        return {}
    import pwd

    try:
        account = pwd.getpwnam(command.user)
    except KeyError as error:
        raise ProcessError(f"{command.name} cannot be started: there is no account {command.user}") from error
    return {
        "user": account.pw_uid,
        "group": account.pw_gid,
        "extra_groups": os.getgrouplist(command.user, account.pw_gid),
    }
