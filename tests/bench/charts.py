"""Bar charts as SVG, plain enough to be read as text and seen on a light or a dark page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Optional

_WIDTH, _LEFT, _RIGHT, _STEP, _TOP = 860, 380, 90, 26, 44
_OURS, _THEIRS, _MISSED = "#2b7a4b", "#8a94a6", "#b3402e"


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its value, and the mark that it should not pass (None: none)."""

    label: str
    value: float
    goal: Optional[float] = None
    ours: bool = True


def draw(title: str, bars: list[Bar], unit: str = "") -> str:
    """A chart of horizontal bars. With goals each bar is drawn as a share of its own, and the line stands at 100 %."""
    shares = [one.value / one.goal if one.goal else one.value for one in bars]
    full = max([1.2 if bars[0].goal else 0.0, *shares]) or 1.0
    scale = (_WIDTH - _LEFT - _RIGHT) / full
    height = _TOP + _STEP * len(bars) + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (one, share) in enumerate(zip(bars, shares)):
        y = _TOP + number * _STEP
        missed = one.goal is not None and one.value > one.goal
        colour = _MISSED if missed else _OURS if one.ours else _THEIRS
        shown = f"{one.value:.3g}{unit}" + (f" of {one.goal:g}" if one.goal else "")
        lines += [
            f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end" font-size="13">{escape(one.label)}</text>',
            f'<rect x="{_LEFT}" y="{y + 3}" width="{max(share * scale, 1):.1f}" height="16" fill="{colour}"/>',
            f'<text x="{_LEFT + share * scale + 6:.1f}" y="{y + 15}" font-size="13">{escape(shown)}</text>',
        ]
    if bars[0].goal:
        x = _LEFT + scale
        lines.append(
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{height - 12}" stroke="#222" stroke-dasharray="4"/>'
        )
    return "\n".join([*lines, "</svg>", ""])
