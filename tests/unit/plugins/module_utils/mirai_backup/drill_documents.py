"""Drill documents for tests: one that passed, one that failed, and any that hypothesis can think of."""

import copy

from hypothesis import strategies as st

VERDICTS = ("pass", "fail", "could_not_verify", "not_configured")
CHECKS = (
    "manifest",
    "artifacts",
    "restore",
    "tables",
    "sequences",
    "large_objects",
    "schema",
    "files",
    "indexes",
    "assertions",
    "negative_control",
)
PHASES = ("verify", "unpack", "cluster", "restore", "prove", "indexes", "assertions", "control")
DAMAGES = ("truncation", "flipped_bytes", "row_changed", "file_dropped")
HOSTILE = 'public.<script>alert("1")</script>\'&amp;]]>\x00\x1b\u202e\udc80{n}'


def table(name: str, rows: int) -> dict:
    return {
        "name": name,
        "expected_rows": rows,
        "found_rows": rows,
        "expected_digest": str(rows * 7919),
        "found_digest": str(rows * 7919),
        "verdict": "pass",
    }


def check(name: str, verdict: str = "pass", detail: str = "", compared=None) -> dict:
    return {"name": name, "verdict": verdict, "detail": detail, "seconds": 1.5, "compared": compared}


def passing() -> dict:
    """A drill in which everything was right: 2 tables, 1,245 rows, 3 files."""
    started = "2026-11-22T19:00:00.000000Z"
    last = {
        "id": "drill_20261123_040000",
        "started": started,
        "verdict": "pass",
        "rto_seconds": 34.7,
        "size": 27_345_678,
        "duration_seconds": 58.4,
    }
    return {
        "schema": 1,
        "id": "drill_20261123_040000",
        "verdict": "pass",
        "started": started,
        "ended": "2026-11-22T19:00:58.400000Z",
        "host": "drill01",
        "application": "Mirai-Knowledge-Systems",
        "engine_version": "0.1.0",
        "backup": {
            "id": "mirai_full_20261123_020000",
            "kind": "full",
            "ended": "2026-11-22T17:00:14.000000Z",
            "size": 27_345_678,
            "age_seconds": 7186,
            "host": "production",
            "path": "/backups/full/mirai_full_20261123_020000.tar.gz",
            "server_version": "15.18",
        },
        "place": {"kind": "throwaway", "server_version": "17.6"},
        "checks": [check(name, compared={"tables": 2, "files": 3}.get(name)) for name in CHECKS],
        "tables": [table("public.knowledge", 1204), table("auth.users", 41)],
        "differences": [],
        "assertions": [
            {
                "name": "someone can log in",
                "sql": "SELECT count(*) FROM auth.users",
                "expected": ">= 1",
                "found": "41",
                "verdict": "pass",
                "detail": "41 >= 1",
            }
        ],
        "negative_control": {
            "damage": "row_changed",
            "where": "public.knowledge",
            "verdict": "pass",
            "found_by": "table public.knowledge has other content in its 1204 rows",
        },
        "phases": dict.fromkeys(PHASES, 2.5),
        "rto_seconds": 34.7,
        "rpo_seconds": 7186,
        "targets": {"rto_seconds": 900, "rpo_seconds": 86400},
        "history": [last],
    }


def failing() -> dict:
    """A drill that found one table with a row too few."""
    drill = passing()
    drill["verdict"] = "fail"
    drill["tables"][0].update(found_rows=1203, found_digest="1", verdict="fail")
    drill["differences"] = ["table public.knowledge has 1203 rows instead of 1204"]
    drill["checks"][3].update(verdict="fail", detail="table public.knowledge has 1203 rows instead of 1204")
    return drill


def unverified() -> dict:
    """A drill for which no server was there."""
    drill = passing()
    drill.update(verdict="could_not_verify", tables=[], assertions=[], negative_control=None, rto_seconds=None)
    drill["place"] = {"kind": "none", "server_version": None}
    for one in drill["checks"][2:]:
        one.update(verdict="could_not_verify", detail="no server to drill on", seconds=0, compared=None)
    return drill


def past(values: list) -> list:
    """A history with these RTOs, a month apart."""
    return [
        {
            "id": f"drill_{index}",
            "started": f"{2020 + index // 12}-{index % 12 + 1:02}-01T04:00:00.000000Z",
            "verdict": "pass" if value is not None else "could_not_verify",
            "rto_seconds": value,
            "size": 1000 * index,
            "duration_seconds": 60,
        }
        for index, value in enumerate(values)
    ]


def with_tables(count: int) -> dict:
    drill = copy.deepcopy(passing())
    drill["tables"] = [table(f"schema{index % 4}.table_{index}", index) for index in range(count)]
    return drill


# Everything that JSON can carry, lone surrogates and control characters too.
_texts = st.one_of(st.text(st.characters(exclude_categories=()), max_size=20), st.just(HOSTILE))
_counts = st.integers(0, 10**12)
_seconds = st.floats(0, 10**7) | st.integers(0, 10**7)
_moments = st.datetimes().map(lambda one: f"{one.year:04}" + one.strftime("-%m-%dT%H:%M:%S.%fZ"))
_verdicts = st.sampled_from(VERDICTS)


def _maybe(strategy):
    return st.none() | strategy


drills = st.fixed_dictionaries(
    {
        "schema": st.just(1),
        "id": _texts,
        "verdict": _verdicts,
        "started": _moments,
        "ended": _moments,
        "host": _texts,
        "application": _texts,
        "engine_version": _texts,
        "backup": _maybe(
            st.fixed_dictionaries(
                {
                    "id": _texts,
                    "kind": st.sampled_from(("full", "database", "json")),
                    "ended": _moments,
                    "size": _counts,
                    "age_seconds": _seconds,
                    "host": _texts,
                    "path": _texts,
                    "server_version": _maybe(_texts),
                }
            )
        ),
        "place": st.fixed_dictionaries(
            {"kind": st.sampled_from(("throwaway", "database", "none")), "server_version": _maybe(_texts)}
        ),
        "checks": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.sampled_from(CHECKS) | _texts,
                    "verdict": _verdicts,
                    "detail": _texts,
                    "seconds": _seconds,
                    "compared": _maybe(_counts),
                }
            ),
            max_size=6,
        ),
        "tables": st.lists(
            st.fixed_dictionaries(
                {
                    "name": _texts,
                    "expected_rows": _maybe(_counts),
                    "found_rows": _maybe(_counts),
                    "expected_digest": _texts,
                    "found_digest": _texts,
                    "verdict": st.sampled_from(("pass", "fail")),
                }
            ),
            max_size=5,
        ),
        "differences": st.lists(_texts, max_size=5),
        "assertions": st.lists(
            st.fixed_dictionaries(
                {
                    "name": _texts,
                    "sql": _texts,
                    "expected": _texts,
                    "found": _maybe(_texts),
                    "verdict": _verdicts,
                    "detail": _texts,
                }
            ),
            max_size=3,
        ),
        "negative_control": _maybe(
            st.fixed_dictionaries(
                {"damage": st.sampled_from(DAMAGES), "where": _texts, "verdict": _verdicts, "found_by": _texts}
            )
        ),
        "phases": st.dictionaries(st.sampled_from(PHASES), _seconds),
        "rto_seconds": _maybe(_seconds),
        "rpo_seconds": _maybe(_seconds),
        "targets": st.fixed_dictionaries({"rto_seconds": _maybe(_seconds), "rpo_seconds": _maybe(_seconds)}),
        "history": st.lists(
            st.fixed_dictionaries(
                {
                    "id": _texts,
                    "started": _moments,
                    "verdict": _verdicts,
                    "rto_seconds": _maybe(_seconds),
                    "size": _maybe(_counts),
                    "duration_seconds": _seconds,
                }
            ),
            max_size=5,
        ),
    }
)
