"""notices: both languages say the same things, and columns are columns in both."""

import string

import pytest
from mirai_backup import notices
from mirai_backup.config_checks import KINDS
from mirai_backup.language import LANGUAGES


def holes(words):
    return sorted(str(name) for _text, name, _format, _conversion in string.Formatter().parse(words) if name)


def test_every_sentence_is_there_in_every_language_with_the_same_holes():
    assert set(notices.WORDS) == set(LANGUAGES)
    english, japanese = notices.WORDS["en"], notices.WORDS["ja"]
    assert list(english) == list(japanese)
    assert {key: holes(words) for key, words in english.items()} == {key: holes(w) for key, w in japanese.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_run_has_a_title(language):
    for verb in ("backup", "restore"):
        titles = {notices.title(language, verb, kind) for kind in (*KINDS, "")}
        assert len(titles) == 4
    assert notices.title(language, "drill", "") != notices.title(language, "rollback", "")


def test_values_stand_one_under_the_other_where_labels_are_wide():
    assert notices.lines("ja", [("kind", "a"), ("latest", "b"), ("log", "c")]) == [
        "種類:             a",
        "最新バックアップ: b",
        "ログ:             c",
    ]
    assert notices.lines("en", []) == []
