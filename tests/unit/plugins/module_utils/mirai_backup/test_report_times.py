"""report_times.py: phases in their order, each bar after the one before; history in charts and in numbers."""

import re

from drill_documents import passing, past
from mirai_backup import report_times
from parsed_page import Page


def test_phases_stand_in_the_order_of_the_drill():
    drill = dict(passing(), phases={"control": 1, "verify": 2, "restore": 5})
    section = report_times.phases(drill)
    assert section.index("Verify the backup") < section.index("Restore") < section.index("Negative control")
    bars = re.findall(r'x="([\d.]+)" y="0" width="([\d.]+)"', section)
    assert [(float(x), float(width)) for x, width in bars] == [(0, 250), (250, 625), (875, 125)]


def test_phases_that_were_not_reached_are_left_out():
    section = report_times.phases(dict(passing(), phases={"verify": 2, "restore": None}))
    assert "Restore" not in section
    assert report_times.phases(dict(passing(), phases={})) == ""


def test_the_history_is_there_in_numbers():
    page = Page(report_times.history(dict(passing(), history=past([10, None, 30]))))
    assert sum(one.get("scope") == "row" for one in page.named("th")) == 3
    assert "could not verify" in page.text


def test_charts_show_the_newest_sixty():
    section = report_times.history(dict(passing(), history=past(list(range(1, 101)))))
    assert section.count("<circle") == 3 * 60 + 1
    assert Page(section).text.count("UTC") >= 100


def test_the_first_drill_is_called_so():
    assert "This is the first drill on record." in report_times.history(passing())
    assert report_times.history(dict(passing(), history=[])) == ""
