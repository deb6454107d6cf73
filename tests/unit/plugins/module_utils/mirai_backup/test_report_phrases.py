"""report_phrases.py and the words: both languages say the same things, and what is filled in stays text."""

import string

import pytest
from drill_documents import CHECKS, DAMAGES, PHASES, VERDICTS
from mirai_backup import report_phrases
from mirai_backup.report_phrases import WORDS, counted, duration, listed, named, same, say, together


def fields(template: str) -> set:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(template) if name is not None}


def test_both_languages_have_the_same_words_with_the_same_fields():
    assert list(WORDS["en"]) == list(WORDS["ja"])
    for key, words in WORDS["en"].items():
        assert fields(words) == fields(WORDS["ja"][key]), key
        assert words.strip()
        assert WORDS["ja"][key].strip()


@pytest.mark.parametrize(
    ("group", "names"),
    [("verdict", VERDICTS), ("badge", VERDICTS), ("control", VERDICTS), ("check", CHECKS), ("why", CHECKS)]
    + [("damage", DAMAGES), ("phase", PHASES), ("place", ("throwaway", "database", "none"))]
    + [("kind", ("full", "database", "json")), ("history", ("rto", "duration", "size"))],
)
def test_every_name_of_a_drill_document_has_words(group, names):
    for name in names:
        assert f"{group}_{name}" in WORDS["en"]


def test_a_name_without_words_stands_for_itself():
    assert named("check", "<new>").ja == "&lt;new&gt;"


def test_values_are_escaped_and_not_filled_in_again():
    assert say("target", target="<b>{target}").en == "target &lt;b&gt;{target}"


@pytest.mark.parametrize(("count", "words"), [(0, "0 tables"), (1, "1 table"), (20328, "20,328 tables")])
def test_counts(count, words):
    assert counted("tables", count).en == words


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [(None, "–", "–"), (0.44, "0.4 s", "0.4 秒"), (125, "2 min 5 s", "2 分 5 秒"), (97200, "1 d 3 h", "1 日 3 時間")],
)
def test_lengths_of_time(seconds, english, japanese):
    assert (duration(seconds).en, duration(seconds).ja) == (english, japanese)


def test_lists_and_sentences():
    assert listed([same("a"), same("b"), same("c")]).en == "a, b and c"
    assert listed([same("a"), same("b")]).ja == "a、b"
    assert together(same("A."), same("B.")).en == "A. B."
    assert together(same("あ。"), same("い。")).ja == "あ。い。"
    assert report_phrases.number(None) == "–"
