# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes what a drill found: drill.json for programs, junit.xml for CI, report.html for people."""

from __future__ import annotations

import json
import os

from . import drill_history, junit, report, safefile


def keep(repository: str, document: dict, language: str) -> str:
    """Write the files of one drill below ``drills/``, then its line of the history; returns their directory.

    The report opens in ``language``, ``en`` or ``ja``.
    """
    root = os.path.join(repository, drill_history.DIRECTORY)
    directory = os.path.join(root, document["id"])
    safefile.make_directory(root)
    safefile.make_directory(directory)
    contents = {
        "drill.json": json.dumps(document, indent=1, ensure_ascii=True),
        "junit.xml": junit.document(document),
        "report.html": report.page(document, language),
    }
    for name, content in contents.items():
        safefile.write(os.path.join(directory, name), iter((content.encode("utf-8", "backslashreplace"),)))
    drill_history.append(repository, document["history"][-1])
    return directory
