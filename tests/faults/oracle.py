"""Judges backups with plain gpg, tar, gunzip, zstd, pg_restore and psql. It shares no code with the engine.

``Truth`` is what the database and the data directory held; ``judge`` says in words where a backup differs from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

# One statement a table, written by the server itself: name, rows, digest of the rows in one order.
_TABLES = r"""
SET TimeZone = 'UTC'; SET bytea_output = 'hex'; SET extra_float_digits = 1; SET row_security = off;
SELECT format('SELECT %L, count(*), coalesce(md5(string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C")), ''-'')'
              ' FROM ONLY %s t', c.oid::regclass, c.oid::regclass)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema$)' ORDER BY c.oid::regclass::text COLLATE "C" \gexec
SELECT 'sequence ' || schemaname || '.' || sequencename, last_value FROM pg_sequences ORDER BY 1;
SELECT 'large object ' || oid, pg_get_userbyid(lomowner), md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1;
"""


@dataclass(frozen=True)
class Truth:
    """What was held: rows, sequences and large objects as lines, the schema as a dump of it, files by path."""

    database: Optional[tuple]
    schema: str
    files: Optional[dict]


class Oracle:
    """Asks one server; ``scratch`` is a directory and a database name of its own."""

    def __init__(self, bindir: str, connection: list, scratch: Path) -> None:
        self._bindir = bindir
        self._connection = connection
        self._scratch = scratch
        self.gpg_home = ""  # where encrypted backups are judged, the keyring of their key
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(scratch),
            "LC_ALL": "C.UTF-8",
            "PGCLIENTENCODING": "UTF8",
        }

    def truth(self, database: Optional[str], data: Optional[Path]) -> Truth:
        """What ``database`` and the directory ``data`` hold now."""
        rows = schema = None
        if database is not None:
            rows, schema = self._rows(database), self._schema(database)
        return Truth(rows, schema or "", files(data) if data is not None else None)

    def judge(self, manifest: Path, truth: Truth) -> list[str]:
        """Where the backup of ``manifest`` differs from ``truth``, in words; nothing when it is complete."""
        try:
            parts = self._parts(manifest)
        except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
            return [f"cannot be unpacked: {_words(error)}"]
        try:
            return self._judge_parts(json.loads(manifest.read_bytes())["kind"], parts, truth)
        finally:
            shutil.rmtree(self._scratch / "unpacked")

    def _judge_parts(self, kind: str, parts: dict, truth: Truth) -> list[str]:
        found = []
        if kind in ("full", "database"):
            found += self._judge_database(parts["db"], truth) if "db" in parts else ["it has no dump"]
        if kind in ("full", "json"):
            found += self._judge_files(parts["json"], truth) if "json" in parts else ["it has no files"]
        return found

    def _parts(self, manifest: Path) -> dict:
        """The decoded parts of a backup by role, in the scratch directory."""
        unpacked = self._scratch / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir(parents=True)
        head = json.loads(manifest.read_bytes())
        found = {}
        for artifact in head["artifacts"]:
            path = self._decrypted(manifest.parent / artifact["name"], unpacked)
            if head["kind"] == "full":
                self._call("tar", "-xzf", path, "-C", unpacked)
            else:
                (unpacked / path.name).write_bytes(path.read_bytes())
        for path in sorted(unpacked.rglob("mirai_*")):
            role = path.name.split("_")[1]
            if path.is_file() and role in ("db", "json", "globals"):
                found[role] = self._decoded(self._decrypted(path, unpacked))
        return found

    def _decrypted(self, path: Path, into: Path) -> Path:
        if path.suffix != ".gpg":
            return path
        plain = into / path.stem
        self._call("gpg", "--homedir", self.gpg_home, "--batch", "--yes", "--output", plain, "--decrypt", path)
        return plain

    def _decoded(self, path: Path) -> Path:
        plain = path.with_name(path.name + ".plain")
        program = {".gz": ("gunzip", "-c"), ".zst": ("zstd", "-dcq")}[path.suffix]
        with open(plain, "wb") as output:
            self._call(*program, path, stdout=output)
        return plain

    def _judge_database(self, dump: Path, truth: Truth) -> list[str]:
        name = f"oracle_{os.getpid()}"
        self._psql("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._psql("postgres", f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            self._call(f"{self._bindir}/pg_restore", "--exit-on-error", *self._connection, "-d", name, dump)
            found = [f"database: {one}" for one in _differences(truth.database, self._rows(name))]
            if not found and self._schema(name) != truth.schema:
                found.append("database: the schema is another")
            return found
        except subprocess.CalledProcessError as error:
            return [f"dump cannot be restored: {_words(error)}"]
        finally:
            self._psql("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')

    def _judge_files(self, archive: Path, truth: Truth) -> list[str]:
        target = self._scratch / "unpacked" / "files"
        target.mkdir()
        try:
            self._call("tar", "-xpf", archive, "-C", target)
        except subprocess.CalledProcessError as error:
            return [f"archive cannot be unpacked: {_words(error)}"]
        held = files(target / "data")
        return [
            f"file {path}: {held.get(path)} instead of {truth.files.get(path)}"
            for path in sorted(set(held) | set(truth.files))
            if held.get(path) != truth.files.get(path)
        ]

    def _rows(self, database: str) -> tuple:
        return tuple(self._psql(database, _TABLES).splitlines())

    def _schema(self, database: str) -> str:
        text = self._call(f"{self._bindir}/pg_dump", "--schema-only", *self._connection, "-d", database).stdout
        lines = text.decode().splitlines()
        return "\n".join(line for line in lines if line and not line.startswith(("--", "\\")))

    def _psql(self, database: str, sql: str) -> str:
        argv = (f"{self._bindir}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *self._connection, "-d", database)
        return self._call(*argv, stdin=sql.encode()).stdout.decode()

    def _call(self, *argv: object, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess:
        options = {"stdout": subprocess.PIPE, **options}
        return subprocess.run(
            [str(one) for one in argv],
            input=stdin,
            stderr=subprocess.PIPE,
            env=self._environment,
            check=True,
            timeout=120,
            **options,
        )


def files(directory: Path) -> dict:
    """Everything below ``directory``: path to type, mode, whole seconds of the last change, and content or target."""
    found = {}
    for path in sorted([directory, *directory.rglob("*")]):
        status = os.lstat(path)
        name = os.fsencode(path.relative_to(directory)).decode("utf-8", "backslashreplace")
        if stat.S_ISLNK(status.st_mode):
            found[name] = ("link", os.readlink(path))
        elif stat.S_ISREG(status.st_mode):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = ("file", stat.S_IMODE(status.st_mode) & 0o1777, int(status.st_mtime), digest)
        elif stat.S_ISDIR(status.st_mode):
            found[name] = ("directory", stat.S_IMODE(status.st_mode))
    return found


def _differences(wanted: tuple, found: tuple) -> list[str]:
    missing = [f"{line} is missing" for line in wanted if line not in found]
    return missing + [f"{line} is there, but was not" for line in found if line not in wanted]


def _words(error: Exception) -> str:
    said = getattr(error, "stderr", None) or b""
    return f"{type(error).__name__}: {error}: {said.decode(errors='replace')[-300:]}"
