"""series: the middle, the spread, and ratios within a round."""

import subprocess
import sys
import time

from series import Seconds, Series, collected, seconds


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


def test_what_the_cores_worked_is_counted_whoever_worked():
    busy = [sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"]
    took = seconds(subprocess.run, busy)
    assert took >= 0.5 and took.processor >= 0.45
    idle = min(seconds(time.sleep, 0.5).processor for _number in range(3))
    assert idle < took.processor


def test_what_was_worked_in_two_parts_is_added_up():
    both = Seconds(1.0, 1.5) + Seconds(2.0, 2.5)
    assert (float(both), both.processor) == (3.0, 4.0)
    assert Series((both,)).processor == Series((4.0,))
    assert Series((1.0, 2.0)).plus(Series((3.0, 4.0))) == Series((4.0, 6.0))
