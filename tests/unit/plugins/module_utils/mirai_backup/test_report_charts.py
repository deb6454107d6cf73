"""report_charts.py: sensible with no, one, two and sixty points, and nothing is drawn outside of the plot."""

import re

import pytest
from drill_documents import past
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import report_charts
from mirai_backup.report_phrases import duration
from parsed_page import Page


def drawn(values: list, target=None, clock=True) -> str:
    points = tuple((one["started"], one["rto_seconds"], one["verdict"]) for one in past(values))
    return report_charts.chart(report_charts.Series("rto", points, duration, "axis_time", clock, target))


@given(st.lists(st.none() | st.floats(0, 1e9), min_size=1, max_size=60), st.none() | st.floats(0, 1e9), st.booleans())
def test_every_measured_point_is_drawn_inside_the_plot(values, target, clock):
    figure = drawn(values, target, clock)
    Page(figure)
    circles = re.findall(r'<circle cx="([-\d.]+)" cy="([-\d.]+)"', figure)
    assert len(circles) == sum(value is not None for value in values)
    for x, y in circles:
        assert report_charts._LEFT <= float(x) <= report_charts._RIGHT
        assert report_charts._TOP <= float(y) <= report_charts._BOTTOM


def test_the_caption_is_the_text_alternative():
    text = Page(drawn([10, 50, 20])).text
    assert "latest 20 s; 10 s to 50 s over 3 drills" in text
    assert "最新 20 秒" in text


def test_one_point_and_none():
    assert "20 s in the one drill measured" in Page(drawn([20])).text
    assert "<svg" not in drawn([None, None])
    assert "no measurement yet" in drawn([None])


def test_the_line_breaks_where_nothing_was_measured():
    path = re.search(r'<path d="([^"]+)" class="run"', drawn([1, 2, None, 3, 4]))[1]
    assert path.count("M") == 2


def test_a_target_far_above_is_named_and_not_drawn():
    assert 'class="goal"' in drawn([10, 20], target=30)
    far = drawn([10, 20], target=3600)
    assert 'class="goal"' not in far
    assert "target 1 h ↑" in far


@pytest.mark.parametrize(("highest", "last"), [(0, 1), (7, 8), (58, 60), (100, 120), (5000, 5400)])
def test_time_scales_are_those_of_a_clock(highest, last):
    assert report_charts._ticks(highest, True)[-1] == last


@given(st.floats(1e-6, 1e15), st.booleans())
def test_scales_reach_the_highest_with_few_steps(highest, clock):
    ticks = report_charts._ticks(highest, clock)
    assert ticks[-1] >= highest * (1 - 1e-9)
    assert 2 <= len(ticks) <= 5
