# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Colours the words of a line that say how things stand, on terminals only."""

from __future__ import annotations

import os
import re
from typing import Optional, TextIO

_GREEN, _RED, _YELLOW = "32", "31", "33"
_COLOURS = {
    "ok": _GREEN,
    "pass": _GREEN,
    "drilled": _GREEN,
    "problem": _RED,
    "fail": _RED,
    "FAILED": _RED,
    "damaged": _RED,
    "NOT WHOLE": _RED,
    "warning": _YELLOW,
    "could_not_verify": _YELLOW,
    "pinned": _YELLOW,
}
# Such a word stands at an end of the line or of what a colon introduces, never within a name or a sentence.
_WORD = re.compile(rf"(?:(?<=^)|(?<=: )|(?<=  ))({'|'.join(_COLOURS)})(?=:|$|  )")


def wanted(stream: Optional[TextIO]) -> bool:
    """Whether ``stream`` is a terminal that takes colours. NO_COLOR (no-color.org) says that nobody wants them."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return stream is not None and stream.isatty() and not plain


def painted(line: str) -> str:
    """The line with its verdicts coloured."""
    return _WORD.sub(lambda found: f"\x1b[1;{_COLOURS[found[1]]}m{found[1]}\x1b[0m", line)
