# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must not leave the machine by any message: every secret that the configuration holds or leads to."""

from __future__ import annotations

import contextlib
import re

from . import channels, heartbeat
from .config import Config
from .dburl import parse
from .envfile import read_value
from .errors import EngineError
from .redact import redact, without_rows


def clean(config: Config, words: str) -> str:
    """``words`` without any of the secrets, and without rows of the database."""
    return redact(without_rows(words), secrets(config))


def secrets(config: Config) -> tuple[str, ...]:
    """Every secret; a source that cannot be read adds none."""
    urls = [config.database_url, config.admin_url, config.drill_url]
    found = [*heartbeat.secrets(config.heartbeat_url), *heartbeat.secrets(config.drill_heartbeat_url)]
    with contextlib.suppress(EngineError):
        urls.append(read_value(config.env_file, "DATABASE_URL"))
    for url in filter(None, urls):
        found += [url, *re.findall(r"://[^/@:]*:([^/]*)@", url)]
        with contextlib.suppress(EngineError):
            found.append(parse(url).password)
    with contextlib.suppress(EngineError):
        found += channels.secrets(config)
    return tuple(filter(None, found))
