# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the state of the fleet: status.json for programs, status.html for people."""

from __future__ import annotations

import datetime
import json
import os

from . import fleet, fleet_page, safefile, text
from .fleet import Host

_JSON, _HTML = "status.json", "status.html"


def keep(directory: str, hosts: list[Host], language: str) -> None:
    """Write both files, each whole at one instant, and for their owner alone, since they name servers and paths."""
    time = text.utc(datetime.datetime.now(datetime.timezone.utc))
    os.makedirs(directory, exist_ok=True)
    contents = {
        _JSON: json.dumps(fleet.document(hosts, time), indent=1, ensure_ascii=True),
        _HTML: fleet_page.page(hosts, time, language),
    }
    for name, content in contents.items():
        safefile.write(os.path.join(directory, name), iter((content.encode("utf-8", "backslashreplace"),)))


def summary(directory: str, hosts: list[Host]) -> dict:
    """What the module ``fleet_status`` returns."""
    return {
        "verdict": fleet.verdict(hosts),
        "counts": fleet.counts(hosts),
        "lines": list(fleet.lines(hosts)),
        "json": os.path.join(directory, _JSON),
        "html": os.path.join(directory, _HTML),
    }
