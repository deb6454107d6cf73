"""relations: named so that no two are one, and left out of a proof only for a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import relations
from stand_in import Answers, Session

NAME = st.text(st.sampled_from('ab."'), min_size=1, max_size=4)
TABLE = {"kind": "r", "unsteady": False, "owned_by_extension": False, "condition": None}


@given(NAME, NAME, NAME, NAME)
def test_two_relations_never_have_the_same_name(schema, name, other_schema, other_name):
    one, other = {"schema": schema, "name": name}, {"schema": other_schema, "name": other_name}
    assert (relations.name(one) == relations.name(other)) == (one == other)


def test_usual_names_are_written_as_people_do():
    assert relations.name({"schema": "auth", "name": "users"}) == "auth.users"
    assert relations.name({"schema": "auth", "name": "v1.users"}) == 'auth."v1.users"'


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, ""),
        ({"kind": "f"}, "foreign table"),
        ({"kind": "m", "unsteady": True}, "materialized view: what REFRESH makes"),
        ({"owned_by_extension": True}, "belongs to an extension"),
        ({"owned_by_extension": True, "condition": ""}, ""),
    ],
)
def test_why_a_relation_is_left_out(values, why):
    found = relations.why_excluded({**TABLE, **values})
    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_found_by_one_query():
    answers = Answers({"pg_class": [TABLE]})
    assert relations.find(Session(answers)) == [TABLE]
    assert len(answers.said) == 1
