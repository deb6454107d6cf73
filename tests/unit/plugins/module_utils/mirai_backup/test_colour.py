"""colour: verdicts are coloured, names that look like one are not, and nothing is where nobody sees it."""

import io

import pytest
from mirai_backup import colour


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("ok: database 1 h old", "\x1b[1;32mok\x1b[0m: database 1 h old"),
        ("problem: it failed: fail", "\x1b[1;31mproblem\x1b[0m: it failed: \x1b[1;31mfail\x1b[0m"),
        (
            "mirai_full_x  1.0 MB  drilled  pinned",
            "mirai_full_x  1.0 MB  \x1b[1;32mdrilled\x1b[0m  \x1b[1;33mpinned\x1b[0m",
        ),
        ("table ok has fail rows", "table ok has fail rows"),
        ("mirai_full_ok.tar: missing", "mirai_full_ok.tar: missing"),
    ],
)
def test_only_verdicts_are_coloured(line, shown):
    assert colour.painted(line) == shown


def test_only_terminals_and_only_who_wants_it(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert colour.wanted(Terminal())
    assert not colour.wanted(io.StringIO()) and not colour.wanted(None)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour.wanted(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not colour.wanted(Terminal())
