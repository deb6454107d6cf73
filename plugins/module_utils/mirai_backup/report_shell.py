# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shell of a report's page: it needs nothing else, no network, no script, no font.

The page holds English and Japanese; a switch made of two radio buttons shows one of them.
"""

from __future__ import annotations

from . import report_style
from .report_html import Content, Html, Phrase, join, tag
from .report_phrases import WORDS

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(language: str, title: Phrase, name: Content, parts: list[Html], rules: str = "") -> str:
    """A whole page that opens in ``language`` (``en`` or ``ja``). ``name`` is shown at its top, ``rules`` are CSS."""
    if language not in WORDS:
        raise ValueError(f"language {language!r} is none of {', '.join(WORDS)}")
    choices = [_choice(code, code == language) for code in WORDS]
    body = tag("body", *choices, _header(name), *parts)
    return f"<!DOCTYPE html>\n{tag('html', _head(getattr(title, language), rules), body, lang=language)}\n"


def _head(title: Html, rules: str) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        tag("style", Html(report_style.sheet() + rules)),
    )


def _choice(code: str, chosen: bool) -> Html:
    name = f"show-{code}"
    return tag(
        "input", type="radio", name_="show", id=name, class_="choice", autocomplete="off", checked=chosen or None
    )


def _header(name: Content) -> Html:
    labels = [
        tag("label", words, for_=f"show-{code}", lang=code) for code, words in (("en", "English"), ("ja", "日本語"))
    ]
    return tag("header", tag("p", name), tag("div", *labels, class_="switch"))


def titled(*pieces: Content) -> Phrase:
    """``pieces`` one after the other as a title in each language."""
    return Phrase(
        *(join(*[getattr(one, code) if isinstance(one, Phrase) else one for one in pieces]) for code in WORDS)
    )
