"""report_checks.py: every check is listed, and the negative control says plainly what it means."""

import pytest
from drill_documents import CHECKS, passing, unverified
from mirai_backup import report_checks
from mirai_backup.report_phrases import WORDS
from parsed_page import Page


def test_every_check_is_a_row_with_its_purpose():
    page = report_checks.checks(passing()["checks"])
    assert page.count('<th scope="row">') == len(CHECKS)
    text = Page(page).text
    for name in CHECKS:
        assert WORDS["en"][f"why_{name}"] in text


def test_a_check_without_more_to_say_is_in_order():
    text = Page(report_checks.checks(passing()["checks"])).text
    assert text.count("in order") == len(CHECKS)


def test_a_check_that_did_not_run_shows_no_time():
    assert "0.0 s" not in report_checks.checks(unverified()["checks"])


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("pass", "The damage was found"),
        ("fail", "The damage was not found"),
        ("could_not_verify", "nothing shows that these checks can fail"),
        ("not_configured", "nothing shows that these checks can fail"),
    ],
)
def test_the_negative_control(verdict, words):
    drill = passing()
    drill["negative_control"]["verdict"] = verdict
    text = Page(report_checks.control(drill)).text
    assert words in text
    assert "one row was changed" in text
    assert ("table public.knowledge has other content" in text) == (verdict == "pass")


def test_a_control_that_was_not_made_says_why():
    text = Page(report_checks.control(unverified())).text
    assert "No negative control was made" in text
    assert "no server to drill on" in text


def test_an_assertion_that_fails_says_what_was_found():
    drill = passing()
    drill["assertions"][0].update(verdict="fail", found=None, detail="no row came back")
    assert "no row came back" in Page(report_checks.assertions(drill)).text
