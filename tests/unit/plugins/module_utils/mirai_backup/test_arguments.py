"""arguments: verbs and options, and nothing that could be understood in two ways."""

import argparse

import pytest
from mirai_backup import arguments


@pytest.fixture
def parse():
    return lambda *words: arguments.parser("/etc/x.json").parse_args(words)


@pytest.mark.parametrize(
    ("written", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("26h", 93600), ("2d", 172800), ("1.5h", 5400)]
)
def test_lengths_of_time(written, seconds):
    assert arguments.age(written) == seconds


@pytest.mark.parametrize("written", ["", "h", "-1h", "1w", "1h30m", "26 h", "nan", "1e3"])
def test_other_lengths_are_refused(written):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a length of time such as"):
        arguments.age(written)


@pytest.mark.parametrize(("words", "kind"), [((), "full"), (("--db-only",), "database"), (("--json-only",), "json")])
def test_the_guides_flags_choose_the_kind(parse, words, kind):
    assert arguments.kind(parse("backup", *words)) == kind
    assert arguments.kind(parse("restore", "latest", *words)) == kind


def test_defaults(parse):
    assert parse("check").max_age == 26 * 3600
    assert parse("verify").backup == "latest"
    assert parse("info").backup == "latest"
    assert parse("--config", "/x", "list").config == "/x"
    assert parse("list").config == "/etc/x.json"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("bakcup",),
        ("restore",),
        ("keep",),
        ("backup", "--db-only", "--json-only"),
        ("verify", "oldest", "--all"),
        ("list", "--kind", "weekly"),
        ("check", "--max-age", "soon"),
        ("config", "edit"),
    ],
)
def test_what_cannot_mean_anything_is_refused(parse, capsys, words):
    with pytest.raises(SystemExit):
        parse(*words)
    assert "usage: mirai-backup" in capsys.readouterr().err
