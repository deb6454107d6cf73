"""Calendar expressions run exactly when Debian's cron would, as systemd itself reads them."""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given, settings
from hypothesis import strategies as st
from on_calendar import FilterModule, on_calendar

NAMES = {
    **{name: str(number) for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)},
    **{name: str(number) for number, name in enumerate("sun mon tue wed thu fri sat".split())},
}
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@pytest.mark.parametrize(
    ("cron", "lines"),
    [
        ("0 2 * * *", ["*-*-* 02:00:00"]),
        ("* * * * *", ["*-*-* *:*:00"]),
        ("*/15 * * * *", ["*-*-* *:00,15,30,45:00"]),
        ("0 4 1 * *", ["*-*-01 04:00:00"]),
        ("30 3 * * 0", ["Sun *-*-* 03:30:00"]),
        ("30 3 * * 7", ["Sun *-*-* 03:30:00"]),
        ("30 3 * * 5-7", ["Sun,Fri,Sat *-*-* 03:30:00"]),
        ("0 6-22/4 * JAN,jul mon-fri", ["Mon,Tue,Wed,Thu,Fri *-01,07-* 06,10,14,18,22:00:00"]),
        ("0 0 1,15 * 3", ["*-*-01,15 00:00:00", "Wed *-*-* 00:00:00"]),
        ("0 0 */2 * 1", ["Mon *-*-01,03,05,07,09,11,13,15,17,19,21,23,25,27,29,31 00:00:00"]),
        ("0 0 30 2 1", ["Mon *-02-* 00:00:00"]),
    ],
)
def test_known_expressions(cron, lines):
    assert on_calendar(cron) == lines
    assert FilterModule().filters()["on_calendar"] is on_calendar


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 2 * *", "five fields"),
        ("@daily", "five fields"),
        ("60 2 * * *", "'60' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 0 * *", "'0' is no day of month"),
        ("0 0 * 13 *", "'13' is no month"),
        ("0 0 * * 8", "'8' is no day of week"),
        ("0 0 * * mon-sun", "is empty"),
        ("5/15 * * * *", "step, but no range"),
        ("*/0 * * * *", "is empty"),
        ("0 22-2 * * *", "is empty"),
        ("0 0 , * *", "is no day of month"),
        ("0 0 30 2 *", "never runs"),
        ("0 0 31 4,6,9,11 *", "never runs"),
        ("mon 0 * * *", "'mon' is no minute"),
        ("~ 0 * * *", "is no minute"),
    ],
)
def test_refused_with_words(cron, words):
    with pytest.raises(AnsibleFilterError, match=re.escape(words)):
        on_calendar(cron)


def cron_runs(cron: str, moment: datetime.datetime) -> bool:
    """Whether cron starts the job in this minute: written anew, from crontab(5) alone."""
    fields = re.sub(r"[a-z]+", lambda one: NAMES[one.group(0)], cron.lower()).split()
    values = (moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday())

    def fits(index: int, value: int) -> bool:
        for part in fields[index].split(","):
            span, _slash, step = part.partition("/")
            low, high = BOUNDS[index] if span == "*" else (int(span.split("-")[0]), int(span.split("-")[-1]))
            if low <= value <= high and (value - low) % int(step or 1) == 0:
                return True
        return False

    minute, hour, day, month, weekday = (fits(index, value) for index, value in enumerate(values))
    weekday = weekday or (values[4] == 7 and fits(4, 0))
    stars = fields[2].startswith("*") or fields[4].startswith("*")
    return minute and hour and month and ((day and weekday) if stars else (day or weekday))


def calendar_runs(line: str, moment: datetime.datetime) -> bool:
    """Whether a calendar expression, of the kind that the filter writes, elapses at this minute."""
    match = re.fullmatch(r"(?:([A-Z][A-Za-z,]*) )?\*-([\d,*]+)-([\d,*]+) ([\d,*]+):([\d,*]+):00", line)
    assert match is not None, line
    weekdays, *parts = match.groups()
    values = (moment.month, moment.day, moment.hour, moment.minute)
    return (weekdays is None or moment.strftime("%a") in weekdays.split(",")) and all(
        part == "*" or value in map(int, part.split(",")) for part, value in zip(parts, values)
    )


def field(low: int, high: int):
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    stepped = st.tuples(st.one_of(st.just("*"), span), st.integers(1, 9)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    part = st.one_of(number.map(str), span, stepped, st.just("*"))
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


CRONS = st.tuples(*(field(*bounds) for bounds in BOUNDS)).map(" ".join)
MOMENTS = st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2029, 1, 1))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(CRONS, st.lists(MOMENTS, min_size=30, max_size=30))
def test_runs_when_cron_runs(cron, moments):
    try:
        lines = on_calendar(cron)
    except AnsibleFilterError as error:
        assert "never runs" in str(error)
        lines = []
    for moment in moments:
        assert any(calendar_runs(line, moment) for line in lines) == cron_runs(cron, moment), (cron, lines, moment)


@pytest.mark.parametrize(
    "cron",
    ["0 2 * * *", "*/15 1-5 * * sun", "7 3 1,15 * 3", "0 0 29 2 *", "59 23 31 */3 *", "0 6-22/4 * jan,jul mon-fri"],
)
def test_systemd_agrees(cron):
    """systemd's next elapses are the next minutes in which cron runs."""
    program = shutil.which("systemd-analyze")
    assert program is not None, "the tests need systemd-analyze"
    begin = datetime.datetime(2027, 3, 5, 12, 30)
    found = set()
    for line in on_calendar(cron):
        argv = [program, "calendar", "--iterations=8", f"--base-time={begin:%Y-%m-%d %H:%M:%S} UTC", line]
        done = subprocess.run(argv, capture_output=True, text=True, env={"TZ": "UTC", "LC_ALL": "C.UTF-8"}, check=True)
        found.update(re.findall(r"(?:Next elapse|Iter(?:ation|\.) #\d+): \w+ ([\d-]+ [\d:]+) UTC", done.stdout))
    first = sorted(datetime.datetime.strptime(one, "%Y-%m-%d %H:%M:%S") for one in found)[:8]
    assert len(first) == 8
    days = [begin.date() + datetime.timedelta(days) for days in range((first[-1] - begin).days + 2)]
    expected = []
    for day in days:
        midnight = datetime.datetime.combine(day, datetime.time())
        if cron_runs(re.sub(r"^\S+ \S+", "* *", cron), midnight):
            moments = (midnight + datetime.timedelta(minutes=minute) for minute in range(1440))
            expected += [moment for moment in moments if begin < moment <= first[-1] and cron_runs(cron, moment)]
    assert first == expected
