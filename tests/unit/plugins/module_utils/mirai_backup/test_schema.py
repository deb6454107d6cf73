"""schema: an inventory of the objects, in which noise is no difference."""

import pytest
from mirai_backup import schema
from mirai_backup.schema_classes import CLASSES, DEPARSED, ONE_MAJOR
from stand_in import Answers, Session

DEPARSED_CLASS = sorted(DEPARSED)[0]


def inventory(**definitions):
    """The inventory of a database whose one object of each class given is defined so."""
    answers = {CLASSES[kind]: [{"name": "a.b", "definition": text}] for kind, text in definitions.items()}
    return schema.inventory(Session(Answers(answers)))


def test_every_object_has_a_digest_of_its_definition():
    (kind,) = [one for one in CLASSES if one not in DEPARSED][:1]
    one, other = inventory(**{kind: "x"}), inventory(**{kind: "y"})
    assert list(one) == [f"{kind} a.b"]
    assert all(len(digest) == 16 for digest in one.values())
    assert one != other
    assert inventory(**{kind: None}) == inventory(**{kind: ""})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(ARRAY['a'::varchar, 'b'::varchar])::text[]", "ARRAY[('a'::varchar)::text, ('b'::varchar)::text]"),
        ("(x > 0)", "x  >  (0)"),
        ("x::numeric(10,2)", "(x)::numeric(10,2)"),
    ],
)
def test_what_a_server_prints_otherwise_after_a_round_trip_is_the_same(before, after):
    assert inventory(**{DEPARSED_CLASS: before}) == inventory(**{DEPARSED_CLASS: after})


def test_what_is_defined_otherwise_is_not():
    assert inventory(**{DEPARSED_CLASS: "x > 0"}) != inventory(**{DEPARSED_CLASS: "x > 1"})


def test_missing_new_and_changed_objects_are_named():
    lines = schema.differences({"table a": "1", "table b": "1"}, {"table b": "2", "table c": "1"}, True)
    assert lines == [
        "table a is missing",
        "table c is there, but was not in the snapshot",
        "table b is defined otherwise",
    ]


def test_between_majors_what_a_server_prints_does_not_count():
    kind = sorted(ONE_MAJOR)[0]
    assert schema.differences({f"{kind} a": "1"}, {f"{kind} a": "2"}, False) == []
    assert schema.differences({f"{kind} a": "1"}, {f"{kind} a": "2"}, True) == [f"{kind} a is defined otherwise"]
    (steady,) = [one for one in CLASSES if one not in ONE_MAJOR][:1]
    assert schema.differences({f"{steady} a": "1"}, {f"{steady} a": "2"}, False)
