"""Answers of servers for tests: what backup_info returns, and any that hypothesis can think of."""

import copy

from drill_documents import HOSTILE
from hypothesis import strategies as st

NOW = "2026-11-24T08:00:00.000000Z"
MAX_AGE = 26 * 3600


def half(age: float = 3600, sizes: tuple = (100, 110)) -> dict:
    return {
        "id": "mirai_full_20261124_020000",
        "kind": "full",
        "ended": NOW,
        "age_seconds": age,
        "size": sizes[-1],
        "sizes": list(sizes),
    }


def drill(verdict: str = "pass") -> dict:
    return {"id": "d", "verdict": verdict, "backup": "b", "started": NOW, "age_seconds": 9e5, "rto_seconds": 41.0}


def status(**values) -> dict:
    """The status of a server in order, but for ``values``."""
    return {
        "time": NOW,
        "engine_version": "0.1.0",
        "application": "Mirai-Knowledge-Systems",
        "max_age_seconds": MAX_AGE,
        "problems": [],
        "warnings": [],
        "backups": 2,
        "size": 210,
        "halves": {"database": half(), "json": half()},
        "drill": drill(),
        "drill_wanted": True,
        "lagging_stores": [],
        **copy.deepcopy(values),
    }


UNREACHABLE = {"unreachable": True, "msg": "Failed to connect:\n  refused"}
NOT_SET_UP = {"failed": True, "error": "no configuration", "error_type": "NotSetUpError", "next_step": "run setup"}
BROKEN = {"failed": True, "error": "key x is unknown", "error_type": "ConfigError", "next_step": "did you mean y?"}

_texts = st.one_of(st.text(st.characters(exclude_categories=()), max_size=20), st.just(HOSTILE))
_seconds = st.floats(-1e5, 1e8) | st.integers(0, 10**8)
_halves = st.none() | st.builds(half, _seconds, st.lists(st.integers(0, 10**12), min_size=1, max_size=31).map(tuple))
_drills = st.none() | st.builds(drill, st.sampled_from(("pass", "fail", "could_not_verify", "not_configured")))
_statuses = st.builds(
    status,
    problems=st.lists(_texts, max_size=3),
    warnings=st.lists(_texts, max_size=3),
    halves=st.fixed_dictionaries({"database": _halves, "json": _halves}),
    drill=_drills,
    drill_wanted=st.booleans(),
    lagging_stores=st.lists(_texts, max_size=2),
    engine_version=st.none() | _texts,
)
_errors = st.dictionaries(st.sampled_from(("msg", "error", "error_type", "next_step")), _texts | st.none())
_answers = st.one_of(
    st.just({}),
    _statuses.map(lambda one: {"status": one}),
    _errors,
    _errors.map(lambda one: {**one, "unreachable": True}),
    st.just(NOT_SET_UP),
)
answers = st.dictionaries(_texts, _answers, max_size=40)
