"""dburl: DATABASE_URL is understood as libpq itself understands it, or refused without its secrets."""

import ctypes
import ctypes.util
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import dburl
from mirai_backup.errors import ConfigError

ANY = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\n"), max_size=12)
SOME = ANY.filter(bool)


class _Option(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")] + [
        ("dispsize", ctypes.c_int)
    ]


libpq = ctypes.CDLL(ctypes.util.find_library("pq"))
libpq.PQconninfoParse.restype = ctypes.POINTER(_Option)
libpq.PQconninfoParse.argtypes = [ctypes.c_char_p, ctypes.c_void_p]


def understood_by_libpq(written):
    """The keywords and values that libpq reads out of a URL or a connection string."""
    options = libpq.PQconninfoParse(written.encode("utf-8"), None)
    assert options, f"libpq refuses {written!r}"
    found, index = {}, 0
    while options[index].keyword:
        if options[index].val:
            found[options[index].keyword.decode()] = options[index].val.decode("utf-8")
        index += 1
    return found


def quoted(value):
    return urllib.parse.quote(value, safe="")


@given(SOME, ANY, SOME, st.sampled_from(["", ":1", ":5432", ":65535"]))
def test_user_password_and_database_of_any_characters_are_exact(user, password, database, port):
    url = f"postgresql://{quoted(user)}:{quoted(password)}@db.example{port}/{quoted(database)}"
    parsed = dburl.parse(url)
    assert (parsed.user, parsed.password, parsed.database) == (user, password, database)
    theirs = understood_by_libpq(url)
    assert (parsed.host, parsed.port) == (theirs["host"], theirs.get("port", ""))
    assert (parsed.user, parsed.database) == (theirs["user"], theirs["dbname"])
    assert parsed.password == theirs.get("password", "")


@given(SOME, SOME, SOME, SOME)
def test_the_connection_string_says_the_same_without_the_password(user, password, database, name):
    parsed = dburl.Connection("h", "5433", user, password, database, (("application_name", name),))
    theirs = understood_by_libpq(parsed.conninfo())
    assert (theirs["user"], theirs["dbname"], theirs["port"]) == (user, database, "5433")
    assert theirs["application_name"] == name
    assert "password" not in theirs
    assert parsed.environment() == (("PGPASSWORD", password),)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://h/d", {"host": "h", "database": "d"}),
        ("postgresql+psycopg2://u@h:5433/d", {"user": "u", "port": "5433"}),
        ("postgresql://[::1]:5433/d", {"host": "::1", "port": "5433"}),
        ("postgresql://a,b:5433/d", {"host": "a,b", "port": ",5433"}),
        ("postgresql://%2Fvar%2Frun%2Fpostgresql/d", {"host": "/var/run/postgresql"}),
        ("postgresql:///d?host=/run/pg&port=5433", {"host": "/run/pg", "port": "5433", "database": "d"}),
        ("postgresql://u:a+b@h/d", {"password": "a+b"}),
        (
            "postgresql://h/d?sslmode=require&connect_timeout=3",
            {"parameters": (("sslmode", "require"), ("connect_timeout", "3"))},
        ),
        (" postgresql://h/d\n", {"host": "h", "database": "d"}),
        ("postgresql://", {"host": "", "database": ""}),
    ],
)
def test_shapes(url, expected):
    parsed = dburl.parse(url)
    assert {key: getattr(parsed, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://u:hunter2@h/d", "it starts with 'mysql'"),
        ("hunter2", "it starts with 'no scheme'"),
        ("postgresql://u:hunter2@x@h/d", "holds a plain @"),
        ("postgresql://u:hun/ter2@h/d", "holds a plain / or ?"),
        ("postgresql://u:hun?ter2@h/d", "holds a plain / or ?"),
        ("postgresql://u:hunter2%@h/d", "a percent sign that is not followed"),
        ("postgresql://u:hunter2%ff@h/d", "are not UTF-8"),
        ("postgresql://u:hunter2%00@h/d", "zero byte or a line break"),
        ("postgresql://u:hunter2@h:0/d", "not a number from 1 to 65535"),
        ("postgresql://u:hunter2@h:65536/d", "not a number from 1 to 65535"),
        ("postgresql://u:hunter2@h:१/d", "not a number from 1 to 65535"),
        ("postgresql://u:hunter2@::1/d", "its host is not understood|not a number"),
        ("postgresql://u:hunter2@[::1/d", "its host is not understood"),
        ("postgresql://u@h/d?sslpassword=hunter2", "not one that PostgreSQL's client knows or that may be shown"),
        ("postgresql://u@h/d?sslmode", "has no value"),
    ],
)
def test_what_is_ambiguous_is_refused_without_the_password(url, why):
    with pytest.raises(ConfigError, match=why) as caught:
        dburl.parse(url)
    assert caught.value.next_step
    assert "hunter2" not in str(caught.value)


@given(ANY)
def test_any_text_is_parsed_or_refused_with_words(text):
    for url in (text, f"postgresql://{text}"):
        try:
            found = dburl.parse(url)
        except ConfigError as error:
            found = error
        assert isinstance(found, (dburl.Connection, ConfigError))


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("postgresql:///d", True),
        ("postgresql://127.0.0.1/d", True),
        ("postgresql://%2Frun/d", True),
        ("postgresql://db.example/d", False),
        ("postgresql:///d?hostaddr=192.0.2.1", False),
        ("postgresql://localhost,db.example/d", False),
    ],
)
def test_which_servers_are_on_this_machine(url, local):
    assert dburl.parse(url).is_local is local


def test_the_password_is_in_no_text_about_the_connection():
    parsed = dburl.parse("postgresql://u:hunter2@h/d")
    assert "hunter2" not in f"{parsed} {parsed!r} {parsed.label} {parsed.conninfo()}"
    assert parsed.label == "database d at h:5432 as u"
    assert dburl.Connection().label == "database (default) at local socket:5432 as (default user)"
    assert dburl.Connection().environment() == ()
