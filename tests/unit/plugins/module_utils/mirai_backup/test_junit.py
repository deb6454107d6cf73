"""junit.py: any drill becomes valid XML whose counts agree, and no drill but a passed one looks green."""

from xml.etree import ElementTree

import pytest
from drill_documents import HOSTILE, drills, failing, passing, unverified
from hypothesis import given
from mirai_backup import junit
from mirai_backup.xmltext import clean


def read(drill: dict) -> ElementTree.Element:
    return ElementTree.fromstring(junit.document(drill).encode("utf-8"))


def case(root: ElementTree.Element, group: str, name: str) -> ElementTree.Element:
    found = [
        one
        for one in root.iter("testcase")
        if (one.get("classname"), one.get("name")) == (f"mirai_backup.drill.{group}", name)
    ]
    assert len(found) == 1, ElementTree.tostring(root, encoding="unicode")
    return found[0]


@given(drills)
def test_any_drill_is_valid_xml_and_its_counts_agree(drill):
    root = read(drill)
    suite = root.find("testsuite")
    for element in (root, suite):
        assert int(element.get("tests")) == len(suite.findall("testcase"))
        assert int(element.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(element.get("errors")) == len(suite.findall("testcase/error"))
        assert int(element.get("skipped")) == len(suite.findall("testcase/skipped"))
        assert float(element.get("time")) >= 0
    assert len(suite.findall("testcase")) == 1 + sum(len(drill[key]) for key in ("checks", "tables", "assertions"))


@given(drills)
def test_only_a_passed_drill_can_be_green(drill):
    problems = case(read(drill), "verdict", "verdict")
    red = problems.find("failure") is not None or problems.find("error") is not None
    assert red == (drill["verdict"] != "pass")


def test_a_passed_drill():
    suite = read(passing()).find("testsuite")
    assert suite.attrib == {
        "name": "drill_20261123_040000",
        "hostname": "drill01",
        "timestamp": "2026-11-22T19:00:00",
        "tests": "15",
        "failures": "0",
        "errors": "0",
        "skipped": "0",
        "time": "58.400",
    }
    assert case(suite, "checks", "restore").get("time") == "1.500"


def test_a_failed_drill_names_every_place():
    root = read(failing())
    assert "public.knowledge has 1203 rows instead of 1204" in case(root, "verdict", "verdict").find("failure").text
    table = case(root, "tables", "public.knowledge").find("failure")
    assert table.get("message") == "table public.knowledge has 1203 rows instead of 1204"
    assert "digest 1" in table.text
    assert case(root, "tables", "auth.users").find("failure") is None


def test_what_was_not_checked_is_an_error_and_what_is_not_configured_is_skipped():
    drill = unverified()
    drill["checks"][9].update(verdict="not_configured", detail="no assertions are configured")
    root = read(drill)
    assert case(root, "checks", "restore").find("error").get("message") == "no server to drill on"
    assert case(root, "checks", "assertions").find("skipped").get("message") == "no assertions are configured"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"found_rows": None}, "table auth.users is missing"),
        ({"expected_rows": None}, "table auth.users is there, but was not in the snapshot"),
        ({"found_digest": "0"}, "table auth.users has other content in its 41 rows"),
    ],
)
def test_how_a_table_differs(change, message):
    drill = failing()
    drill["tables"][1].update(change, verdict="fail")
    assert case(read(drill), "tables", "auth.users").find("failure").get("message") == message


def test_hostile_names_stay_text():
    drill = failing()
    drill["tables"][0]["name"] = HOSTILE
    assert case(read(drill), "tables", clean(HOSTILE)).find("failure") is not None
