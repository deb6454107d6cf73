# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Table by table: what the snapshot held and what came back, usable with one table and with thousands."""

from __future__ import annotations

from typing import Optional

from .report_html import Html, Phrase, foreign, join, tag
from .report_phrases import counted, number, say
from .report_verdict import badge

# Up to this many tables are shown as one list; more are folded up by schema.
_PLAIN = 30


def section(tables: list[dict]) -> Html:
    """The comparison of all tables, those that differ first."""
    head = tag("h2", say("tables"))
    if not tables:
        return tag("section", head, tag("p", say("tables_none"), class_="muted"), class_="card")
    ordered = sorted(tables, key=lambda table: (table["verdict"] != "fail", table["name"]))
    if len(tables) <= _PLAIN:
        return tag("section", head, _table(say("tables_caption"), ordered), class_="card")
    differing = [table for table in ordered if table["verdict"] == "fail"]
    parts = [_table(say("differing_caption"), differing)] if differing else []
    schemas: dict[str, list[dict]] = {}
    for table in sorted(tables, key=lambda table: table["name"]):
        schemas.setdefault(table["name"].partition(".")[0], []).append(table)
    parts += [_folded(schema, held) for schema, held in schemas.items()]
    return tag("section", head, tag("p", _sum(tables), class_="muted"), *parts, class_="card")


def _folded(schema: str, tables: list[dict]) -> Html:
    wrong = sum(table["verdict"] == "fail" for table in tables)
    state = badge("fail", say("some_differ", n=number(wrong))) if wrong else badge("pass", say("all_same"))
    summary = tag("summary", foreign(schema), tag("span", _sum(tables), class_="muted"), state)
    return tag("details", summary, _table(say("tables_caption"), tables))


def _sum(tables: list[dict]) -> Html:
    rows = sum(table["found_rows"] or 0 for table in tables)
    return join(counted("tables", len(tables)), " · ", counted("rows", rows))


def _table(caption: Phrase, tables: list[dict]) -> Html:
    titles = (("table", None), ("rows_expected", "n"), ("rows_found", "n"), ("fingerprint", None), ("verdict", None))
    head = tag("tr", *[tag("th", say(key), scope="col", class_=kind) for key, kind in titles])
    body = tag("tbody", *map(_row, tables))
    return tag("table", tag("caption", caption), tag("thead", head), body, class_="stack tables")


def _row(table: dict) -> Html:
    failed = table["verdict"] == "fail"
    cells = [
        tag("th", foreign(table["name"]), scope="row"),
        _count("in_snapshot", table["expected_rows"]),
        _count("restored", table["found_rows"]),
        tag("td", _digests(table), class_="full"),
        tag("td", badge(table["verdict"], _words(table))),
    ]
    return tag("tr", *cells, class_="fail" if failed else None)


def _count(label: str, rows: Optional[int]) -> Html:
    """A number of rows; on a phone, where the head of the table is not shown, with its label."""
    return tag("td", tag("span", say(label), " ", class_="small muted"), number(rows), class_="n")


def _digests(table: dict) -> Html:
    expected, found = table["expected_digest"], table["found_digest"]
    if not expected and not found:
        return tag("span", say("no_digest"), class_="muted")
    if expected == found:
        return foreign(found)
    lines = [
        join(tag("span", say(label), " ", class_="muted"), foreign(digest or "–"))
        for label, digest in (("in_snapshot", expected), ("restored", found))
    ]
    return join(lines[0], tag("br"), lines[1])


def _words(table: dict) -> Phrase:
    if table["verdict"] == "pass":
        return say("same")
    if table["found_rows"] is None:
        return say("missing")
    if table["expected_rows"] is None:
        return say("extra")
    return say("differs")
