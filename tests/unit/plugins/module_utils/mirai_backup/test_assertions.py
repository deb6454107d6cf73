"""assertions: the operator's queries, held to what they must come to."""

import decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import assertions
from mirai_backup.errors import DatabaseError
from stand_in import Answers, Session, Target

NUMBERS = st.integers(-100, 100)


@given(NUMBERS, NUMBERS)
def test_numbers_are_compared_as_numbers(found, wanted):
    truths = {
        "=": found == wanted,
        "!=": found != wanted,
        ">": found > wanted,
        "<": found < wanted,
        ">=": found >= wanted,
        "<=": found <= wanted,
    }
    for operator, truth in truths.items():
        assert assertions.holds(str(found), f"{operator} {wanted}") is truth
    assert assertions.holds(f"{found}.0", str(wanted)) is (found == wanted)


@pytest.mark.parametrize(
    ("found", "expected", "truth"),
    [("true", "true", True), ("t", "true", False), ("a", "!= b", True), ("a", "= a", True), ("", "x", False)],
)
def test_texts_are_the_same_or_not(found, expected, truth):
    assert assertions.holds(found, expected) is truth


def test_texts_have_no_order():
    with pytest.raises(ValueError, match="'abc' and '5' are not both numbers"):
        assertions.holds("abc", "> 5")


@pytest.mark.parametrize(
    ("found", "expected", "truth"),
    [
        ("NaN", "NaN", True),
        ("NaN", "!= 1", True),
        ("12345678901234567.89", "12345678901234567.89", True),
        ("9007199254740993.0", "9007199254740992", False),
    ],
)
def test_numbers_are_neither_rounded_nor_undefined(found, expected, truth):
    assert assertions.holds(found, expected) is truth


def test_what_is_no_number_has_no_order():
    with pytest.raises(ValueError, match="not both numbers"):
        assertions.holds("NaN", "> 5")


@pytest.fixture
def outcome(monkeypatch):
    """What becomes of one assertion when the query gives ``rows``, or raises."""

    def run(rows, expect=">= 1"):
        monkeypatch.setattr(assertions.postgres, "Session", Session.on(Answers({"SELECT": rows})))
        test = {"name": "somebody can log in", "sql": "SELECT count(*) FROM auth.users", "expect": expect}
        (result,) = assertions.run(Target(), "mirai_drill", (test,))
        return result["verdict"], result["found"], result["detail"]

    return run


def test_one_value_that_is_as_expected_passes(outcome):
    assert outcome([{"count": 41}]) == ("pass", "41", "")
    assert outcome([{"there": True}], "true") == ("pass", "true", "")
    assert outcome([{"there": False}], "false") == ("pass", "false", "")


@pytest.mark.parametrize("count", [0, 1, 2])
def test_none_and_one_are_numbers_and_no_truths(outcome, count):
    assert outcome([{"count": count}], f"= {count}") == ("pass", str(count), "")


def test_documents_are_compared_as_json():
    assert assertions._text({"a": [1, True]}) == '{"a": [1, true]}'


def test_a_number_with_a_fraction_is_shown_as_the_server_gave_it(outcome):
    assert outcome([{"sum": decimal.Decimal("12345678901234567.89")}], "12345678901234567.89") == (
        "pass",
        "12345678901234567.89",
        "",
    )


def test_another_value_fails_and_is_shown(outcome):
    assert outcome([{"count": 0}]) == ("fail", "0", "found 0, expected >= 1")
    assert outcome([{"name": None}], "x") == ("fail", "", "found nothing, expected x")


@pytest.mark.parametrize("rows", [[], [{"a": 1}, {"a": 2}], [{"a": 1, "b": 2}]])
def test_what_is_not_one_value_fails(outcome, rows):
    assert outcome(rows) == ("fail", None, f"the query gave {len(rows)} rows instead of one value")


def test_a_query_that_does_not_run_fails_with_the_servers_words(outcome):
    verdict, _found, detail = outcome(DatabaseError("relation auth.users does not exist"))
    assert (verdict, detail) == ("fail", "relation auth.users does not exist")
    assert outcome([{"count": "many"}])[2] == "'many' and '1' are not both numbers"
