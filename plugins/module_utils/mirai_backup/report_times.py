# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the time of this drill went, and how it compares with the drills before."""

from __future__ import annotations

from typing import Optional

from . import text
from .report_charts import Series, chart, legend
from .report_html import Content, Html, join, tag
from .report_phrases import duration, moment, named, number, say
from .report_verdict import badge

_ORDER = ("verify", "unpack", "cluster", "restore", "prove", "indexes", "assertions", "control")
# A chart holds this many drills, the newest; five years of monthly ones.
_MOST_POINTS = 60


def phases(drill: dict) -> Html:
    """The phases one below the other, each bar beginning where the one before ended."""
    known = {name: seconds for name, seconds in drill["phases"].items() if seconds is not None}
    names = [name for name in _ORDER if name in known] + sorted(set(known) - set(_ORDER))
    if not names:
        return Html("")
    total = sum(known.values()) or 1
    rows, begun = [], 0.0
    for name in names:
        rows.append(_phase(name, known[name], begun, total))
        begun += known[name]
    caption, titles = tag("caption", say("phases_caption")), (("phase", None), ("", None), ("time", "n"))
    head = tag("tr", *[_title(key, kind) for key, kind in titles])
    table = tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="phases")
    return tag("section", tag("h2", say("phases")), table, class_="card")


def history(drill: dict) -> Html:
    """RTO, duration and size over the past drills, as charts and in numbers."""
    past = drill["history"]
    if not past:
        return Html("")
    recent = past[-_MOST_POINTS:]
    charts = [
        chart(
            Series("rto", _points(recent, "rto_seconds"), duration, "axis_time", True, drill["targets"]["rto_seconds"])
        ),
        chart(Series("duration", _points(recent, "duration_seconds"), duration, "axis_time", True)),
        chart(Series("size", _points(recent, "size"), _size, "axis_size", False)),
    ]
    first = [tag("p", say("history_first"), class_="muted")] if len(past) == 1 else []
    parts = [tag("div", *charts, class_="charts"), legend({one["verdict"] for one in recent}), _numbers(past)]
    return tag("section", tag("h2", say("history")), *first, *parts, class_="card")


def _phase(name: str, seconds: float, begun: float, total: float) -> Html:
    start, width = 1000 * begun / total, max(1000 * seconds / total, 2)
    shapes = [
        tag("rect", x=0, y=6, width=1000, height=4, class_="track"),
        tag("rect", x=f"{min(start, 998):.1f}", y=0, width=f"{width:.1f}", height=16, class_="bar"),
    ]
    drawn = tag("svg", *shapes, viewBox="0 0 1000 16", preserveAspectRatio="none", aria_hidden="true")
    words = tag("th", named("phase", name), scope="row")
    return tag("tr", words, tag("td", drawn), tag("td", duration(seconds), class_="n"))


def _title(key: str, kind: Optional[str]) -> Html:
    return tag("th", say(key), scope="col", class_=kind) if key else tag("td", aria_hidden="true")


def _points(past: list[dict], key: str) -> tuple:
    return tuple((one["started"], one[key], one["verdict"]) for one in past)


def _numbers(past: list[dict]) -> Html:
    """The charts' text alternative in full."""
    titles = (("date", None), ("rto", "n"), ("duration", "n"), ("size", "n"), ("verdict", None))
    head = tag("tr", *[tag("th", say(key), scope="col", class_=kind) for key, kind in titles])
    rows = [
        tag(
            "tr",
            tag("th", moment(one["started"]), scope="row"),
            _figure("rto", duration(one["rto_seconds"])),
            _figure("duration", duration(one["duration_seconds"])),
            _figure("size", _size(one["size"])),
            tag("td", badge(one["verdict"])),
        )
        for one in past
    ]
    table = tag(
        "table", tag("caption", say("history_caption")), tag("thead", head), tag("tbody", *rows), class_="stack past"
    )
    count = tag("span", "(", number(len(past)), ")", class_="muted")
    return tag("details", tag("summary", join(say("history_table"), " ", count)), table)


def _figure(label: str, value: Content) -> Html:
    """A number; on a phone, where the head of the table is not shown, with its label."""
    return tag("td", tag("span", say(label), " ", class_="small muted"), value, class_="n")


def _size(count: Optional[float]) -> str:
    return "–" if count is None else text.size(count)
