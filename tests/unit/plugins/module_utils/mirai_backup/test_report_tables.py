"""report_tables.py: few tables in one list, many folded up by schema, those that differ always in sight."""

from drill_documents import failing, with_tables
from mirai_backup import report_tables
from parsed_page import Page


def test_few_tables_are_one_list_with_the_differing_ones_first():
    drill = with_tables(30)
    drill["tables"][29].update(found_rows=1, verdict="fail")
    page = report_tables.section(drill["tables"])
    assert "<details>" not in page
    assert page.index("schema1.table_29") < page.index("schema0.table_0<")


def test_a_thousand_tables_are_folded_up_by_schema():
    drill = with_tables(1000)
    drill["tables"][501].update(found_digest="0", verdict="fail")
    page = report_tables.section(drill["tables"])
    assert page.count("<details>") == 4
    assert page.index("schema1.table_501") < page.index("<details>")
    text = Page(page).text
    assert "1,000 tables" in text
    assert "499,500 rows" in text
    assert "1 differ" in text
    assert len(page) < 1_000_000


def test_both_digests_are_shown_where_they_differ():
    text = Page(report_tables.section(failing()["tables"])).text
    assert str(1204 * 7919) in text
    assert "differs" in text


def test_missing_and_added_tables_are_called_so():
    tables = with_tables(2)["tables"]
    tables[0].update(found_rows=None, found_digest="", verdict="fail")
    tables[1].update(expected_rows=None, expected_digest="", verdict="fail")
    text = Page(report_tables.section(tables)).text
    assert "missing" in text
    assert "not in snapshot" in text


def test_no_tables():
    assert "No tables were compared." in report_tables.section([])
