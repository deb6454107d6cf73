# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A drill as JUnit XML, for the CI that runs it.

One testsuite: first the verdict, then each check, each table and each assertion a case. ``fail`` is a failure,
``could_not_verify`` an error, ``not_configured`` skipped; of the verdict itself everything but ``pass`` is a failure
or an error, so that a CI never shows a drill green that proved nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional
from xml.etree import ElementTree

from . import text
from .xmltext import clean

_ELEMENTS = {"fail": "failure", "could_not_verify": "error", "not_configured": "skipped"}


@dataclass(frozen=True)
class _Case:
    group: str
    name: str
    verdict: str
    message: str
    seconds: float = 0
    body: str = ""


def document(drill: dict) -> str:
    """The XML document of a drill document, ending in a line break."""
    cases = [_verdict(drill), *map(_check, drill["checks"]), *map(_table, drill["tables"])]
    cases += map(_assertion, drill["assertions"])
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.verdict == "fail" for case in cases)),
        "errors": str(sum(case.verdict == "could_not_verify" for case in cases)),
        "skipped": str(sum(case.verdict == "not_configured" for case in cases)),
        "time": _time(_length(drill)),
    }
    root = ElementTree.Element("testsuites", {"name": "mirai-backup drill", **counts})
    about = {"name": clean(drill["id"]), "hostname": clean(drill["host"]), "timestamp": _timestamp(drill["started"])}
    suite = ElementTree.SubElement(root, "testsuite", {**about, **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(drill):
        ElementTree.SubElement(properties, "property", {"name": name, "value": clean(value)})
    for case in cases:
        _append(suite, case)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _append(suite: ElementTree.Element, case: _Case) -> None:
    about = {"classname": f"mirai_backup.drill.{case.group}", "name": clean(case.name), "time": _time(case.seconds)}
    element = ElementTree.SubElement(suite, "testcase", about)
    if case.verdict in _ELEMENTS:
        attributes = {"message": clean(case.message)}
        if case.verdict != "not_configured":
            attributes["type"] = case.verdict
        problem = ElementTree.SubElement(element, _ELEMENTS[case.verdict], attributes)
        problem.text = clean("\n".join(filter(None, (case.message, case.body))))
    elif case.message:
        ElementTree.SubElement(element, "system-out").text = clean(case.message)


def _verdict(drill: dict) -> _Case:
    case = _Case("verdict", "verdict", drill["verdict"], "what was restored is exactly what the snapshot held")
    if case.verdict == "pass":
        return case
    open_checks = [check for check in drill["checks"] if check["verdict"] not in ("pass", "not_configured")]
    lines = drill["differences"] or [f"{check['name']}: {check['detail']}" for check in open_checks]
    if case.verdict == "fail":
        message = f"the drill failed; differences found: {len(drill['differences'])}"
    else:
        message = f"the drill proved nothing: {case.verdict}"
        case = replace(case, verdict="could_not_verify")
    return replace(case, message=message, body="\n".join(lines))


def _check(check: dict) -> _Case:
    return _Case("checks", check["name"], check["verdict"], check["detail"], check["seconds"])


def _table(table: dict) -> _Case:
    if table["verdict"] == "pass":
        return _Case("tables", table["name"], "pass", "")
    body = (
        f"in the snapshot: {_rows(table['expected_rows'])}, digest {table['expected_digest'] or 'none'}\n"
        f"restored: {_rows(table['found_rows'])}, digest {table['found_digest'] or 'none'}"
    )
    message = text.table_difference(table["name"], table["expected_rows"], table["found_rows"])
    return _Case("tables", table["name"], table["verdict"], message, body=body)


def _assertion(one: dict) -> _Case:
    found = "nothing" if one["found"] is None else one["found"]
    body = f"expected: {one['expected']}\nfound: {found}\n{one['sql']}"
    return _Case("assertions", one["name"], one["verdict"], one["detail"], body=body)


def _properties(drill: dict) -> list[tuple[str, object]]:
    backup, place = drill["backup"] or {}, drill["place"]
    candidates: list[tuple[str, Optional[object]]] = [
        ("verdict", drill["verdict"]),
        ("application", drill["application"]),
        ("engine_version", drill["engine_version"]),
        ("backup", backup.get("id")),
        ("backup_kind", backup.get("kind")),
        ("backup_host", backup.get("host")),
        ("backup_ended", backup.get("ended")),
        ("backup_server_version", backup.get("server_version")),
        ("place", place["kind"]),
        ("place_server_version", place["server_version"]),
        ("rto_seconds", drill["rto_seconds"]),
        ("rpo_seconds", drill["rpo_seconds"]),
    ]
    return [(name, value) for name, value in candidates if value is not None]


def _length(drill: dict) -> float:
    return (text.parse_utc(drill["ended"]) - text.parse_utc(drill["started"])).total_seconds()


def _timestamp(moment: str) -> str:
    """UTC to the second and without a zone, the one form that every reader of JUnit XML takes."""
    return text.parse_utc(moment).strftime("%Y-%m-%dT%H:%M:%S")


def _time(seconds: float) -> str:
    return f"{max(seconds, 0):.3f}"


def _rows(count: Optional[int]) -> str:
    return "no such table" if count is None else f"{count} rows"
