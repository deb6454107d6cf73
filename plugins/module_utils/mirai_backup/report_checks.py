# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was asked of the restored data and what it answered: checks, assertions, the negative control."""

from __future__ import annotations

from typing import Optional

from .report_html import Content, Html, Phrase, english, foreign, tag
from .report_phrases import duration, named, number, say
from .report_verdict import badge


def checks(done: list[dict]) -> Html:
    """Every check with its verdict, also those that did not run."""
    if not done:
        return Html("")
    titles = (("check", None), ("detail", None), ("compared", "n"), ("time", "n"), ("verdict", None))
    rows = [_check(one) for one in done]
    return tag(
        "section", tag("h2", say("checks")), _table("checks", titles, say("checks_caption"), rows), class_="card"
    )


def assertions(drill: dict) -> Html:
    """The operator's own questions."""
    head = tag("h2", say("assertions"))
    if not drill["assertions"]:
        return tag("section", head, *_not_done(drill, "assertions", say("assertions_none")), class_="card")
    titles = (("assertion", None), ("expected", None), ("found", None), ("verdict", None))
    rows = [_assertion(one) for one in drill["assertions"]]
    table = _table("assertions", titles, say("assertions_caption"), rows)
    return tag("section", head, table, class_="card")


def control(drill: dict) -> Html:
    """The negative control, in plain words."""
    head, one = tag("h2", say("control")), drill["negative_control"]
    if one is None:
        return tag("section", head, *_not_done(drill, "negative_control", say("control_none")), class_="card")
    facts = [
        _fact("control_damage", tag("span", named("damage", one["damage"]))),
        _fact("control_where", foreign(one["where"])),
    ]
    if one["verdict"] == "pass":
        facts.append(_fact("control_found_by", english(one["found_by"])))
    parts = [tag("p", say("control_why")), tag("p", badge(one["verdict"]), " ", named("control", one["verdict"]))]
    return tag("section", head, *parts, tag("dl", *facts, class_="facts"), class_="card")


def _not_done(drill: dict, name: str, words: Phrase) -> list[Html]:
    """That something was not done, and what its check says of it."""
    reasons = [check["detail"] for check in drill["checks"] if check["name"] == name]
    return [tag("p", words, class_="muted"), *[tag("p", english(reason)) for reason in reasons]]


def _check(check: dict) -> Html:
    name, ran = check["name"], check["verdict"] in ("pass", "fail") or check["seconds"] > 0
    why = tag("span", named("why", name), class_="why")
    compared = number(check["compared"]) if check["compared"] is not None else ""
    label = [tag("span", say("compared"), " ", class_="small muted")] if compared else []
    cells = [
        tag("th", named("check", name), why, scope="row"),
        tag("td", _result(check), class_="full"),
        tag("td", *label, compared, class_="n"),
        tag("td", duration(check["seconds"] if ran else None), class_="n"),
        tag("td", badge(check["verdict"])),
    ]
    return tag("tr", *cells, class_=_row_class(check))


def _result(check: dict) -> Content:
    return say("in_order") if check["verdict"] == "pass" and not check["detail"] else english(check["detail"])


def _assertion(one: dict) -> Html:
    cells = [
        tag("th", one["name"], tag("span", foreign(one["sql"]), class_="why"), scope="row"),
        tag("td", _label("expected"), foreign(one["expected"]), class_="full"),
        tag(
            "td", _label("found"), foreign("–" if one["found"] is None else one["found"]), *_remark(one), class_="full"
        ),
        tag("td", badge(one["verdict"])),
    ]
    return tag("tr", *cells, class_=_row_class(one))


def _remark(one: dict) -> list[Html]:
    if one["verdict"] == "pass" or not one["detail"]:
        return []
    return [tag("span", english(one["detail"]), class_="why")]


def _label(key: str) -> Html:
    return tag("span", say(key), " ", class_="small muted")


def _table(name: str, titles: tuple, caption: Phrase, rows: list[Html]) -> Html:
    head = tag("tr", *[tag("th", say(key), scope="col", class_=kind) for key, kind in titles])
    return tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows), class_=f"stack {name}")


def _row_class(one: dict) -> Optional[str]:
    return "fail" if one["verdict"] == "fail" else None


def _fact(key: str, value: Html) -> Html:
    return tag("div", tag("dt", say(key)), tag("dd", value))
