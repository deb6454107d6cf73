# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Charts of the past drills as inline SVG: no script, nothing loaded, and the numbers in words beside each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Optional

from .report_html import Content, Html, Phrase, join, tag
from .report_phrases import counted, day, named, say

_WIDTH, _HEIGHT = 360, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 296, 26, 166
_MOST_TICKS = 4
# The steps of a clock, which a decimal scale does not have.
_TIME_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


@dataclass(frozen=True)
class Series:
    """One figure: ``points`` are (UTC, value or None, verdict), oldest first; ``write`` puts a value in words."""

    name: str
    points: tuple[tuple[str, Optional[float], str], ...]
    write: Callable[[float], Content]
    axis: str
    clock: bool
    target: Optional[float] = None


def chart(series: Series) -> Html:
    """A figure with its caption, which also is the chart's text alternative."""
    known = [value for _moment, value, _verdict in series.points if value is not None]
    caption_id = f"chart-{series.name}"
    caption = tag("figcaption", tag("strong", say(f"history_{series.name}")), _summary(series, known), id=caption_id)
    if not known:
        return tag("figure", caption)
    goal = series.target
    # A target far above every point would press them flat; it is then named instead of drawn.
    drawn_goal = goal if goal is not None and goal <= 4 * max(known) else None
    ticks = _ticks(max([*known, drawn_goal or 0]), series.clock)
    parts = [*_axes(series, ticks), *_goal(series, drawn_goal, ticks), *_line(series, ticks)]
    view = f"0 0 {_WIDTH} {_HEIGHT}"
    return tag(
        "figure", caption, tag("svg", *parts, class_="chart", viewBox=view, role="img", aria_labelledby=caption_id)
    )


def mark(verdict: str, x: float, y: float, radius: float, title: Content = "") -> Html:
    """The sign of a drill: a dot that passed, a cross that failed, a ring that could not verify."""
    inside = [tag("title", title)] if title else []
    sign = f"p-{verdict}"
    if verdict == "fail":
        far = radius + 1
        path = f"M{x - far:.1f} {y - far:.1f}l{2 * far:.1f} {2 * far:.1f}m0 {-2 * far:.1f}l{-2 * far:.1f} {2 * far:.1f}"
        return tag("path", *inside, d=path, class_=sign)
    return tag("circle", *inside, cx=f"{x:.1f}", cy=f"{y:.1f}", r=radius, class_=sign)


def legend(verdicts: set[str]) -> Html:
    """What the signs mean, for those that occur."""
    items = [
        tag("span", tag("svg", mark(verdict, 7, 7, 4), viewBox="0 0 14 14", aria_hidden="true"), words)
        for verdict in ("pass", "fail", "could_not_verify", "not_configured")
        if verdict in verdicts
        for words in [named("badge", verdict)]
    ]
    return tag("p", *items, class_="legend")


def _summary(series: Series, known: list[float]) -> Phrase:
    if not known:
        return say("chart_none")
    if len(known) == 1:
        return say("chart_one", value=series.write(known[0]))
    low, high, last = (series.write(value) for value in (min(known), max(known), known[-1]))
    return say("chart_many", last=last, low=low, high=high, drills=counted("drills", len(known)))


def _axes(series: Series, ticks: list[float]) -> list[Html]:
    parts = []
    for tick in ticks:
        y = _y(tick, ticks)
        parts.append(tag("line", x1=_LEFT, x2=_RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid" if tick else "axis"))
        words = series.write(tick) if tick else "0"
        parts.append(tag("text", words, x=_LEFT - 6, y=f"{y + 4:.1f}", text_anchor="end"))
    parts.append(tag("text", say(series.axis), x=2, y=12))
    count = len(series.points)
    for index in sorted({0, count // 2, count - 1} if count != 2 else {0, 1}):
        x = _x(index, count)
        anchor = "middle" if count == 1 or 0 < index < count - 1 else "start" if index == 0 else "end"
        shift = {"start": x - 12, "end": x + 12}.get(anchor, x)
        parts.append(tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=_BOTTOM, y2=_BOTTOM + 4, class_="axis"))
        inner = "mid" if 0 < index < count - 1 else None
        words = day(series.points[index][0])
        parts.append(tag("text", words, x=f"{shift:.1f}", y=_BOTTOM + 18, text_anchor=anchor, class_=inner))
    middle = (_LEFT + _RIGHT) // 2
    return [*parts, tag("text", say("axis_drills"), x=middle, y=_HEIGHT - 6, text_anchor="middle")]


def _goal(series: Series, drawn: Optional[float], ticks: list[float]) -> list[Html]:
    if series.target is None:
        return []
    words = say("target", target=series.write(series.target))
    if drawn is None:
        above = Phrase(Html(f"{words.en} ↑"), Html(f"{words.ja} ↑"))
        return [tag("text", above, x=_WIDTH, y=12, text_anchor="end", class_="goalword")]
    y = f"{_y(drawn, ticks):.1f}"
    return [
        tag("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, class_="goal"),
        tag("line", x1=_LEFT + 60, x2=_LEFT + 84, y1=8, y2=8, class_="goal"),
        tag("text", words, x=_LEFT + 90, y=12, class_="goalword"),
    ]


def _line(series: Series, ticks: list[float]) -> list[Html]:
    """The run of values, broken where one was not measured, with the last value written out."""
    count = len(series.points)
    path, marks, last, pen_down = [], [], Html(""), False
    for index, (moment, value, verdict) in enumerate(series.points):
        if value is None:
            pen_down = False
            continue
        x, y = _x(index, count), _y(value, ticks)
        path.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = True
        words = series.write(value)
        shown = words.en if isinstance(words, Phrase) else words
        marks.append(mark(verdict, x, y, 4 if count <= 24 else 2.5, join(f"{moment[:16]}Z: ", shown, f", {verdict}")))
        # Beside the plot, where no line can run through it.
        last = tag(
            "text", words, x=_RIGHT + 4 if index == count - 1 else f"{x + 7:.1f}", y=f"{y + 4:.1f}", class_="last"
        )
    return [tag("path", d="".join(path), class_="run"), *marks, last]


def _x(index: int, count: int) -> float:
    inner = _RIGHT - _LEFT - 24
    return _LEFT + 12 + (inner * index / (count - 1) if count > 1 else inner / 2)


def _y(value: float, ticks: list[float]) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * value / ticks[-1]


def _ticks(highest: float, clock: bool) -> list[float]:
    """Round values from 0 to at least ``highest``; what is too small to be told from 0 gets a scale of its own."""
    if highest < 1e-6:
        return [0, 1]
    steps = [step for step in _TIME_STEPS if clock and step * _MOST_TICKS >= highest]
    if steps:
        step = steps[0]
    else:
        unit = 10 ** math.floor(math.log10(highest / _MOST_TICKS))
        step = next(unit * factor for factor in (1, 2, 2.5, 5, 10, 20) if unit * factor * _MOST_TICKS >= highest)
    return [step * index for index in range(max(1, math.ceil(highest / step - 1e-9)) + 1)]
