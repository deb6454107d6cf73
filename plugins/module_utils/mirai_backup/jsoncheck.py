# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells a torn JSON file from a whole one, in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from typing import Optional

WHOLE_LIMIT = 1 << 20

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|-?Infinity|NaN")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})')
_WORD = re.compile(r"true|false|null")
_LONGEST_TOKEN = 4096
_TRIES = 8

_decode_value = json.JSONDecoder().raw_decode


def complaint(content: bytes) -> str:
    """Why ``content`` is not JSON, in a few words; empty when it is."""
    try:
        json.loads(content)
    except RecursionError:
        return "nested too deeply to check"
    except ValueError as error:
        return str(error)
    return ""


class Scanner:
    """Checks a JSON text that arrives in blocks, for files too large to hold."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
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
            self._text += self._decode(block, final)
        except UnicodeDecodeError:
            self._problem = "not UTF-8"
            return
        self._tries = _TRIES
        position = 0
        while self._problem is None:
            if self._expect != "string":
                position = _SPACE.match(self._text, position).end()
            if position >= len(self._text):
                break
            if not final and self._expect in ("value", "first") and len(self._text) - position < _LONGEST_TOKEN:
                if self._text[position] not in '[]{}"':
                    break
            if not final and self._expect == "string" and len(self._text) - position < 6:
                break
            position = self._step(position)
        self._text = self._text[position:]

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
        if self._stack and char in '[{"' and self._tries:
            after = self._whole_value(position)
            if after is not None:
                self._after_value()
                return after
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

    def _whole_value(self, position: int) -> Optional[int]:
        """Pass over a value that lies whole in the text at hand, as fast as the standard library reads it.

        None: it does not, or is wrong; then token by token. A few such tries a block, or deep nesting would cost
        the square of its depth.
        """
        try:
            return _decode_value(self._text, position)[1]
        except (ValueError, RecursionError):
            self._tries -= 1
            return None

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
