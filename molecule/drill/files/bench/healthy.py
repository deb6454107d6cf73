"""Healthy variants: databases and directories as odd as real ones get. A drill of each has to pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import healthy_files


@dataclass(frozen=True)
class Variant:
    """What is made before the backup: SQL as the application and as superuser, files, and how it is backed up."""

    sql: str = "CREATE TABLE plain (id int PRIMARY KEY); INSERT INTO plain SELECT generate_series(1, 10)"
    superuser_sql: str = ""
    options: str = ""
    files: Callable[[Path], object] = healthy_files.plain
    flags: tuple = ()
    settings: dict = field(default_factory=dict)


def _sql(directory: str) -> dict:
    """The SQL files of a directory by name."""
    files = sorted((Path(__file__).parent / "variants" / directory).glob("*.sql"))
    return {path.stem: path.read_text() for path in files}


APPLICATION = _sql("application")
VARIANTS = {
    **{name: Variant(sql) for name, sql in APPLICATION.items()},
    **{name: Variant(superuser_sql=sql) for name, sql in _sql("superuser").items()},
    **{name: Variant(files=files) for name, files in healthy_files.DIRECTORIES.items()},
    "empty_database": Variant(sql=""),
    "both_halves_empty": Variant(sql="", files=lambda _data: None),
    "encoding_latin1": Variant(
        "CREATE TABLE t (x text); INSERT INTO t VALUES ('é'), ('ÿ')",
        options="TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
    ),
    "icu_locale": Variant(
        "CREATE TABLE t (x text PRIMARY KEY); INSERT INTO t VALUES ('b'), ('A'), ('あ')",
        options="TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'ja-JP'",
    ),
    "database_only": Variant(flags=("--db-only",)),
    "files_only": Variant(flags=("--json-only",)),
    "fingerprint_of_counts": Variant(APPLICATION["odd_types"], settings={"fingerprint": "counts"}),
    "one_job": Variant(APPLICATION["foreign_key_cycle"], settings={"jobs": 1}),
    "compressed_by_zlib": Variant(settings={"compression": "zlib"}),
    "assertions_that_hold": Variant(
        settings={
            "drill_assertions": [
                {"name": "rows", "sql": "SELECT count(*) FROM public.plain", "expect": ">= 10"},
                {"name": "no stranger", "sql": "SELECT bool_and(id < 11) FROM public.plain", "expect": "true"},
            ]
        }
    ),
}
