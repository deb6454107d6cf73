"""variables.py: where the Japanese page is not the English one's equal is named."""

import pytest
import variables

HEAD = "| variable | type | default | meaning |\n|---|---|---|---|\n"
FIRST = "| `a` ⚙ | str | empty | `none` for none. |\n"
SECOND = "| `b` | `x` `y` | `{{ c \\| d }}` | What it is. |\n"
PLAYS = "\n| variable | playbook | meaning |\n|---|---|---|\n| `a` | all | of a play |\n"
PAGE = HEAD + FIRST + SECOND + PLAYS

EQUAL_FIRST = "| `a` ⚙ | str | 空 | なしなら `none`。 |\n"
EQUAL_SECOND = "| `b` | `x` `y` | `{{ c \\| d }}` | それが何か。 |\n"
EQUAL_PLAYS = "| `a` | すべて | プレイの |\n"


def test_an_equal_page_is_not_reported():
    assert variables.untranslated(PAGE, EQUAL_FIRST + EQUAL_SECOND + EQUAL_PLAYS) == []


@pytest.mark.parametrize(
    ("japanese", "said"),
    [
        (EQUAL_FIRST + EQUAL_PLAYS, ["lacks the row `b` | `x` `y` | `{{ c \\| d }}`"]),
        (
            EQUAL_FIRST + EQUAL_SECOND + "| `gone` | str | `1` | 何か。 |\n" + EQUAL_PLAYS,
            ["has the row `gone` | str | `1`, which variables.md has not"],
        ),
        (
            EQUAL_FIRST + EQUAL_SECOND.replace("`y`", "`z`") + EQUAL_PLAYS,
            [
                "lacks the row `b` | `x` `y` | `{{ c \\| d }}`",
                "has the row `b` | `x` `z` | `{{ c \\| d }}`, which variables.md has not",
            ],
        ),
        (EQUAL_SECOND + EQUAL_FIRST + EQUAL_PLAYS, ["has the rows in another order than variables.md"]),
        (EQUAL_FIRST.replace("`none`", "なし") + EQUAL_SECOND + EQUAL_PLAYS, ["does not say of `a` ⚙: `none`"]),
        (EQUAL_FIRST + EQUAL_SECOND.replace("それが何か。", "") + EQUAL_PLAYS, ["does not say of `b`: its meaning"]),
    ],
)
def test_what_differs_is_named(japanese, said):
    assert variables.untranslated(PAGE, japanese) == said


def test_a_description_of_several_sentences_and_an_empty_choice_are_words():
    spec = {"type": "str", "choices": ["", "x"], "default": "", "description": ["One.", "V(x) is two."]}
    page = variables.rendered({"mirai_backup_a": {**spec, "options": {"o": spec}}}, set())
    assert "| `mirai_backup_a` | empty `x` | empty | One. `x` is two. `o`: One. `x` is two. |" in page
