# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The proof of content: what a database holds, in numbers that survive a dump and a restore.

Taken inside the snapshot that pg_dump reads. Per table the row count and the sum of a 64-bit hash of every row's
text: the order of rows does not matter, one changed bit does. In a row's text a text, JSON or bytea stands as its own
64-bit hash. What the sums cannot see: changes whose hashes are the same or cancel out (one in 2^64 by accident).
"""

from __future__ import annotations

from typing import Optional

from . import relations, schema, text
from .errors import EngineError
from .postgres import Session, identifier, literal

# Everything that changes how a value looks as text.
PINNED = (
    "SET LOCAL TimeZone='UTC'; SET LOCAL DateStyle='ISO, YMD'; SET LOCAL IntervalStyle='iso_8601';"
    " SET LOCAL extra_float_digits=3; SET LOCAL bytea_output='hex'; SET LOCAL lc_monetary='C';"
    " SET LOCAL xmlbinary='base64'; SET LOCAL search_path=pg_catalog; SET LOCAL quote_all_identifiers=off;"
    " SET LOCAL row_security=off"
)

# How a row is hashed. 1, of manifests that name none: the text of the whole row. 2: see above.
FORMULA = 2

# Rows in TOAST do not count when the planner decides on workers, yet they are nearly all of the work.
_WORKERS = "SET LOCAL min_parallel_table_scan_size='1MB'; SET LOCAL parallel_setup_cost=0"

_LARGE_OBJECTS = """
WITH sizes AS MATERIALIZED (
  SELECT oid, lo_lseek64(lo_open(oid, 262144), 0, 2) AS size FROM pg_largeobject_metadata)
SELECT count(*) AS count, coalesce(sum(digest), 0)::text AS digest FROM (
  SELECT sum(hashtextextended(
           oid::text || ':' || size || ':' || part || ':' || md5(lo_get(oid, part * 1048576, 1048576)), 0)) AS digest
    FROM sizes, LATERAL generate_series(0, size / 1048576) part GROUP BY oid) q
"""


def take(session: Session, mode: str, version_num: int, early: Optional[dict] = None, formula: int = FORMULA) -> dict:
    """The fingerprint of the session's database, as JSON values.

    ``mode`` is ``full`` (rows and digests) or ``counts`` (rows only). ``early`` are the sequences as they stood before
    a dump began, where there is one. Keys: mode, formula, server_major, tables (name → rows, digest), sequences (name
    → low, high), large_objects, schema (object → digest), excluded (name → why).
    Raises DatabaseError naming the statement that failed, EngineError for a formula that is not known.
    """
    if formula not in (1, FORMULA):
        raise EngineError(f"the fingerprint is of a newer engine (formula {formula})", "update mirai.backup here")
    session.execute(PINNED)
    positions = sequences(session, relations.find(session)) if early is None else early
    found = relations.find(session)
    tables, excluded = {}, {}
    for relation in found:
        reason = relations.why_excluded(relation)
        if reason:
            excluded[relations.name(relation)] = reason
        elif relation["kind"] in "rpm":
            tables[relations.name(relation)] = _table(session, relation, mode, formula)
    return {
        "mode": mode,
        "formula": formula,
        "server_major": version_num // 10000,
        "tables": tables,
        "sequences": positions,
        "large_objects": session.query(_LARGE_OBJECTS)[0] if mode == "full" else None,
        "schema": schema.inventory(session),
        "excluded": excluded,
    }


def take_again(session: Session, expected: dict, version_num: int) -> dict:
    """The same in the way that ``expected`` was taken, to hold it to that."""
    return take(session, expected["mode"], version_num, None, expected.get("formula", 1))


def take_alone(session: Session, expected: dict, version_num: int) -> dict:
    """``take_again`` of a database that nobody else uses: workers of the server help with each table."""
    session.execute(_WORKERS)
    return take_again(session, expected, version_num)


def sequences(session: Session, found: list) -> dict:
    """Every sequence's position as ``low`` and ``high``, the same until a later reading widens them."""
    parts = [
        f"SELECT {literal(relations.name(one))} AS name, s.last_value, s.is_called, q.seqincrement AS step"
        f" FROM {_qualified(one)} s, pg_sequence q WHERE q.seqrelid = {literal(_qualified(one))}::regclass"
        for one in found
        if one["kind"] == "S" and not relations.why_excluded(one)
    ]
    if not parts:
        return {}
    rows = session.query(" UNION ALL ".join(parts))
    # One number that only grows in the sequence's direction: the last value that was given out.
    given = {row["name"]: row["last_value"] - (0 if row["is_called"] else row["step"]) for row in rows}
    steps = {row["name"]: row["step"] for row in rows}
    return {name: {"low": value, "high": value, "step": steps[name]} for name, value in given.items()}


def widen(fingerprint: dict, session: Session) -> dict:
    """Read the sequences again after the dump: they move outside of snapshots, so the dump saw something between."""
    later = sequences(session, relations.find(session))
    merged = {
        name: {**position, "high": later.get(name, position)["high"]}
        for name, position in fingerprint["sequences"].items()
    }
    return dict(fingerprint, sequences=merged)


def differences(expected: dict, found: dict) -> list[str]:
    """What in ``found`` is not as ``expected``, each in one line that names the place; empty when all agrees."""
    return [line for lines in differences_by_check(expected, found).values() for line in lines]


def differences_by_check(expected: dict, found: dict) -> dict[str, list[str]]:
    """The same by check: tables, sequences, large_objects, schema."""
    same_major = expected["server_major"] == found["server_major"]
    return {
        "tables": _differing_tables(expected, found),
        "sequences": _differing_sequences(expected["sequences"], found["sequences"]),
        "large_objects": _differing_objects(expected["large_objects"], found["large_objects"]),
        "schema": schema.differences(expected["schema"], found["schema"], same_major),
    }


def side_by_side(expected: dict, found: dict) -> list[dict]:
    """Every table with what was expected and what was found, for a report."""
    rows = []
    for name in sorted(set(expected["tables"]) | set(found["tables"])):
        wanted, got = (one["tables"].get(name) for one in (expected, found))
        rows.append(
            {
                "name": name,
                "expected_rows": wanted["rows"] if wanted else None,
                "found_rows": got["rows"] if got else None,
                "expected_digest": wanted["digest"] if wanted else "",
                "found_digest": got["digest"] if got else "",
                "verdict": "pass" if wanted == got else "fail",
            }
        )
    return rows


def _differing_sequences(expected: dict, found: dict) -> list[str]:
    lines = []
    for name in sorted(set(expected) | set(found)):
        wanted, got = expected.get(name), found.get(name)
        if wanted is None or got is None:
            lines.append(f"sequence {name} is {'missing' if got is None else 'there, but was not'}")
        elif not _within(got["low"], wanted):
            lines.append(f"sequence {name} stands at {got['low']} instead of {wanted['low']}")
    return lines


def _differing_objects(expected: Optional[dict], found: Optional[dict]) -> list[str]:
    if expected is None or found is None or expected == found:
        return []
    return [f"large objects differ: {found['count']} instead of {expected['count']}, or other content"]


def _differing_tables(expected: dict, found: dict) -> list[str]:
    lines = []
    for row in side_by_side(expected, found):
        digests = row["expected_digest"], row["found_digest"]
        if row["expected_rows"] != row["found_rows"] or (all(digests) and len(set(digests)) > 1):
            lines.append(text.table_difference(row["name"], row["expected_rows"], row["found_rows"]))
    return lines


def _table(session: Session, relation: dict, mode: str, formula: int) -> dict:
    """Rows and digest of one table. A materialized view is taken as its REFRESH on restore will make it."""
    if relation["kind"] == "m":
        if not relation["populated"]:
            return {"rows": 0, "digest": "0" if mode == "full" else ""}
        source = f"({relation['definition'].rstrip(';')}) mirai_row"
    else:
        only = "" if relation["kind"] == "p" else "ONLY "
        source = f"{only}{_qualified(relation)} mirai_row {relation['condition'] or ''}"
    digest = "''"
    if mode == "full":
        row = relation["hashed" if formula == FORMULA else "columns"]
        digest = f'coalesce(sum(hashtextextended({row or "(mirai_row.*)"}::text COLLATE "C", 0)), 0)::text'
    # The locks on the table's indexes go with the savepoint: thousands of them would not fit into the server's table.
    session.execute("SAVEPOINT one_table")
    found = session.query(f"SELECT count(*) AS rows, {digest} AS digest FROM {source}")[0]
    session.execute("ROLLBACK TO SAVEPOINT one_table; RELEASE SAVEPOINT one_table")
    return found


def _within(position: int, span: dict) -> bool:
    """Whether a sequence's position lies in a span; one that turned back meanwhile (cycle, setval) tells nothing."""
    if (span["high"] - span["low"]) * span["step"] < 0:
        return True
    low, high = sorted((span["low"], span["high"]))
    return low <= position <= high


def _qualified(relation: dict) -> str:
    return f"{identifier(relation['schema'])}.{identifier(relation['name'])}"
