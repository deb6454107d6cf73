"""text: sizes, durations, times, names and differences as people read them."""

import datetime
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import text


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_300_000_000, "1.3 GB"), (5 * 10**15, "5000.0 TB")],
)
def test_sizes(count, words):
    assert text.size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.44, "0.4 s"),
        (10, "10 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3599, "59 min 59 s"),
        (90000, "1 d 1 h"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations(seconds, words):
    assert text.duration(seconds) == words


@given(st.datetimes(min_value=datetime.datetime(1970, 1, 2), timezones=st.just(datetime.timezone.utc)))
def test_points_in_time_round_trip(moment):
    assert text.parse_utc(text.utc(moment)) == moment


def test_any_time_zone_is_written_as_utc():
    east = datetime.timezone(datetime.timedelta(hours=9))
    assert text.utc(datetime.datetime(2026, 11, 23, 2, 0, tzinfo=east)) == "2026-11-22T17:00:00.000000Z"


def test_local_time_carries_its_offset():
    moment = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.timezone.utc)
    written = text.local(moment)
    assert datetime.datetime.strptime(written, "%Y-%m-%d %H:%M:%S %z") == moment


def test_foreign_text_is_no_time():
    with pytest.raises(ValueError, match="is not a time"):
        text.parse_utc("yesterday")


@given(st.binary())
def test_any_file_name_can_be_printed(name):
    shown = text.printable(os.fsdecode(name))
    shown.encode("utf-8")
    try:
        assert shown == name.decode("utf-8")
    except UnicodeDecodeError:
        assert "\\x" in shown


@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        (3, None, "table t is missing"),
        (None, 3, "table t is there, but was not in the snapshot"),
        (3, 2, "table t has 2 rows instead of 3"),
        (3, 3, "table t has other content in its 3 rows"),
    ],
)
def test_how_a_table_differs(expected, found, words):
    assert text.table_difference("t", expected, found) == words
