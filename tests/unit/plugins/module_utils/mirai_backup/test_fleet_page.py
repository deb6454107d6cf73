"""fleet_page: any fleet becomes a whole page that needs nothing else and names every server in both languages."""

import re

import pytest
from drill_documents import HOSTILE
from fleets import BROKEN, NOT_SET_UP, NOW, UNREACHABLE, answers, drill, half, status
from hypothesis import given
from mirai_backup import fleet, fleet_page
from mirai_backup.report_phrases import WORDS
from mirai_backup.xmltext import clean
from parsed_page import Page


def page(found: dict, language: str = "en") -> str:
    return fleet_page.page([fleet.host(name, answer) for name, answer in found.items()], NOW, language)


@given(answers)
def test_any_fleet_is_a_sound_page_with_every_server_and_finding(found):
    source = page(found)
    source.encode("utf-8")
    read = Page(source)
    assert len(read.ids) == len(set(read.ids)), "an id twice"
    for name, answer in found.items():
        assert clean(name) in read.text
        for one in (answer.get("status") or {}).get("problems", ()):
            assert clean(" ".join(one.split())) in read.text


def test_hostile_text_stays_text():
    source = page({HOSTILE: {"status": status(problems=[HOSTILE], engine_version=HOSTILE)}, "b": {"msg": HOSTILE}})
    assert "<script" not in source
    assert "\u202e" not in source
    assert not re.search(r"https?://|@import|url\(|javascript:", source)


@pytest.mark.parametrize("state", fleet.STATES)
def test_every_state_and_next_step_has_words(state):
    assert f"state_{state}" in WORDS["en"]
    assert {key for key in WORDS["en"] if key.startswith("next_")} == {f"next_{one}" for one in fleet._COMMANDS}


def test_a_warning_is_shown_without_a_next_step():
    read = Page(page({"app1": {"status": status(warnings=["roles without passwords"])}}))
    assert "roles without passwords" in read.text
    assert WORDS["en"]["fleet_next"] + ": " not in read.text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_fleet_in_order_says_so_and_lists_no_findings(language):
    read = Page(page({"app1": {"status": status()}, "app2": {"status": status()}}, language))
    assert read.named("html")[0]["lang"] == language
    assert "ALL IS WELL" in read.text and "異常なし" in read.text
    assert "2 servers: good, recent backups of both halves everywhere." in read.text
    assert WORDS["en"]["fleet_findings"] not in read.text


def test_what_is_wrong_comes_with_its_next_step():
    late = {"database": half(age=30 * 3600, sizes=(100, 100, 150)), "json": None}
    read = Page(page({"app1": {"status": status(problems=["old"], halves=late)}, "app2": UNREACHABLE}))
    assert "2 of 2 servers not in order." in read.text
    assert "ansible-playbook mirai.backup.backup -e target=app1" in read.text
    assert "ansible app2 -m ansible.builtin.ping" in read.text
    assert "150 B (+50 %)" in read.text
    assert [one["class"] for one in read.named("span") if one.get("class") == "late"] == ["late"] * 2
    advised = Page(page({"app3": BROKEN, "app4": NOT_SET_UP}))
    assert "did you mean y?" in advised.text and "mirai.backup.setup -e target=app4" in advised.text


def test_engines_of_different_versions_and_missing_drills_are_named():
    read = Page(
        page(
            {
                "a": {"status": status(engine_version="0.1.0")},
                "b": {"status": status(engine_version="0.2.0", drill=None)},
                "c": {"status": status(drill=drill("fail"), problems=["the last drill failed"])},
            }
        )
    )
    assert "2 different versions" in read.text
    assert "1 without a drill" in read.text


def test_many_findings_are_folded_up_and_none_is_left_out():
    read = Page(page({f"app{index}": UNREACHABLE for index in range(45)}))
    assert "Show 15 more" in read.text
    assert len(read.named("details")) == 1
    assert all(f"ansible app{index} -m" in read.text for index in range(45))


def test_no_servers_is_no_good_news():
    assert "No server was looked at, so nothing is known." in Page(page({})).text
