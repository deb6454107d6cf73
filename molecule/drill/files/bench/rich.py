"""Prints SQL that brings the variants' tables into one database, each variant in a schema of its own.

Usage: rich.py MAJOR OWNER     (the server's major version, the application's role)
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

VARIANTS = Path(__file__).parent / "variants"
SINCE = re.compile(r"^-- since (\d+)$", re.MULTILINE)
# About a whole database, which the others would not survive; an extension that another host has not.
ALONE = ("database_settings", "extension_configuration")


def paths(major: int) -> list[Path]:
    """The variants that a server of the major version understands."""
    found = sorted(VARIANTS.glob("*/*.sql"))
    return [one for one in found if one.stem not in ALONE and since(one) <= major]


def since(path: Path) -> int:
    """The first major version that understands the variant."""
    found = SINCE.search(path.read_text())
    return int(found.group(1)) if found else 0


def moved(path: Path, owner: str) -> str:
    """The variant in its own schema, run as ``owner`` or, those of a superuser, as we are."""
    schema = f"v_{path.stem}"
    sql = re.sub(r"\bpublic\b(?=\.| FROM)", schema, path.read_text())
    sql = re.sub(r"\bSCHEMA public\b", f"SCHEMA {schema}", sql)
    sql = re.sub(r"\bbench\b", f'"{owner}"', sql)
    names = re.findall(r"CREATE SCHEMA (\"[^;]+\"|\w+);", sql)
    role = f'SET SESSION AUTHORIZATION "{owner}";' if path.parent.name == "application" else ""
    grants = "".join(f'GRANT USAGE ON SCHEMA {one} TO "{owner}";\n' for one in (schema, *names)) if not role else ""
    return (
        f'CREATE SCHEMA {schema} AUTHORIZATION "{owner}";\n{role}\nSET search_path TO {schema}, public;\n'
        f"{sql}\n{grants}RESET SESSION AUTHORIZATION;\n"
    )


def main() -> int:
    major, owner = int(sys.argv[1]), sys.argv[2]
    print("\\set ON_ERROR_STOP 1")
    for path in paths(major):
        print(f"\\echo {path.stem}\n{moved(path, owner)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
