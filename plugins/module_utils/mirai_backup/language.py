# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which language people are told in: LATEST_BACKUP.txt, alerts and the report of a drill."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Optional

LANGUAGES = ("en", "ja")
# In this order, as setlocale(3) has it.
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
# The system's own locale, which cron does not pass on: Debian's file, and that of systemd.
_FILES = ("/etc/default/locale", "/etc/locale.conf")


def chosen(setting: str, environment: Optional[Mapping[str, str]] = None, files: tuple[str, ...] = _FILES) -> str:
    """``setting`` where it is a language, else that of the locale.

    The locale is that of ``environment``, or where it names none, of the first of ``files`` that does. ``C`` and
    ``POSIX`` name none. A locale whose language there are no words in is English.
    """
    if setting in LANGUAGES:
        return setting
    locale = _locale(os.environ if environment is None else environment)
    for path in files:
        locale = locale or _locale(_assignments(path))
    return next((one for one in LANGUAGES if re.match(rf"{one}([_.@]|$)", locale)), LANGUAGES[0])


def _locale(variables: Mapping[str, str]) -> str:
    """The locale of messages, empty where none is named."""
    name = next((variables[one] for one in _VARIABLES if variables.get(one)), "")
    return "" if name.partition(".")[0] in ("C", "POSIX") else name


def _assignments(path: str) -> dict[str, str]:
    """The variables that a file of ``NAME=value`` lines sets; none where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = re.findall(r"^\s*(\w+)=[\"']?([^\"'\s#]*)", file.read(), re.MULTILINE)
    except OSError:
        return {}
    return dict(found)
