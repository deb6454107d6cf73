"""report_html.py: what is put in stays text, whatever it is."""

from hypothesis import given
from hypothesis import strategies as st
from mirai_backup.report_html import Html, Phrase, english, foreign, join, tag
from mirai_backup.xmltext import clean
from parsed_page import Page


@given(st.text(st.characters(exclude_categories=())))
def test_text_and_attributes_come_back_as_they_went_in(text):
    page = Page(tag("p", text, title=text))
    assert page.text == clean(text)
    assert page.named("p")[0]["title"] == clean(text)


def test_attributes():
    assert tag("input", class_="a", aria_hidden="true", checked=True, id=None) == (
        '<input class="a" aria-hidden="true" checked>'
    )


def test_a_phrase_is_both_languages_or_one_where_they_agree():
    both = Phrase(Html("yes"), Html("はい"))
    spans = '<span class="w" lang="en">yes</span><span class="w" lang="ja">はい</span>'
    assert tag("p", both) == f"<p>{spans}</p>"
    assert join(both, "<") == spans + "&lt;"
    assert "tspan" in tag("text", both)
    assert tag("p", Phrase(Html("1"), Html("1"))) == "<p>1</p>"


def test_digests_in_findings_are_set_apart():
    digest = "0" * 64
    assert english(f"SHA-256 {digest} <") == f'<span lang="en">SHA-256 {foreign(digest)} &lt;</span>'
