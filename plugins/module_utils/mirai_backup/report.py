# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A drill as one HTML page. What the engine found is quoted as it said it, in English, as it is in the log."""

from __future__ import annotations

from typing import Optional

from . import report_checks, report_shell, report_tables, report_times, text
from .report_html import Content, Html, Phrase, foreign, join, tag
from .report_phrases import duration, moment, named, same, say, together
from .report_verdict import banner, findings, signs, tiles, was_restored


def page(drill: dict, language: str = "en") -> str:
    """The page of a drill document; ``language`` (``en`` or ``ja``) is the one that it opens in."""
    title = report_shell.titled(named("verdict", drill["verdict"]), " · ", say("title"), " ", drill["id"])
    name = join(say("title"), tag("span", " · ", drill["application"], class_="muted"))
    return report_shell.page(language, title, name, [signs(), _main(drill), _footer(drill)])


def _main(drill: dict) -> Html:
    return tag(
        "main",
        banner(drill),
        tiles(drill),
        findings(drill),
        _facts(drill),
        report_checks.checks(drill["checks"]),
        report_tables.section(drill["tables"]),
        report_checks.assertions(drill),
        report_checks.control(drill),
        report_times.phases(drill),
        report_times.history(drill),
    )


def _facts(drill: dict) -> Html:
    """Which backup was restored where, and how the proof works."""
    place, backup = drill["place"], drill["backup"]
    took = (text.parse_utc(drill["ended"]) - text.parse_utc(drill["started"])).total_seconds()
    drilled = join(moment(drill["started"]), ", ", say("took", duration=duration(took)))
    kind = "directory" if place["kind"] == "none" and was_restored(drill) else place["kind"]
    where = join(named("place", kind), *_server(place["server_version"]))
    rows = [*(_backup_facts(backup) if backup else []), _fact("application", drill["application"])]
    rows += [_fact("place", where), _fact("drill_host", drill["host"]), _fact("drill_time", drilled)]
    rows.append(_fact("drill", foreign(drill["id"])))
    return tag("section", tag("h2", say("facts")), tag("dl", *rows, class_="facts"), *_method(drill), class_="card")


def _method(drill: dict) -> list[Html]:
    """How the proof works, for what this backup's fingerprint holds; nothing where nothing was restored."""
    if not was_restored(drill):
        return []
    keys = []
    if drill["tables"]:
        keys.append("method_digests" if any(table["expected_digest"] for table in drill["tables"]) else "method_counts")
    if any(check["name"] == "files" and check["compared"] for check in drill["checks"]):
        keys.append("method_files")
    if not keys:
        return []
    return [tag("h3", say("method")), tag("p", together(*map(say, [*keys, "method_end"])))]


def _backup_facts(backup: dict) -> list[Html]:
    rows = [
        _fact("backup", foreign(backup["id"])),
        _fact("kind", named("kind", backup["kind"])),
        _fact("made_on", backup["host"]),
        _fact("ended", moment(backup["ended"])),
        _fact("size", text.size(backup["size"])),
    ]
    if backup["server_version"]:
        rows.append(_fact("server", backup["server_version"]))
    return [*rows, _fact("path", foreign(backup["path"]), "wide")]


def _server(version: Optional[str]) -> list[Content]:
    return [" · ", same(f"PostgreSQL {version}")] if version else []


def _fact(key: str, value: Content, kind: Optional[str] = None) -> Html:
    return tag("div", tag("dt", say(key)), tag("dd", value), class_=kind)


def _footer(drill: dict) -> Html:
    boxes: list[Phrase] = [say("reviewed"), say("approved"), say("signed")]
    signoff = tag("div", *[tag("div", one) for one in boxes], class_="signoff")
    return tag("footer", signoff, tag("p", say("made_by", version=drill["engine_version"])))
