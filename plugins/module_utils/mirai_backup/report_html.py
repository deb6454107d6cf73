# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Markup that cannot be broken by what is put into it: everything is escaped unless it is ``Html`` already."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Union

from .xmltext import clean

_DIGEST = re.compile(r"\b([0-9a-f]{32,})\b")
_VOID = frozenset({"br", "input", "link", "meta"})


class Html(str):
    """Text that is markup, and goes into a page as it is."""


@dataclass(frozen=True)
class Phrase:
    """The same words in English and in Japanese; the page holds both and shows one."""

    en: Html
    ja: Html


Content = Union[str, int, Phrase, Html]


def escape(value: object) -> Html:
    """``value`` as text of a page."""
    return value if isinstance(value, Html) else Html(html.escape(clean(value)))


def tag(name: str, /, *children: Content, **attributes: object) -> Html:
    """An element. Attribute ``class_`` stands for class, ``_`` for ``-``; None leaves one out, True writes it bare."""
    opened = [name]
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            opened.append(key)
        elif value is not None:
            opened.append(f'{key}="{escape(value)}"')
    head = f"<{' '.join(opened)}>"
    if name in _VOID:
        return Html(head)
    inside = "tspan" if name == "text" else "span"
    return Html(f"{head}{''.join(_child(child, inside) for child in children)}</{name}>")


def join(*children: Content) -> Html:
    """Several pieces one after the other."""
    return Html("".join(_child(child, "span") for child in children))


def foreign(value: object) -> Html:
    """A name, path or number that is quoted as it is, whatever the page's language."""
    return tag("code", str(value))


def english(value: object) -> Html:
    """What the engine says, which is English on a page of any language; digests in it are set apart."""
    pieces = _DIGEST.split(str(value))
    return tag("span", *[foreign(piece) if index % 2 else piece for index, piece in enumerate(pieces)], lang="en")


def _child(child: Content, inside: str) -> str:
    if not isinstance(child, Phrase):
        return escape(child)
    if child.en == child.ja:
        return child.en
    return "".join(
        f'<{inside} class="w" lang="{language}">{words}</{inside}>'
        for language, words in (("en", child.en), ("ja", child.ja))
    )
