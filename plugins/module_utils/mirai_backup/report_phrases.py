# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sentences, counts, times and lengths of time, each in both languages."""

from __future__ import annotations

import re
from typing import Optional

from . import fleet_words_en, fleet_words_ja, report_words_en, report_words_ja, text
from .report_html import Content, Html, Phrase, escape, join

WORDS = {
    "en": {**report_words_en.WORDS, **fleet_words_en.WORDS},
    "ja": {**report_words_ja.WORDS, **fleet_words_ja.WORDS},
}
NONE = Phrase(Html("–"), Html("–"))
_JAPANESE_UNITS = {"d": "日", "h": "時間", "min": "分", "s": "秒"}


def say(key: str, **values: Content) -> Phrase:
    """The sentence ``key`` with ``values`` filled in."""
    return Phrase(*(_filled(language, key, values) for language in ("en", "ja")))


def named(group: str, name: str) -> Phrase:
    """What the drill document calls ``name``, in words; a name that has none stands for itself."""
    key = f"{group}_{name}"
    return say(key) if key in WORDS["en"] else same(name)


def same(value: object) -> Phrase:
    """A phrase that is the same in both languages."""
    return Phrase(escape(value), escape(value))


def counted(noun: str, count: int) -> Phrase:
    """``count`` of something, such as ``1 table`` or ``20,328 rows``."""
    return say(f"{noun}_one" if count == 1 else f"{noun}_many", n=number(count))


def listed(phrases: list[Phrase]) -> Phrase:
    """``a, b and c``."""
    *first, last = phrases
    if not first:
        return last
    return Phrase(
        Html(", ".join(one.en for one in first) + " and " + last.en), Html("、".join(one.ja for one in phrases))
    )


def together(*sentences: Phrase) -> Phrase:
    """Sentences one after the other; Japanese sets no space between them."""
    return Phrase(Html(" ".join(one.en for one in sentences)), Html("".join(one.ja for one in sentences)))


def number(value: Optional[float]) -> str:
    """A count with its thousands set apart."""
    return "–" if value is None else f"{value:,}"


def duration(seconds: Optional[float]) -> Phrase:
    """A length of time."""
    if seconds is None:
        return NONE
    words = text.duration(max(seconds, 0))
    japanese = re.sub(r"(\d) (d|h|min|s)\b", lambda found: f"{found[1]} {_JAPANESE_UNITS[found[2]]}", words)
    return Phrase(Html(words), Html(japanese))


def moment(utc: str) -> Html:
    """A point in time, to the minute."""
    written = text.parse_utc(utc)
    return join(written.strftime("%Y-%m-%d %H:%M"), Html("&#160;UTC"))


def day(utc: str) -> str:
    """The date of a point in time."""
    return text.parse_utc(utc).strftime("%Y-%m-%d")


def _filled(language: str, key: str, values: dict[str, Content]) -> Html:
    template = escape(WORDS[language][key])
    return Html(template.format(**{name: _in(language, value) for name, value in values.items()}))


def _in(language: str, value: Content) -> Html:
    return getattr(value, language) if isinstance(value, Phrase) else escape(value)
