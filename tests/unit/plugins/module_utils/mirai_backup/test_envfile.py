"""envfile: one value out of a .env file, read as data."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from mirai_backup import envfile
from mirai_backup.errors import ConfigError

# Whatever a line may hold: only a line feed and a carriage return end one.
LINE = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\n\r")).filter(
    lambda one: one.strip() and "${" not in one
)


@pytest.fixture
def value_in(tmp_path):
    def read(content):
        path = tmp_path / ".env"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return envfile.read_value(str(path), "DATABASE_URL")

    return read


@pytest.mark.parametrize(
    "line",
    [
        "DATABASE_URL=postgresql://h/d",
        "  export DATABASE_URL = postgresql://h/d  ",
        "DATABASE_URL='postgresql://h/d'",
        'DATABASE_URL="postgresql://h/d"  # the main one',
        "DATABASE_URL=postgresql://h/d # the main one",
        "\ufeffDATABASE_URL=postgresql://h/d",
        "OTHER=1\r\nDATABASE_URL=postgresql://h/d\r\nLAST=2",
        "# DATABASE_URL=postgresql://old/d\nDATABASE_URL=postgresql://h/d",
        "DATABASE_URL=postgresql://old/d\nDATABASE_URL=postgresql://h/d",
        "XDATABASE_URL=no\nDATABASE_URL=postgresql://h/d\nDATABASE_URL_OLD=no",
    ],
)
def test_the_spellings_that_applications_use(value_in, line):
    assert value_in(line) == "postgresql://h/d"


def test_a_hash_without_a_space_belongs_to_the_value(value_in):
    assert value_in("DATABASE_URL=postgresql://u:a#b@h/d") == "postgresql://u:a#b@h/d"


def test_nothing_is_expanded_or_executed(value_in):
    assert value_in("DATABASE_URL=$(id)`id`$HOME") == "$(id)`id`$HOME"


def test_a_reference_to_another_variable_is_refused(value_in):
    with pytest.raises(ConfigError, match="refers to another variable"):
        value_in("DATABASE_URL=postgresql://u:${PASSWORD}@h/d")


@given(LINE)
def test_single_quotes_keep_every_character(tmp_path, value):
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    path = tmp_path / ".env"
    path.write_text(f"A=1\nDATABASE_URL='{quoted}'\n", encoding="utf-8")
    assert envfile.read_value(str(path), "DATABASE_URL") == value


@given(LINE, st.sampled_from(["", " # a remark", "\t#"]))
def test_without_quotes_a_value_is_what_is_written(tmp_path, value, after):
    value = re.split(r"\s#", value)[0].strip()
    assume(value and value[0] not in "'\"#")
    path = tmp_path / ".env"
    path.write_text(f"A=1\nDATABASE_URL={value}{after}\nB=2\n", encoding="utf-8")
    assert envfile.read_value(str(path), "DATABASE_URL") == value


@given(LINE)
def test_double_quotes_know_escapes(tmp_path, value):
    quoted = "".join("\\" + one if one in '\\"' else one for one in value)
    path = tmp_path / ".env"
    path.write_text(f'DATABASE_URL="{quoted}\\n"', encoding="utf-8")
    assert envfile.read_value(str(path), "DATABASE_URL") == value + "\n"


def test_an_escape_is_one_where_the_application_takes_it_for_one(value_in):
    assert value_in(r"""DATABASE_URL="\$ \` \' \" \a\b\f\v" """) == "\\$ \\` ' \" \a\b\f\v"


@pytest.mark.parametrize("line", ["DATABASE_URL='a", 'DATABASE_URL="a"b"', "DATABASE_URL='a' b", 'DATABASE_URL="a\\"'])
def test_quotes_that_do_not_match_are_refused_without_the_value(value_in, line):
    with pytest.raises(ConfigError, match="line 1, DATABASE_URL: the quotes do not match"):
        value_in(line)


@pytest.mark.parametrize("content", ["", "OTHER=1", "DATABASE_URL=", "DATABASE_URL=''", "#DATABASE_URL=x"])
def test_a_missing_or_empty_key_is_named(value_in, content):
    with pytest.raises(ConfigError, match="has no DATABASE_URL"):
        value_in(content)


def test_unreadable_files_are_named(value_in, tmp_path):
    with pytest.raises(ConfigError, match="it is not UTF-8"):
        value_in(b"DATABASE_URL=\xff")
    with pytest.raises(ConfigError, match="No such file"):
        envfile.read_value(str(tmp_path / "none"), "DATABASE_URL")
