"""report.py: any drill becomes a whole page that needs nothing else and says what happened in both languages."""

import re

import pytest
from drill_documents import HOSTILE, drills, failing, passing, unverified
from hypothesis import given
from mirai_backup import report
from mirai_backup.xmltext import clean
from parsed_page import Page


@given(drills)
def test_any_drill_is_a_sound_page(drill):
    source = report.page(drill)
    source.encode("utf-8")
    page = Page(source)
    assert len(page.ids) == len(set(page.ids)), "an id twice"
    assert clean(drill["host"]) in page.text
    for table in drill["tables"]:
        assert clean(table["name"]) in page.text
    for one in drill["differences"]:
        assert clean(one) in page.text


@pytest.mark.parametrize("key", ["host", "application", "engine_version", "id"])
def test_hostile_text_stays_text(key):
    drill = passing()
    drill[key] = drill["tables"][0]["name"] = drill["assertions"][0]["sql"] = HOSTILE
    source = report.page(drill)
    assert "<script" not in source
    assert "\u202e" not in source
    assert Page(source).text.count(clean(HOSTILE)) >= 3


def test_nothing_is_loaded_and_nothing_runs():
    source = report.page(passing())
    page = Page(source)
    assert not page.named("script")
    assert not re.search(r"https?://|@import|url\(|javascript:", source)
    assert {one.get("href") for one in page.named("link")} == {"data:,"}
    policy = [one["content"] for one in page.named("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0].startswith("default-src 'none'")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_opens_in_the_language_asked_for_and_holds_both(language):
    page = Page(report.page(passing(), language))
    assert page.named("html")[0]["lang"] == language
    assert [one["id"] for one in page.named("input") if "checked" in one] == [f"show-{language}"]
    assert "are exactly what the snapshot held" in page.text
    assert "スナップショットの内容と完全に一致しました" in page.text


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="'fr' is none of en, ja"):
        report.page(passing(), "fr")


@pytest.mark.parametrize(
    ("drill", "words"), [(passing(), "PASS"), (failing(), "FAIL"), (unverified(), "COULD NOT VERIFY")]
)
def test_the_verdict_is_the_heading_and_the_title(drill, words):
    source = report.page(drill)
    assert re.search(rf'<h1><span class="w" lang="en">{words}</span>', source)
    assert f"<title>{words} · " in source


def test_every_table_has_a_caption_and_every_head_a_scope():
    source = report.page(passing())
    page = Page(source)
    assert source.count("<table") == source.count("<caption")
    assert all(one.get("scope") in ("col", "row") for one in page.named("th"))
    assert all(one["aria-labelledby"] in page.ids for one in page.named("svg") if "aria-labelledby" in one)
    assert all(one.get("aria-hidden") or one.get("role") == "img" for one in page.named("svg"))


def test_the_method_is_told_only_where_something_was_restored():
    assert "How the drill proves it" in report.page(passing())
    assert "How the drill proves it" not in report.page(unverified())


def test_files_alone_are_restored_without_a_server():
    drill = dict(passing(), place={"kind": "none", "server_version": None}, tables=[])
    page = report.page(drill)
    assert "a private directory" in page
    assert "How the drill proves it" in page
