# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fleet as one HTML page in the drill report's style: verdict, figures, what is wrong, then server by server."""

from __future__ import annotations

import statistics
from typing import Optional

from . import __version__, fleet, report_shell, text
from .fleet import Host
from .report_html import Content, Html, english, foreign, join, tag
from .report_phrases import NONE, counted, duration, moment, named, number, same, say
from .report_verdict import badge, sign, signs

# The looks of the drill report's verdicts, and which of them each state has.
_LOOKS = {
    "problem": "fail",
    "not_set_up": "not_configured",
    "unreachable": "could_not_verify",
    "warning": "could_not_verify",
    "ok": "pass",
}
_SHOWN = 30
_RULES = """
.fleet td{font-variant-numeric:tabular-nums}.fleet .state{white-space:nowrap}
.late{color:var(--fail);font-weight:600}
.spark{width:4.5rem;height:1.1rem;vertical-align:-.2em;margin-right:.4rem}
.spark rect{fill:var(--bar)}
.fleet .why{margin-top:.1rem}
.server{border-top:1px solid var(--line);padding:.6rem 0}
.server h3{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:0}
.server ul{margin:.3rem 0 0;padding-left:1.25rem}.server li{overflow-wrap:anywhere}
.server p{margin:.3rem 0 0}.server p code{user-select:all}
.fleet th:first-child{overflow-wrap:anywhere}
@media (max-width:40rem){.fleet td.full{padding-top:.15rem}}
@media (min-width:40.01rem){.fleet thead th{position:sticky;top:0}.fleet th:first-child{width:20%}}
@media print{@page{size:A4 landscape}.fleet thead th{position:static}}
"""


def page(hosts: list[Host], time: str, language: str = "en") -> str:
    """The page over ``hosts`` as they were at ``time`` (UTC), opening in ``language`` (``en`` or ``ja``)."""
    hosts = fleet.ordered(hosts)
    verdict = fleet.verdict(hosts)
    title = report_shell.titled(say(f"fleet_{verdict}"), " · ", say("fleet_title"))
    main = tag("main", _banner(hosts, verdict, time), _tiles(hosts), _findings(hosts), _table(hosts))
    footer = tag("footer", tag("p", say("fleet_made_by", version=__version__)))
    return report_shell.page(language, title, say("fleet_title"), [signs(), main, footer], _RULES)


def _banner(hosts: list[Host], verdict: str, time: str) -> Html:
    bad = sum(one.state != "ok" for one in hosts)
    servers = counted("fleet_servers", len(hosts))
    sentence = say("fleet_sentence_rest", bad=number(bad), servers=servers) if bad else say("fleet_sentence_none")
    if verdict == "ok":
        sentence = say("fleet_sentence_ok", servers=servers)
    asked = tag("p", say("fleet_asked", moment=moment(time)), class_="subject")
    words = tag("div", tag("h1", say(f"fleet_{verdict}")), tag("p", sentence), asked)
    return tag("section", sign(_LOOKS[verdict]), words, class_=f"banner {_LOOKS[verdict]}")


def _tiles(hosts: list[Host]) -> Html:
    tiles = tag("div", _servers_tile(hosts), _age_tile(hosts), _drills_tile(hosts), _space_tile(hosts), class_="tiles")
    return tag("section", tag("h2", say("glance"), class_="hidden"), tiles)


def _servers_tile(hosts: list[Host]) -> Html:
    count = fleet.counts(hosts)
    rest = [
        tag("p", sign(_LOOKS[state]), " ", number(many), " ", say(f"state_{state}"), class_=f"state {_LOOKS[state]}")
        for state, many in count.items()
        if many and state != "ok"
    ]
    return _tile("fleet_tile_servers", number(count["ok"]), rest, of=len(hosts))


def _age_tile(hosts: list[Host]) -> Html:
    """The one server and half that would lose most."""
    ages = [(half["age_seconds"], key, one.name) for one in hosts for key, half in _halves(one).items() if half]
    if not ages:
        return _tile("fleet_tile_age", "–", [])
    age, half, name = max(ages, key=lambda one: one[0])
    whose = say("fleet_of_half", half=say(f"fleet_{half}"), host=foreign(name))
    return _tile("fleet_tile_age", duration(age), [tag("p", whose, class_="muted")])


def _drills_tile(hosts: list[Host]) -> Html:
    drills = [one.status["drill"] for one in hosts if one.status]
    passed = sum(drill is not None and drill["verdict"] == "pass" for drill in drills)
    missing = sum(drill is None for drill in drills)
    note = say("fleet_undrilled", n=number(missing)) if missing else say("fleet_all_drilled")
    return _tile(
        "fleet_tile_drills", number(passed), [tag("p", note, class_="muted")] if drills else [], of=len(drills)
    )


def _space_tile(hosts: list[Host]) -> Html:
    found = [one.status for one in hosts if one.status]
    engines = {one["engine_version"] for one in found if one["engine_version"]}
    notes = [tag("p", counted("fleet_backups", sum(one["backups"] for one in found)), class_="muted")]
    if len(engines) > 1:
        differ = say("fleet_engines_differ", n=number(len(engines)))
        words = join(say("fleet_tile_engines"), ": ", differ)
        notes.append(tag("p", sign("could_not_verify"), " ", words, class_="state could_not_verify"))
    return _tile("fleet_tile_space", text.size(sum(one["size"] for one in found)), notes)


def _tile(key: str, big: Content, notes: list[Html], of: Optional[int] = None) -> Html:
    small = [] if of is None else [" ", tag("small", say("of", n=number(of)))]
    return tag("div", tag("h3", say(key)), tag("p", big, *small, class_="big"), *notes, class_="tile")


def _findings(hosts: list[Host]) -> Html:
    """Each server that is not in order, with what was found, as the engine said it, and the next step."""
    servers = [_server(one) for one in hosts if one.state != "ok"]
    if not servers:
        return Html("")
    parts = [tag("h2", say("fleet_findings")), *servers[:_SHOWN]]
    if len(servers) > _SHOWN:
        more = tag("summary", say("fleet_more", n=number(len(servers) - _SHOWN)))
        parts.append(tag("details", more, *servers[_SHOWN:]))
    return tag("section", *parts, class_="card")


def _server(one: Host) -> Html:
    found = [tag("li", english(finding)) for finding in (*one.problems, *one.warnings)]
    head = tag("h3", foreign(one.name), " ", _badge(one.state))
    return tag("div", head, tag("ul", *found), *_next(one), class_="server")


def _next(one: Host) -> list[Html]:
    if one.advice:
        return [tag("p", tag("strong", say("fleet_next")), ": ", english(one.advice))]
    if not one.action:
        return []
    words = named("next", one.action)
    return [tag("p", tag("strong", say("fleet_next")), ": ", words, tag("br"), foreign(one.command()))]


def _table(hosts: list[Host]) -> Html:
    keys = ("fleet_host", "fleet_database", "fleet_json", "fleet_drill", "fleet_engine", "fleet_state")
    head = tag("tr", *[tag("th", say(key), scope="col") for key in keys])
    caption = tag("caption", say("fleet_caption"))
    table = tag("table", caption, tag("thead", head), tag("tbody", *map(_row, hosts)), class_="stack fleet")
    return tag("section", tag("h2", say("fleet_hosts")), table, class_="card")


def _row(one: Host) -> Html:
    cells = [tag("th", foreign(one.name), scope="row")]
    if one.status is None:
        cells += [tag("td", say("fleet_unknown"), class_="full muted", colspan=4)]
    else:
        max_age = one.status["max_age_seconds"]
        cells += [_half(f"fleet_{key}", half, max_age) for key, half in _halves(one).items()]
        cells += [_drill(one.status), _cell("fleet_engine", same(one.status["engine_version"] or "–"))]
    cells.append(tag("td", _badge(one.state)))
    return tag("tr", *cells, class_="fail" if one.state == "problem" else None)


def _half(label: str, half: Optional[dict], max_age: float) -> Html:
    if half is None:
        return _cell(label, tag("span", say("fleet_none"), class_="late"))
    late = "late" if half["age_seconds"] > max_age else None
    age = tag("span", say("fleet_old", duration=duration(half["age_seconds"])), class_=late)
    size = tag("span", *_spark(half["sizes"]), text.size(half["size"]), *_change(half["sizes"]), class_="why")
    return _cell(label, age, size)


def _drill(status: dict) -> Html:
    drill = status["drill"]
    if drill is None:
        return _cell("fleet_drill", NONE if not status["drill_wanted"] else say("fleet_none"))
    ago = tag("span", say("fleet_ago", duration=duration(drill["age_seconds"])), class_="why")
    return _cell("fleet_drill", badge(drill["verdict"]), ago)


def _cell(label: str, *content: Content) -> Html:
    """A cell; on a phone, where the head of the table is not shown, with its label."""
    return tag("td", tag("span", say(label), ": ", class_="small muted"), *content, class_="full")


def _spark(sizes: list[int]) -> list[Html]:
    """The sizes as bars from zero; the words beside them say the last one and the change."""
    highest = max(sizes)
    if len(sizes) < 2 or not highest:
        return []
    width = 100 / len(sizes)
    bars = []
    for index, size in enumerate(sizes):
        height = max(20 * size / highest, 0.5)
        x, wide = f"{index * width:.2f}", f"{width * 0.8:.2f}"
        bars.append(tag("rect", x=x, y=f"{20 - height:.2f}", width=wide, height=f"{height:.2f}"))
    return [tag("svg", *bars, class_="spark", viewBox="0 0 100 20", preserveAspectRatio="none", aria_hidden="true")]


def _change(sizes: list[int]) -> list[str]:
    """The last size against the median of those before, in per cent."""
    before = statistics.median(sizes[:-1]) if len(sizes) > 1 else 0
    if not before:
        return []
    change = round(100 * (sizes[-1] / before - 1))
    return [f" ({change:+,} %)" if change else " (±0 %)"]


def _badge(state: str) -> Html:
    return badge(_LOOKS[state], named("state", state))


def _halves(one: Host) -> dict[str, Optional[dict]]:
    return one.status["halves"] if one.status else {}
