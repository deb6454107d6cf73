# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Says the five fields of crontab(5) as OnCalendar lines of systemd.timer(5)."""

from __future__ import annotations

import re

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: on_calendar
short_description: Convert a cron expression to OnCalendar lines
version_added: 0.1.0
author:
  - The mirai.backup authors (@mirai-knowledge-systems)
description:
  - Converts the five fields of crontab(5), as Debian's cron reads them, to calendar expressions of systemd.time(7).
  - The result is one line, or two where both day of month and day of week are restricted, since cron then runs on
    either.
  - What cron would refuse, or would never run, is an error.
positional: _input
options:
  _input:
    description: Minute, hour, day of month, month and day of week.
    type: str
    required: true
"""

EXAMPLES = r"""
# ["*-*-* 02:00:00"]
lines: "{{ '0 2 * * *' | mirai.backup.on_calendar }}"

# ["*-*-01,15 00:30:00", "Sun *-*-* 00:30:00"]
either: "{{ '30 0 1,15 * sun' | mirai.backup.on_calendar }}"
"""

RETURN = r"""
_value:
  description: The calendar expressions, without C(OnCalendar=) before them.
  type: list
  elements: str
"""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict:
        """The filters of this file, by name."""
        return {"on_calendar": on_calendar}


def on_calendar(cron: str) -> list[str]:
    """The calendar expressions that elapse when ``cron`` runs. Raises AnsibleFilterError naming the field."""
    written = str(cron).split()
    if len(written) != len(_FIELDS):
        raise AnsibleFilterError(f"{cron!r} must have the five fields of crontab(5)")
    minutes, hours, days, months, weekdays = (_values(cron, field, *one) for field, one in zip(written, _FIELDS))
    weekdays = {day % 7 for day in weekdays}
    time = f"{_listed(hours, 24)}:{_listed(minutes, 60)}:00"
    weekly = ",".join(_DAYS[day].capitalize() for day in sorted(weekdays))
    by_week = f"{weekly} " if len(weekdays) < 7 else ""
    monthly = f"*-{_listed(months, 12)}-{_listed(days, 31)} {time}"
    # cron's own rule: a field that begins with a star only narrows the other one.
    either = not written[2].startswith("*") and not written[4].startswith("*")
    possible = any(day <= _LENGTHS[month - 1] for month in months for day in days)
    if not possible and not either:
        raise AnsibleFilterError(f"{cron!r} never runs: no such month has such a day")
    if not either:
        return [by_week + monthly]
    weekly_line = f"{by_week}*-{_listed(months, 12)}-* {time}"
    return [monthly, weekly_line] if possible else [weekly_line]


def _values(cron: str, field: str, name: str, low: int, high: int, names: tuple) -> set[int]:
    """The numbers that a field stands for."""
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise AnsibleFilterError(f"{cron!r}: {part!r} is no {name}")
        star, first, last, step = match.groups()
        if step is not None and not star and last is None:
            raise AnsibleFilterError(f"{cron!r}: {part!r} in {name} has a step, but no range")
        begin = low if star else _number(cron, first, name, low, high, names)
        end = high if star else begin if last is None else _number(cron, last, name, low, high, names)
        if begin > end or step is not None and int(step) < 1:
            raise AnsibleFilterError(f"{cron!r}: {part!r} in {name} is empty")
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def _number(cron: str, word: str, name: str, low: int, high: int, names: tuple) -> int:
    if word.lower() in names:
        return names.index(word.lower()) + (1 if names is _MONTHS else 0)
    if not word.isdecimal() or not low <= int(word) <= high:
        raise AnsibleFilterError(f"{cron!r}: {word!r} is no {name}")
    return int(word)


def _listed(values: set[int], count: int) -> str:
    return "*" if len(values) == count else ",".join(f"{value:02d}" for value in sorted(values))
