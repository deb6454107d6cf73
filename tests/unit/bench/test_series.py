"""series: the middle, the spread, and ratios within a round."""

from series import Series, collected


def test_the_middle_and_the_spread():
    assert Series((3.0, 1.0, 2.0)).text() == "2.00 (1.00 to 3.00)"
    assert Series((3.14159,)).text(1) == "3.1"


def test_a_ratio_is_taken_within_each_round():
    slow_machine_in_the_second = Series((2.0, 20.0)), Series((1.0, 10.0))
    mine, theirs = slow_machine_in_the_second
    assert mine.over(theirs) == Series((2.0, 2.0))
    assert mine.minus(theirs) == Series((1.0, 10.0))


def test_rounds_become_series():
    assert collected([{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]) == {"a": Series((1.0, 3.0)), "b": Series((2.0, 4.0))}
