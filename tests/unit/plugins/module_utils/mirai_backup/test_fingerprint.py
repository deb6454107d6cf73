"""fingerprint: two of them agree exactly when the databases hold the same."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import fingerprint, relations, schema
from mirai_backup.errors import EngineError
from stand_in import Answers, Session

TABLE = {"rows": 3, "digest": "71"}
WHOLE = {
    "mode": "full",
    "server_major": 15,
    "tables": {"public.knowledge": TABLE, "auth.users": {"rows": 0, "digest": "0"}},
    "sequences": {"public.knowledge_id_seq": {"low": 3, "high": 5, "step": 1}},
    "large_objects": {"count": 1, "digest": "9"},
    "schema": {"table public.knowledge": "e0a48d0bf4bc9bc3"},
    "excluded": {},
}


def changed(*path, to):
    other = copy.deepcopy(WHOLE)
    place = other
    for key in path[:-1]:
        place = place[key]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return other


def test_what_is_the_same_differs_in_nothing():
    assert fingerprint.differences(WHOLE, copy.deepcopy(WHOLE)) == []


@pytest.mark.parametrize(
    ("other", "line"),
    [
        (changed("tables", "auth.users", to=None), "table auth.users is missing"),
        (changed("tables", "auth.new", to=TABLE), "table auth.new is there, but was not in the snapshot"),
        (
            changed("tables", "public.knowledge", to={"rows": 2, "digest": "71"}),
            "table public.knowledge has 2 rows instead of 3",
        ),
        (
            changed("tables", "public.knowledge", to={"rows": 3, "digest": "72"}),
            "table public.knowledge has other content in its 3 rows",
        ),
        (changed("sequences", "public.knowledge_id_seq", to=None), "sequence public.knowledge_id_seq is missing"),
        (changed("sequences", "s", to={"low": 1, "high": 1, "step": 1}), "sequence s is there, but was not"),
        (
            changed("sequences", "public.knowledge_id_seq", "low", to=6),
            "sequence public.knowledge_id_seq stands at 6 instead of 3",
        ),
        (changed("large_objects", to={"count": 2, "digest": "9"}), "large objects differ: 2 instead of 1"),
        (changed("schema", "table public.knowledge", to="0"), "table public.knowledge is defined otherwise"),
    ],
)
def test_each_difference_names_its_place(other, line):
    (found,) = fingerprint.differences(WHOLE, other)
    assert found.startswith(line)


def test_what_was_only_counted_is_compared_by_its_rows():
    counted = {**WHOLE, "mode": "counts", "large_objects": None, "tables": {"t": {"rows": 3, "digest": ""}}}
    assert fingerprint.differences(counted, {**WHOLE, "tables": {"t": TABLE}}) == []
    assert fingerprint.differences(counted, {**WHOLE, "tables": {"t": {"rows": 4, "digest": "1"}}}) == [
        "table t has 4 rows instead of 3"
    ]


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50), st.sampled_from((-2, 1, 3)))
def test_a_sequence_may_stand_anywhere_between_its_two_readings(low, high, position, step):
    """Unless it turned back in between: then nothing can be said of it."""
    wanted = {**WHOLE, "sequences": {"s": {"low": low, "high": high, "step": step}}}
    found = {**WHOLE, "sequences": {"s": {"low": position, "high": position, "step": step}}}
    turned = (high - low) * step < 0
    assert (fingerprint.differences(wanted, found) == []) == (turned or min(low, high) <= position <= max(low, high))


def test_side_by_side_shows_every_table_of_either():
    rows = fingerprint.side_by_side(WHOLE, changed("tables", "auth.users", to=None))
    assert [(row["name"], row["verdict"]) for row in rows] == [("auth.users", "fail"), ("public.knowledge", "pass")]
    assert (rows[0]["expected_rows"], rows[0]["found_rows"], rows[0]["found_digest"]) == (0, None, "")
    (new,) = fingerprint.side_by_side({**WHOLE, "tables": {}}, {**WHOLE, "tables": {"t": TABLE}})
    assert (new["expected_rows"], new["expected_digest"], new["found_rows"]) == (None, "", 3)


def relation(name, kind, **values):
    usual = {
        "schema": "public",
        "columns": None,
        "hashed": "ROW(hashed)",
        "condition": None,
        "populated": True,
        "definition": None,
    }
    return {**usual, "name": name, "kind": kind, "unsteady": False, "owned_by_extension": False, **values}


FOUND = [
    relation("t", "r"),
    relation("child", "r", columns='ROW(mirai_row.a, mirai_row."b c")'),
    relation("hashed", "p"),
    relation("view", "m", hashed=None, definition=" SELECT 1;"),
    relation("stale", "m", populated=False),
    relation("far", "f"),
    relation("settings", "r", owned_by_extension=True, condition="WHERE custom"),
    relation("t_id_seq", "S"),
]


def taken(mode, monkeypatch, formula=fingerprint.FORMULA, **answers):
    monkeypatch.setattr(relations, "find", lambda _session: FOUND)
    monkeypatch.setattr(schema, "inventory", lambda _session: {"table public.t": "ab"})
    rows = [{"name": "public.t_id_seq", "last_value": 7, "is_called": False, "step": 2}]
    known = {"pg_largeobject": [{"count": 0, "digest": "0"}], "last_value": rows, "count(*)": [TABLE]}
    log = Answers({**known, **answers})
    return fingerprint.take(Session(log), mode, 150014, None, formula), log.said


def test_taken_with_every_setting_pinned_that_changes_text(monkeypatch):
    found, said = taken("full", monkeypatch)
    assert said[0] == fingerprint.PINNED
    assert found["server_major"] == 15
    assert found["excluded"] == {"public.far": "foreign table: its rows live elsewhere"}
    assert found["tables"]["public.stale"] == {"rows": 0, "digest": "0"}
    assert found["tables"]["public.settings"] == TABLE
    assert found["sequences"] == {"public.t_id_seq": {"low": 5, "high": 5, "step": 2}}
    assert found["large_objects"] == {"count": 0, "digest": "0"}


def test_alone_with_a_database_the_servers_workers_help(monkeypatch):
    log = Answers()
    monkeypatch.setattr(fingerprint, "take", lambda _session, *arguments: (arguments, list(log.said)))
    expected = {"mode": "full", "formula": 2}
    assert fingerprint.take_alone(Session(log), expected, 150014) == (("full", 150014, None, 2), [fingerprint._WORKERS])


def test_what_an_older_engine_took_is_taken_as_it_did(monkeypatch):
    monkeypatch.setattr(fingerprint, "take", lambda _session, *arguments: arguments)
    assert fingerprint.take_again(None, {"mode": "counts"}, 150014) == ("counts", 150014, None, 1)


def test_a_way_of_a_newer_engine_is_not_guessed(monkeypatch):
    with pytest.raises(EngineError, match="newer engine") as caught:
        taken("full", monkeypatch, formula=3)
    assert "update mirai.backup" in caught.value.words


def test_texts_stand_in_a_row_as_hashes_and_views_are_taken_as_a_refresh_makes_them(monkeypatch):
    found, statements = taken("full", monkeypatch)
    assert found["formula"] == 2
    (child,) = [one for one in statements if '"child"' in one]
    assert "hashtextextended(ROW(hashed)::text" in child and "FROM ONLY" in child
    (view,) = [one for one in statements if "( SELECT 1)" in one]
    assert "(mirai_row.*)" in view


def test_inherited_columns_are_taken_by_name(monkeypatch):
    statements = taken("full", monkeypatch, formula=1)[1]
    (child,) = [one for one in statements if '"child"' in one]
    assert 'ROW(mirai_row.a, mirai_row."b c")' in child and "FROM ONLY" in child
    (view,) = [one for one in statements if "( SELECT 1)" in one]
    assert "(mirai_row.*)" in view
    assert any('FROM "public"."hashed" mirai_row' in one for one in statements)
    assert any("mirai_row WHERE custom" in one for one in statements)


def test_counted_without_a_digest(monkeypatch):
    found, said = taken("counts", monkeypatch)
    assert found["large_objects"] is None
    assert found["tables"]["public.stale"] == {"rows": 0, "digest": ""}
    assert not any("hashtextextended" in one for one in said)


def test_a_second_reading_of_the_sequences_widens_them(monkeypatch):
    monkeypatch.setattr(relations, "find", lambda _session: FOUND)
    rows = [{"name": "public.t_id_seq", "last_value": 9, "is_called": True, "step": 1}]
    before = {"public.t_id_seq": {"low": 5, "high": 5, "step": 1}, "public.gone": {"low": 1, "high": 1, "step": 1}}
    widened = fingerprint.widen({**WHOLE, "sequences": before}, Session(Answers({"last_value": rows})))
    assert widened["sequences"]["public.t_id_seq"] == {"low": 5, "high": 9, "step": 1}
    assert widened["sequences"]["public.gone"] == before["public.gone"]


def test_without_sequences_nothing_is_asked():
    log = Answers()
    assert fingerprint.sequences(Session(log), [relation("t", "r")]) == {}
    assert log.said == []
