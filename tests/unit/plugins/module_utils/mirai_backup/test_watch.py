"""watch: the log file always, a line on a terminal when somebody looks."""

import io
import os
import re

from mirai_backup.watch import Log, Observer, Progress


def test_a_message_is_a_timed_line_and_its_breaks_are_indented(tmp_path):
    log = Log(str(tmp_path / "log"))
    log("INFO", "begun")
    log("ERROR", "failed\n  next: look \udcff")
    lines = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{{4}} \[{os.getpid()}\] INFO begun", lines[0])
    assert lines[1].endswith("ERROR failed")
    assert lines[2] == "      next: look \\udcff"
    assert os.stat(tmp_path / "log").st_mode & 0o137 == 0


def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path):
    said = io.StringIO()
    log = Log(str(tmp_path / "no" / "log"), said)
    log("INFO", "one")
    log("INFO", "two")
    assert said.getvalue() == f"log {tmp_path}/no/log cannot be written: No such file or directory\n"


def test_a_log_that_is_a_symlink_is_not_written_through(tmp_path):
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    said = io.StringIO()
    Log(str(tmp_path / "log"), said)("INFO", "one")
    assert "cannot be written" in said.getvalue()
    assert not (tmp_path / "elsewhere").exists()


def test_the_line_says_how_far_how_fast_and_how_long_still(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stream = io.StringIO()
    observer = Observer(progress=Progress(stream))
    observer.expect(4_000_000)
    observer.advance(500_000)
    assert stream.getvalue() == ""  # not for every block
    now[0] += 2
    observer.advance(500_000)
    assert stream.getvalue() == "\r\033[K1.0 MB  500.0 kB/s  ETA 6.0 s"
    now[0] += 6
    observer.advance(4_000_000)
    assert stream.getvalue().endswith("5.0 MB  625.0 kB/s")
    observer.done()
    assert stream.getvalue().endswith("\r\033[K")


def test_an_observer_without_an_audience_is_silent(capsys):
    observer = Observer()
    observer.say("x")
    observer.expect(1)
    observer.advance(1)
    observer.done()
    assert capsys.readouterr() == ("", "")
