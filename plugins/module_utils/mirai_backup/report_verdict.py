# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The first thing a reader sees: the verdict, what was proven, the figures at a glance, what is wrong."""

from __future__ import annotations

from typing import Optional

from .report_html import Html, Phrase, english, foreign, tag
from .report_phrases import counted, duration, listed, named, number, say, together

# The checks that hold what was restored to the manifest.
_PROOFS = frozenset({"tables", "sequences", "large_objects", "schema", "files"})
_SHOWN_PLACES = 20
_MOST_PLACES = 1000

# The outlines of the signs in a box of 24 by 24, each of another shape, so that colour is not needed.
_SIGNS = {
    "pass": '<circle cx="12" cy="12" r="10"/><path d="M7 12.5l3.5 3.5 6.5-7.5"/>',
    "fail": '<path d="M8 2h8l6 6v8l-6 6H8l-6-6V8z"/><path d="M8.5 8.5l7 7m0-7l-7 7"/>',
    "could_not_verify": '<path d="M12 2.5L22.5 21h-21z"/><path d="M12 9v6m0 2.6v.4"/>',
    "not_configured": '<circle cx="12" cy="12" r="10" stroke-dasharray="4 3"/><path d="M7.5 12h9"/>',
}


def signs() -> Html:
    """The signs of the verdicts, to be placed once on the page."""
    pen = {"fill": "none", "stroke": "currentColor", "stroke_width": 2, "stroke_linecap": "round"}
    symbols = [
        tag("symbol", Html(outline), id=f"sign-{verdict}", viewBox="0 0 24 24", stroke_linejoin="round", **pen)
        for verdict, outline in _SIGNS.items()
    ]
    return tag("svg", *symbols, class_="hidden", width=0, height=0, aria_hidden="true")


def sign(verdict: str) -> Html:
    """The sign of a verdict; the words stand beside it."""
    return tag("svg", tag("use", href=f"#sign-{verdict}"), aria_hidden="true")


def badge(verdict: str, words: Optional[Phrase] = None) -> Html:
    """A verdict as sign and words."""
    return tag("span", sign(verdict), words or named("badge", verdict), class_=f"badge {verdict}")


def banner(drill: dict) -> Html:
    """The verdict, large, with what was proven and of which backup."""
    verdict, backup = drill["verdict"], drill["backup"]
    subject = say("no_backup")
    if backup is not None:
        age = duration(backup["age_seconds"])
        subject = say("subject", id=foreign(backup["id"]), host=tag("strong", backup["host"]), age=age)
    words = tag(
        "div",
        tag("h1", named("verdict", verdict)),
        tag("p", together(*proven(drill))),
        tag("p", subject, class_="subject"),
    )
    return tag("section", sign(verdict), words, class_=f"banner {verdict}")


def proven(drill: dict) -> list[Phrase]:
    """What the drill shows, in a sentence or two."""
    if drill["verdict"] == "could_not_verify":
        return [say("unverified")]
    if drill["verdict"] == "not_configured":
        return [say("unconfigured")]
    if drill["verdict"] == "fail":
        return [_failed(drill)]
    return _passed(drill)


def _passed(drill: dict) -> list[Phrase]:
    """What was compared and found to be the same; what was not compared is said, and never left to be assumed."""
    tables, files = drill["tables"], _compared(drill, "files")
    rows = sum(table["found_rows"] or 0 for table in tables)
    sentences, parts = [], [counted("files", files)] if files else []
    if tables and all(table["found_digest"] for table in tables):
        parts = [counted("tables", len(tables)), counted("rows", rows), *parts]
    elif tables:
        sentences.append(say("proven_counts", tables=counted("tables", len(tables)), rows=counted("rows", rows)))
    if parts:
        alone = parts == [counted("files", 1)]
        sentences.append(say("proven_all_one" if alone else "proven_all", what=listed(parts)))
    unseen = drill["backup"] and drill["backup"]["kind"] != "json" and _compared(drill, "tables") is None
    if unseen and (sentences or _compared(drill, "restore") is not None):
        return [*(sentences or [say("restored_only")]), say("uncompared")]
    empty = {_compared(drill, "tables"), files} != {None}
    return sentences or [say("proven_empty" if empty else "nothing_compared")]


def _failed(drill: dict) -> Phrase:
    """Why the drill failed: from what comes first, since nothing after it can be trusted."""
    failed = [check["name"] for check in drill["checks"] if check["verdict"] == "fail"]
    found = counted("differences", len(drill["differences"]))
    if {"manifest", "artifacts"} & set(failed):
        return say("failed_before", differences=found)
    if "restore" in failed:
        return say("failed_restore")
    if _PROOFS & set(failed):
        return say("failed", differences=found)
    if failed == ["negative_control"]:
        return say("failed_control")
    return say("failed_otherwise", checks=listed([named("check", name) for name in failed] or [say("failed_drill")]))


def tiles(drill: dict) -> Html:
    """Checks, RTO and RPO, each against what was wanted."""
    targets = drill["targets"]
    head = tag("h2", say("glance"), class_="hidden")
    rto = _against(say("rto"), say("rto_note"), drill["rto_seconds"], targets["rto_seconds"])
    rpo = _against(say("rpo"), say("rpo_note"), drill["rpo_seconds"], targets["rpo_seconds"])
    return tag("section", head, tag("div", _checks_tile(drill["checks"]), rto, rpo, class_="tiles"))


def findings(drill: dict) -> Html:
    """What is wrong, and where; nothing when the drill passed and all agreed."""
    wanted = {"fail", "could_not_verify"} | ({drill["verdict"]} - {"pass"})
    # A check's detail quotes the first of its differences, which stand above already.
    listed_places = "; ".join(drill["differences"])
    reasons: dict[tuple[str, str], list[Phrase]] = {}
    for check in drill["checks"]:
        if check["verdict"] in wanted:
            reason = "" if check["detail"] in listed_places else check["detail"]
            reasons.setdefault((check["verdict"], reason), []).append(named("check", check["name"]))
    checks = [
        tag("li", badge(verdict), " ", tag("strong", listed(names)), *([": ", english(reason)] if reason else []))
        for (verdict, reason), names in reasons.items()
    ]
    wrong = drill["differences"] or drill["verdict"] == "fail"
    title = say("findings" if wrong else "findings_open")
    parts = []
    if drill["differences"]:
        parts += [tag("h3", say("found_places")), *_places(drill["differences"])]
    if checks:
        parts += [tag("h3", say("found_by_checks")), tag("ul", *checks, class_="places plain")]
    return (
        tag("section", tag("h2", title), *parts, class_=f"card {'fail' if wrong else 'could_not_verify'}")
        if parts
        else Html("")
    )


def _places(differences: list[str]) -> list[Html]:
    items = [tag("li", english(one)) for one in differences[:_MOST_PLACES]]
    parts = [tag("ul", *items[:_SHOWN_PLACES], class_="places")]
    if len(items) > _SHOWN_PLACES:
        rest = [tag("ul", *items[_SHOWN_PLACES:], class_="places")]
        if len(differences) > _MOST_PLACES:
            rest.append(tag("p", say("beyond", n=number(len(differences) - _MOST_PLACES))))
        more = tag("summary", say("more", n=number(len(differences) - _SHOWN_PLACES)))
        parts.append(tag("details", more, *rest))
    return parts


def _checks_tile(checks: list[dict]) -> Html:
    head = tag("h3", say("checks_tile"))
    if not checks:
        nothing = tag("p", "–", class_="big")
        return tag("div", head, nothing, _state("not_configured", say("none_ran")), class_="tile")
    verdicts = [check["verdict"] for check in checks]
    passed, failed = verdicts.count("pass"), verdicts.count("fail")
    big = tag("p", number(passed), " ", tag("small", say("of", n=number(len(checks)))), class_="big")
    notes = []
    if failed:
        notes.append(_state("fail", say("some_failed", n=number(failed))))
    if passed + failed < len(checks):
        state, words = "not_configured", "some_off"
        if "could_not_verify" in verdicts:
            state, words = "could_not_verify", "some_not_run"
        notes.append(_state(state, say(words, n=number(len(checks) - passed - failed))))
    elif not failed:
        notes.append(_state("pass", say("all_ran")))
    return tag("div", head, big, *_segments(verdicts), *notes, class_="tile")


def _segments(verdicts: list[str]) -> list[Html]:
    """A bar of one piece per check; a piece that did not pass is taller. The words below it say the same."""
    width, parts = 200 / len(verdicts), []
    for index, verdict in enumerate(verdicts):
        y, height = (3, 8) if verdict in ("pass", "not_configured") else (0, 14)
        x = f"{index * width:.2f}"
        parts.append(tag("rect", x=x, y=y, width=f"{width * 0.88:.2f}", height=height, class_=f"seg-{verdict}"))
    return [tag("svg", *parts, class_="gauge", viewBox="0 0 200 14", preserveAspectRatio="none", aria_hidden="true")]


def _against(title: Phrase, note: Phrase, seconds: Optional[float], target: Optional[float]) -> Html:
    """A measured time beside its target, with a gauge when both are there."""
    head = [tag("h3", title), tag("p", note, class_="muted")]
    if seconds is None:
        return tag("div", *head, tag("p", say("not_measured"), class_="big"), _state_of(None, target), class_="tile")
    gauge = [_gauge(seconds, target)] if target else []
    return tag(
        "div", *head, tag("p", duration(seconds), class_="big"), *gauge, _state_of(seconds, target), class_="tile"
    )


def _state_of(seconds: Optional[float], target: Optional[float]) -> Html:
    if target is None:
        return _state("not_configured", say("target_none"))
    if seconds is None:
        return _state("could_not_verify", say("target", target=duration(target)))
    if seconds <= target:
        return _state("pass", say("target_met", target=duration(target)))
    return _state("fail", say("target_missed", target=duration(target)))


def _state(verdict: str, words: Phrase) -> Html:
    return tag("p", sign(verdict), " ", words, class_=f"state {verdict}")


def _gauge(seconds: float, target: float) -> Html:
    """A bar for what was measured and a mark where the target lies; the words beside it say the same."""
    full = max(seconds, target) * 1.15
    width, goal = max(200 * seconds / full, 1), 200 * target / full
    colour = "bar" if seconds <= target else "over"
    parts = [
        tag("rect", x=0, y=3, width=200, height=8, class_="track"),
        tag("rect", x=0, y=3, width=f"{width:.1f}", height=8, class_=colour),
        tag("rect", x=f"{goal - 1:.1f}", y=0, width=2, height=14, class_="goalmark"),
    ]
    return tag("svg", *parts, class_="gauge", viewBox="0 0 200 14", preserveAspectRatio="none", aria_hidden="true")


def was_restored(drill: dict) -> bool:
    """Whether the drill came to look at restored content; files need no server to be restored into."""
    ran = {check["name"] for check in drill["checks"] if check["verdict"] in ("pass", "fail")}
    return drill["place"]["kind"] != "none" or bool(_PROOFS & ran)


def _compared(drill: dict, name: str) -> Optional[int]:
    """How many things a check compared; None when it did not pass."""
    for check in drill["checks"]:
        if check["name"] == name and check["verdict"] == "pass":
            return check["compared"] or 0
    return None
