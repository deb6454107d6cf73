"""redact: no secret survives in text, however it is spelled."""

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup.redact import MASK, redact, without_rows

SECRET = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="*"), min_size=3)
SPELLINGS = {
    "plain": str,
    "percent-encoded": lambda one: urllib.parse.quote(one, safe=""),
    "percent-encoded but for slashes": urllib.parse.quote,
    "form-encoded": urllib.parse.quote_plus,
    "in JSON": lambda one: json.dumps(one)[1:-1],
    "in JSON as UTF-8": lambda one: json.dumps(one, ensure_ascii=False)[1:-1],
    "in an SQL literal": lambda one: one.replace("'", "''"),
    "in a connection string": lambda one: one.replace("\\", "\\\\").replace("'", "\\'"),
    "in base64": lambda one: base64.b64encode(one.encode()).decode(),
}


@given(SECRET, st.sampled_from(sorted(SPELLINGS)))
def test_every_spelling_is_masked(secret, spelling):
    assert redact(f"<{SPELLINGS[spelling](secret)}>", (secret,)) == f"<{MASK}>"


@given(st.lists(SECRET, min_size=1, max_size=4), st.data())
def test_a_secret_inside_another_does_not_uncover_the_rest(parts, data):
    secrets = tuple(data.draw(st.permutations([*parts, "".join(parts)])))
    assert set(redact(f"<{''.join(parts)}>", secrets)[1:-1]) == {"*"}


def test_innocent_text_stays():
    assert redact("a short password of two: ab", ("ab", "")) == "a short password of two: ab"
    assert redact("nothing to hide", ()) == "nothing to hide"


def test_a_secret_that_is_not_utf8_is_no_obstacle():
    assert redact("said \udcff\udcfe!", ("\udcff\udcfe!",)) == f"said {MASK}"


@pytest.mark.parametrize(
    "said",
    [
        "DETAIL:  Key (lower(email))=(tanaka@example.jp) already exists.\nCONTEXT:  x",
        "DETAIL:  Failing row contains (1, Tokyo / tanaka@example.jp).\nCONTEXT:  x",
        "DETAIL:  Failing row contains (1, one\nline\ntanaka@example.jp).\nCONTEXT:  x",
        'CONTEXT:  COPY t, line 3, column a: "1\ntanaka@example.jp"\nCONTEXT:  x',
    ],
)
def test_rows_go_whatever_lines_and_slashes_they_hold(said):
    shown = without_rows(said, joined=False)
    assert "tanaka" not in shown and shown.endswith("CONTEXT:  x")
    assert without_rows(" / ".join(shown.splitlines())) == " / ".join(shown.splitlines())
