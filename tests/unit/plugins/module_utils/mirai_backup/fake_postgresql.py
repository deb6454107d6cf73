"""PostgreSQL's client programs as scripts, and a server that is a file of answers.

Every database there holds the same: a table of three rows and a sequence. So what is restored is proven by what was
backed up, unless a test lets it answer otherwise.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

PROPERTIES = {
    "name": "mirai",
    "owner": "app",
    "encoding": "UTF8",
    "collate": "C",
    "ctype": "C",
    "locale_provider": "c",
    "locale": None,
    "connection_limit": -1,
    "comment": None,
    "acl": None,
    "has_public": True,
    "settings": None,
    "extensions": [{"name": "plpgsql", "version": "1.0"}],
}
SERVER = {
    "version": "15.14",
    "version_num": 150014,
    "system_identifier": "1",
    "database": "mirai",
    "database_size": 1000,
    "is_superuser": True,
    "can_create_database": True,
    "user": "postgres",
}
RELATION = {
    "schema": "public",
    "name": "t",
    "kind": "r",
    "populated": True,
    "size": 1,
    "definition": None,
    "columns": None,
    "hashed": "ROW(mirai_row.id)",
    "unsteady": False,
    "owned_by_extension": False,
    "condition": None,
}
# A word of each query → its rows.
ANSWERS = {
    "pg_control_system": [SERVER],
    "pg_encoding_to_char(d.encoding)": [PROPERTIES],
    "SELECT r.rolname AS name FROM pg_roles r": [{"name": "app"}],
    "SELECT rolname AS name FROM pg_roles": [{"name": "app"}],
    "rolcreaterole AS may": [{"may": True}],
    "SELECT n.nspname AS schema, c.relname AS name FROM": [{"schema": "public", "name": "t"}],
    "c.relispopulated AS populated": [RELATION, {**RELATION, "name": "t_id_seq", "kind": "S"}],
    "SELECT count(*) AS rows": [{"rows": 3, "digest": "71"}],
    "s.is_called": [{"name": "public.t_id_seq", "last_value": 3, "is_called": True, "step": 1}],
    "FROM sizes, LATERAL": [{"count": 0, "digest": "0"}],
    "pg_export_snapshot": [{"name": "00000003-1"}],
    "AS n FROM pg_stat_activity": [{"n": 2}],
    "SELECT 1 AS one FROM pg_database": [{"one": 1}],
    "pg_available_extension_versions": [{"name": "plpgsql", "anyone": True}],
    "AS owner FROM pg_database": [{"owner": "app"}],
    "txid_current()::text": [{"number": "7"}],
    "txid_status(": [{"status": "committed"}],
    "has_database_privilege": [{"encoding": "UTF8", "may_create": True, "may_log": True}],
}
_PROGRAMS = {
    "pg_dump": "printf 'PGDMP all of it'",
    "pg_dumpall": "echo 'CREATE ROLE app;'",
    "pg_amcheck": "exit 0",
    "initdb": "exit 0",
    "postgres": "exec sleep 600",
    "pg_restore": """case "$*" in
*--list*) echo '1; 0 0 COMMENT - EXTENSION x'; echo '2; 0 0 TABLE - t' ;;
*--single-transaction*--file=-*) printf 'BEGIN;\\nSELECT 1;\\nCOMMIT;\\n\\n--\\n' ;;
*--file=-*) cat >/dev/null; echo '-- Dumped from database version 15.14' ;;
*--file=/dev/null*) cat >/dev/null ;;
esac""",
}


class Programs:
    """The programs in ``bindir``; the answers of their server may be changed at any time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.bindir = str(directory)
        directory.mkdir()
        fake = (Path(__file__).parent / "fake_psql.py").read_text()
        self.program("psql", fake, f"#!{sys.executable} -SE")
        for name, script in _PROGRAMS.items():
            self.client(name, script)
        self.answer()

    def client(self, name: str, script: str) -> None:
        """As ``program``, and it knows its version."""
        self.program(name, f'[ "$1" = --version ] && {{ echo "{name} (PostgreSQL) 15.14"; exit; }}\n{script}')

    def program(self, name: str, script: str, interpreter: str = "#!/bin/sh") -> None:
        """Put ``script`` in the place of the program ``name``."""
        (self._directory / name).write_text(f"{interpreter}\n{script}\n")
        (self._directory / name).chmod(0o755)

    def answer(self, others: dict | None = None, **answers) -> None:
        """Answer from now on with ``answers`` before all ``others`` (ANSWERS unless told); a text is an error."""
        others = ANSWERS if others is None else others
        (self._directory / "answers.json").write_text(
            json.dumps({**answers, **{word: rows for word, rows in others.items() if word not in answers}})
        )

    def said(self) -> str:
        """Everything that psql was told."""
        return (self._directory / "said").read_text()
