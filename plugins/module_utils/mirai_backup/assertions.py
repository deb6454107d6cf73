# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The operator's own checks on a restored database: a query, and what it must come to."""

from __future__ import annotations

import decimal
import json
import re

from . import postgres
from .errors import EngineError
from .target import DatabaseTarget

_EXPECTATION = re.compile(r"^\s*(>=|<=|!=|=|>|<)\s*(.*?)\s*$", re.DOTALL)
_TIMEOUT = "300s"


def run(target: DatabaseTarget, database: str, assertions: tuple[dict, ...]) -> list[dict]:
    """Evaluate every assertion (name, sql, expect) in ``database``, each in a read-only transaction.

    ``expect`` is the value as text (booleans: true, false), or a comparison such as ``>= 1``. Returns name, sql,
    expected, found, verdict, detail of each.
    """
    return [_one(target, database, assertion) for assertion in assertions]


def holds(found: str, expected: str) -> bool:
    """Whether the value ``found`` is as ``expected``. Raises ValueError for an order between texts."""
    match = _EXPECTATION.match(expected)
    operator, wanted = match.groups() if match else ("=", expected)
    try:
        left, right = decimal.Decimal(found), decimal.Decimal(wanted)
    except decimal.InvalidOperation:
        left = right = decimal.Decimal("NaN")
    if left.is_nan() or right.is_nan():  # not a number, or PostgreSQL's NaN, which equals itself
        if operator in ("=", "!="):
            return (found == wanted) == (operator == "=")
        raise ValueError(f"{found!r} and {wanted!r} are not both numbers") from None
    return {
        "=": left == right,
        "!=": left != right,
        ">": left > right,
        "<": left < right,
        ">=": left >= right,
        "<=": left <= right,
    }[operator]


def _one(target: DatabaseTarget, database: str, assertion: dict) -> dict:
    result = {
        "name": assertion["name"],
        "sql": assertion["sql"],
        "expected": assertion["expect"],
        "found": None,
        "verdict": "fail",
        "detail": "",
    }
    try:
        with postgres.Session(target.clients, target.on(database)) as session:
            session.execute(f"SET LOCAL statement_timeout = '{_TIMEOUT}'")
            rows = session.query(assertion["sql"], decimal.Decimal)  # a float would round it
        if len(rows) != 1 or len(rows[0]) != 1:
            result["detail"] = f"the query gave {len(rows)} rows instead of one value"
            return result
        (value,) = rows[0].values()
        result["found"] = _text(value)
        if holds(result["found"], assertion["expect"]):
            result["verdict"] = "pass"
        else:
            result["detail"] = f"found {result['found'] or 'nothing'}, expected {assertion['expect']}"
    except (EngineError, ValueError) as error:
        result["detail"] = getattr(error, "message", str(error))
    return result


def _text(value: object) -> str:
    """A value as it is compared: nothing for NULL, else as JSON has it, texts without quotes."""
    if value is None:
        return ""
    if isinstance(value, (str, decimal.Decimal)):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=float)
