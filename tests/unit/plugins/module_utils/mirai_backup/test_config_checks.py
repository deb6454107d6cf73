"""config_checks: what each key may be, and the words for what it may not."""

import pytest
from mirai_backup import config_checks
from mirai_backup.errors import ConfigError

COMMAND = {"name": "answers", "command": ["curl", "--fail", "http://localhost/health"]}
QUERY = {"name": "somebody can log in", "sql": "SELECT count(*) FROM auth.users", "expect": ">= 1"}


def refused(check, value) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        check("the_key", value)
    return caught.value


def test_smoke_tests_are_commands_or_queries():
    assert config_checks.smoke("restore_smoke", [COMMAND, QUERY]) == (COMMAND, QUERY)
    assert config_checks.smoke("restore_smoke", []) == ()


@pytest.mark.parametrize(
    ("value", "named", "wanted"),
    [
        ("curl", "the_key", "a list of smoke tests"),
        ([{"name": "x", "command": "curl"}], "the_key[0].command", "a list of texts"),
        ([COMMAND, {"name": "x", "command": []}], "the_key[1].command", "a list of a program and its arguments"),
        ([{"name": "x", "sql": "SELECT 1"}], "the_key[0]", "an object with name, sql and expect"),
        (["curl"], "the_key[0]", "an object with name, sql and expect"),
    ],
)
def test_a_smoke_test_that_could_not_run_is_refused_beforehand(value, named, wanted):
    error = refused(config_checks.smoke, value)
    assert error.message.startswith(f"configuration key {named} is")
    assert wanted in error.message


def test_assertions_are_taken_as_they_are():
    assert config_checks.assertions("drill_assertions", [QUERY]) == (QUERY,)
    assert "a text" in refused(config_checks.assertions, [{**QUERY, "expect": "\0"}]).message


@pytest.mark.parametrize("path", ["", "/", "mirai", "a/b c", "a..b"])
def test_paths_of_a_store(path):
    assert config_checks.store_path("path", path) == path


@pytest.mark.parametrize("path", ["..", "a/..", "a\\b", " a", "a "])
def test_a_path_that_leads_out_of_a_store_is_refused(path):
    assert "a path without .. and" in refused(config_checks.store_path, path).message


def test_a_store_keeps_by_kinds_or_rules_itself():
    assert config_checks.store_retention("retention", "none") == "none"
    assert config_checks.store_retention("retention", {"json": {"days": 3}})["json"].days == 3
    assert "an object of kinds" in refused(config_checks.store_retention, "all").message


@pytest.mark.parametrize("rate", ["", "10M", "1M:500k", "08:00,512k 19:00,off"])
def test_bandwidth_as_rclone_takes_it(rate):
    assert config_checks.bandwidth("bandwidth_limit", rate) == rate


def test_stores_are_a_list():
    assert config_checks.stores("offsite", ()) == ()
    assert "a list of stores" in refused(config_checks.stores, {"name": "a"}).message
