"""report_style.py: text can be read on its ground (WCAG AA), by day and by night."""

import re

import pytest
from mirai_backup import report_style

_PAIRS = [(text, ground) for text in ("text", "muted", "link") for ground in ("ground", "card")]
_PAIRS += [(state, ground) for state in ("pass", "fail", "open", "off") for ground in (f"{state}-ground", "card")]
_PAIRS += [("text", "fail-ground")]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [report_style.LIGHT, report_style.DARK], ids=["light", "dark"])
def test_contrast(palette):
    for text, ground in _PAIRS:
        assert contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
    for state in ("pass", "fail", "open", "off"):
        assert contrast("#ffffff", palette[f"{state}-solid"]) >= 4.5, state
    assert contrast(palette["bar"], palette["card"]) >= 3


def test_both_palettes_name_the_same_colours_and_the_rules_use_no_other():
    assert list(report_style.LIGHT) == list(report_style.DARK)
    assert set(re.findall(r"var\(--([\w-]+)\)", report_style.sheet())) <= set(report_style.LIGHT)


def test_the_sheet_is_balanced_and_cannot_leave_its_element():
    sheet = report_style.sheet()
    assert sheet.count("{") == sheet.count("}")
    assert "<" not in sheet
