# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Foreign text made fit for XML and HTML: names of tables and files may hold anything."""

from __future__ import annotations

import re

# What XML 1.0 forbids, the controls it only discourages, a carriage return (a parser would turn it into a line
# break), and the marks that reorder the text around them: a name must not be able to rewrite a report.
_UNFIT = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def clean(value: object) -> str:
    """``value`` as text in which every unfit character is spelled out, such as ``\\x00`` or ``\\u202e``."""
    return _UNFIT.sub(_spelled, str(value))


def _spelled(match: re.Match) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
