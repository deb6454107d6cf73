# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells a torn JSON file from a whole one, in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from typing import Optional, Union

WHOLE_LIMIT = 1 << 20
# By which rule a text is told torn from whole: raised with every change by which a text could be judged otherwise.
RULE = 1

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|-?Infinity|NaN")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})')
_WORD = re.compile(r"true|false|null")
_NEXT_ELEMENT = re.compile(r'[ \t\r\n]*,[ \t\r\n]*(?=[\[{"])')
_LONGEST_TOKEN = 4096
_LONGEST_ESCAPE = 6
_TRIES = 8

_decode_value = json.JSONDecoder().raw_decode


def complaint(content: Union[bytes, memoryview]) -> str:
    """Why ``content`` is not JSON, in a few words; empty when it is."""
    if _is_plain(content):
        return ""
    try:
        json.loads(bytes(content))
    except RecursionError:
        return "nested too deeply to check"
    except ValueError as error:
        return str(error)
    return ""


def _is_plain(content: Union[bytes, memoryview]) -> bool:
    """Whether it is JSON as nearly all of it is: in UTF-8, nothing before it. Found without a copy and a guess."""
    try:
        text = str(content, "utf-8")
        after = _decode_value(text)[1]
    except (ValueError, RecursionError):
        return False
    return _SPACE.fullmatch(text, after) is not None


class Scanner:
    """Checks a JSON text that arrives in blocks, for files too large to hold."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._later: list[str] = []  # what comes after it, read once there are `_missing` characters more
        self._missing = 0
        self._stack: list[str] = []
        self._expect = "value"
        self._problem: Optional[str] = None
        self._tries = 0

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        if self._problem is None:
            self._advance(block, final=False)

    def finish(self) -> str:
        """The complaint as of ``complaint``, after the last block."""
        if self._problem is None:
            self._advance(b"", final=True)
        if self._problem is None and (self._expect != "end" or self._stack):
            self._problem = "the text ends too early"
        return self._problem or ""

    def _advance(self, block: bytes, final: bool) -> None:
        try:
            decoded = self._decode(block, final)
        except UnicodeDecodeError:
            self._problem = "not UTF-8"
            return
        self._later.append(decoded)
        self._missing -= len(decoded)
        if self._missing > 0 and not final:
            return
        self._text = "".join((self._text, *self._later))
        self._later = []
        self._tries = _TRIES
        position = 0
        while self._problem is None:
            if self._expect != "string":
                position = _SPACE.match(self._text, position).end()
            if position >= len(self._text):
                break
            after = self._whole_values(position)
            if after is None:
                if not final and self._may_be_cut(position):
                    break
                after = self._step(position)
            position = after
        self._text = self._text[position:]
        # What was cut is read again from its start: when it has doubled, lest small blocks cost the square of it.
        self._missing = len(self._text)

    def _whole_values(self, position: int) -> Optional[int]:
        """Pass over a value that lies whole in the text at hand, as fast as the standard library reads it.

        In a list, over those after it too. None: it does not lie whole yet, or is wrong, which is found token by
        token. A few such tries a block, or deep nesting would cost the square of its depth.
        """
        if not (self._stack and self._tries and self._starts_value(position)):
            return None
        after = None
        try:
            while True:
                after = _decode_value(self._text, position)[1]
                comma = _NEXT_ELEMENT.match(self._text, after) if self._stack[-1] == "[" else None
                if comma is None:
                    break
                position = comma.end()
        except (ValueError, RecursionError):
            self._tries -= after is None
        if after is not None:
            self._after_value()
        return after

    def _may_be_cut(self, position: int) -> bool:
        """Whether what starts at ``position`` may go on in the next block, and is worth waiting for."""
        left = len(self._text) - position
        if self._expect == "string":
            return left < _LONGEST_ESCAPE
        if self._starts_value(position):
            return bool(self._stack and self._tries) and left < WHOLE_LIMIT
        return self._expect in ("value", "first") and left < _LONGEST_TOKEN and self._text[position] not in "]}"

    def _starts_value(self, position: int) -> bool:
        return self._expect in ("value", "first") and self._text[position] in '[{"'

    def _step(self, position: int) -> int:
        """Consume one token at ``position``; returns the position after it."""
        handler = getattr(self, f"_{self._expect}")
        after = handler(position)
        if after is None:
            self._problem = f"unexpected {self._text[position : position + 12]!r}"
            return position
        return after

    def _value(self, position: int) -> Optional[int]:
        char = self._text[position]
        if char in "[{":
            self._stack.append(char)
            self._expect = "first" if char == "[" else "first_key"
            return position + 1
        if char == '"':
            self._stack.append('"')
            self._expect = "string"
            return position + 1
        match = _WORD.match(self._text, position) or _NUMBER.match(self._text, position)
        if match is None:
            return None
        self._after_value()
        return match.end()

    def _first(self, position: int) -> Optional[int]:
        if self._text[position] == "]":
            return self._close(position)
        return self._value(position)

    def _first_key(self, position: int) -> Optional[int]:
        if self._text[position] == "}":
            return self._close(position)
        return self._key(position)

    def _key(self, position: int) -> Optional[int]:
        if self._text[position] != '"':
            return None
        self._stack.append("key")
        self._expect = "string"
        return position + 1

    def _string(self, position: int) -> Optional[int]:
        plain = _PLAIN.match(self._text, position).end()
        if plain > position:
            return plain  # the escape that may follow could be cut in two here
        if self._text[position] == '"':
            if self._stack.pop() == "key":
                self._expect = "colon"
            else:
                self._after_value()
            return position + 1
        match = _ESCAPE.match(self._text, position)
        return match.end() if match else None

    def _colon(self, position: int) -> Optional[int]:
        if self._text[position] != ":":
            return None
        self._expect = "value"
        return position + 1

    def _comma(self, position: int) -> Optional[int]:
        if self._text[position] == ",":
            self._expect = "key" if self._stack[-1] == "{" else "value"
            return position + 1
        if self._text[position] == ("}" if self._stack[-1] == "{" else "]"):
            return self._close(position)
        return None

    def _end(self, _position: int) -> Optional[int]:
        return None

    def _close(self, position: int) -> int:
        self._stack.pop()
        self._after_value()
        return position + 1

    def _after_value(self) -> None:
        self._expect = "comma" if self._stack else "end"
