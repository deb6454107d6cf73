"""xmltext.py: what it lets through can stand in XML, and nothing visible is lost."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import xmltext


@given(st.text(st.characters(exclude_categories=())))
def test_cleaned_text_survives_an_xml_parser(text):
    element = ElementTree.Element("a")
    element.text = cleaned = xmltext.clean(text)
    assert (ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8")).text or "") == cleaned


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_letters_stay_as_they_are(text):
    assert xmltext.clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x00b", "a\\x00b"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202egpj", "\\u202egpj"),
        ("\udc80", "\\udc80"),
        ("\r", "\\x0d"),
    ],
)
def test_unfit_characters_are_spelled_out(text, cleaned):
    assert xmltext.clean(text) == cleaned


def test_lines_and_tabs_stay():
    assert xmltext.clean("a\tb\nc") == "a\tb\nc"
    assert not re.search(r"\\", xmltext.clean("知識\U0001f600"))
