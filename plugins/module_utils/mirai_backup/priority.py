# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Steps back behind others for processor and disk: this process, and with it every program it starts from then on."""

from __future__ import annotations

import os

from . import process
from .command import Command
from .config import Config

_CLASSES = {"idle": ("-c", "3"), "best-effort": ("-c", "2", "-n", "7")}


def lower(config: Config) -> None:
    """Take the niceness and the class of disk access that the configuration asks for; never more than we have.

    Call it before any thread is started. Raises ProcessError when ``ionice`` is missing or the system refuses it.
    """
    if config.nice > os.getpriority(os.PRIO_PROCESS, 0):
        os.setpriority(os.PRIO_PROCESS, 0, config.nice)
    if config.ionice:
        process.run(Command(("ionice", *_CLASSES[config.ionice], "-p", str(os.getpid()))))
