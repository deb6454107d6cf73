"""compatibility: what failed, and what was not run, is not called passed."""

import datetime

from compatibility import Cell, page, table

OLD, NEW = "ansible-core 2.18.19, Python 3.11.2", "ansible-core 2.21.5, Python 3.13.5"


def test_a_row_for_each_target_and_a_column_for_each_controller():
    cells = [Cell(OLD, "Debian 11", ""), Cell(OLD, "Debian 13", "setup again: changed=1"), Cell(NEW, "Debian 13", "")]
    assert table(cells).splitlines() == [
        f"| target | {OLD} | {NEW} |",
        "| --- | --- | --- |",
        "| Debian 11 | passed | – |",
        "| Debian 13 | FAILED: setup again | passed |",
    ]


def test_the_page_says_when_what_was_run_and_what_was_not():
    words = page([Cell(OLD, "Debian 11", "")], datetime.date(2026, 11, 24), ["setup", "drill"])
    assert "Run on 2026-11-24" in words and "| Debian 11 | passed |" in words
    assert "1. setup\n2. drill\n" in words
    assert "RedHat family was never run on a machine" in words
