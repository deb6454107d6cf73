"""retention: held to a second, shorter description of the same promises."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup.config import KINDS, Retention
from mirai_backup.retention import Candidate, decide

NOW = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)

POLICIES = st.fixed_dictionaries({kind: st.builds(Retention, st.integers(1, 40), st.integers(1, 4)) for kind in KINDS})
HISTORIES = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 1200), *[st.booleans()] * 3), max_size=25).map(
    lambda drawn: tuple(
        Candidate(f"id{number}", kind, number, NOW - datetime.timedelta(hours=hours), good, pinned, drilled)
        for number, (kind, hours, good, pinned, drilled) in enumerate(drawn)
    )
)


def goes(one, history, policies):
    """The promise, said once more: old, not pinned, enough newer good ones, and not the proof of the last drill."""
    newer_good = [two for two in history if two.kind == one.kind and two.good and two.sequence > one.sequence]
    in_floor = one.good and len(newer_good) < policies[one.kind].keep_min
    last_proof = one.good and one.drilled and not any(two.drilled for two in newer_good)
    return NOW - one.ended > policies[one.kind].days * DAY and not (one.pinned or in_floor or last_proof)


@given(HISTORIES, POLICIES)
def test_agrees_with_the_model(history, policies):
    assert set(decide(history, policies, NOW).prune) == {one.id for one in history if goes(one, history, policies)}


@given(HISTORIES, POLICIES, st.randoms())
def test_the_order_of_the_candidates_is_of_no_account(history, policies, random):
    shuffled = list(history)
    random.shuffle(shuffled)
    assert decide(tuple(shuffled), policies, NOW) == decide(history, policies, NOW)


@given(HISTORIES, POLICIES)
def test_pruning_twice_prunes_nothing_more(history, policies):
    pruned = set(decide(history, policies, NOW).prune)
    left = tuple(one for one in history if one.id not in pruned)
    assert decide(left, policies, NOW).prune == ()


@given(HISTORIES, POLICIES)
def test_every_backup_has_a_reason(history, policies):
    decision = decide(history, policies, NOW)
    assert set(decision.reasons) == {one.id for one in history}
    for id_, reason in decision.reasons.items():
        assert reason.startswith("pruned: " if id_ in decision.prune else "kept: ")


@given(HISTORIES.filter(bool), POLICIES)
def test_a_clock_that_stepped_back_prunes_nothing(history, policies):
    long_ago = min(one.ended for one in history) - 2000 * DAY
    decision = decide(history, policies, long_ago)
    assert decision.prune == ()
    assert set(decision.reasons.values()) == {"kept: the clock stands before the newest backup"}


def test_after_forty_failed_days_the_last_good_one_is_still_there():
    good = Candidate("good", "full", 1, NOW - 41 * DAY)
    broken = tuple(Candidate(f"bad{n}", "full", 1 + n, NOW - (41 - n) * DAY, good=False) for n in range(1, 41))
    decision = decide((good, *broken), {"full": Retention(14)}, NOW)
    assert "good" not in decision.prune
    assert decision.reasons["good"] == "kept: among the newest 1 good ones of its kind"
    assert len(decision.prune) == 26


@pytest.mark.parametrize(("age", "kept"), [(14 * DAY, True), (14 * DAY + datetime.timedelta(seconds=1), False)])
def test_the_limit_itself_is_young_enough(age, kept):
    history = (Candidate("old", "full", 1, NOW - age), Candidate("new", "full", 2, NOW))
    assert ("old" not in decide(history, {"full": Retention(14)}, NOW).prune) == kept


def test_the_oldest_goes_first():
    history = tuple(Candidate(f"id{n}", "json", n, NOW - (30 - n) * DAY) for n in range(5))
    assert decide(history, {"json": Retention(7)}, NOW).prune == ("id0", "id1", "id2", "id3")
