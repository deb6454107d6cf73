# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes the restored halves beside what is in service: a side database and a staged directory."""

from __future__ import annotations

import contextlib
import os
import pwd
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, Callable, Iterator, Optional

from . import compression, dump_offsets, fingerprint, manifest, postgres, process, safefile, unarchive, unlock, verify
from .clients import Clients
from .command import Command
from .errors import EngineError, MismatchError, ProcessError
from .hashed import HashedReader, sealed
from .manifest import Manifest
from .postgres import identifier, literal
from .repository import Backup
from .sinks import Artifact
from .target import DatabaseTarget

DUMP = "dump"
# Tables with rows of their own: a partitioned one may have foreign partitions, which nobody here can reach.
ANALYZED = (
    "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
)
# Settings whose stored value is already a quoted list.
_LISTS = ("search_path", "session_preload_libraries", "local_preload_libraries", "temp_tablespaces")


class _DumpWriter:
    """Writes to ``file`` what begins as a dump does: what is none is not written until the disk is full."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self._name = name
        self._file = file
        self._start = b""
        self.ends = dump_offsets.Ends()

    def write(self, block: bytes) -> None:
        """Write all of ``block``. Raises MismatchError where the first bytes are not a dump's."""
        missing = len(dump_offsets.MAGIC) - len(self._start)
        if missing:
            self._start += block[:missing]
            if not dump_offsets.MAGIC.startswith(self._start):
                raise MismatchError(f"{self._name} cannot be decoded: it holds no dump of pg_dump's custom format")
        self._file.write(block)
        self.ends.look(block)


def unpack(
    backup: Backup,
    work: str,
    want_database: bool,
    staged: Optional[str],
    decryption: tuple[Command, ...] = (),
    progress: Callable[[int], object] = lambda _count: None,
) -> None:
    """Decode the wanted halves: the dump to ``work``/dump, the files to the new directory ``staged``.

    Every byte of the backup, wanted or not, is held to the manifest on the way. Raises MismatchError; then both are
    incomplete. ``decryption`` is what ``unlock`` gives for the backup; ``progress`` is told how many bytes were read.
    """
    head = backup.manifest
    for artifact in head.artifacts:
        with sealed(backup, artifact, progress) as raw:
            if head.kind != "full":
                _unpack_part(backup, artifact, raw, work, want_database, staged, decryption)
                continue
            with unlock.opened(artifact.name, raw, decryption) as archive:
                for member, content in verify.members(archive, head):
                    _unpack_part(backup, member, content, work, want_database, staged, ())


def _unpack_part(
    backup: Backup,
    part: Artifact,
    raw: HashedReader,
    work: str,
    want_database: bool,
    staged: Optional[str],
    decryption: tuple[Command, ...],
) -> None:
    stages, source = compression.decoded(part.name, raw.pour, decryption)
    try:
        if part.role == "database" and want_database:
            path = os.path.join(work, DUMP)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with safefile.named(path), open(descriptor, "wb") as dump:
                writer = _DumpWriter(part.name, dump)
                process.pump(stages, writer.write, source)
            dump_offsets.note(path, writer.ends.places)
        elif part.role == "json" and staged is not None:
            target = unarchive.Target(staged)
            entries = manifest.read_entries(backup.manifest_path, backup.manifest)
            with process.reading(stages, source) as stream:
                unarchive.compare(stream, backup.manifest, entries, target)
            target.finish()
    except verify.DAMAGE as error:
        raise MismatchError(f"{part.name} of {backup.id} cannot be decoded: {error}") from error


def require_readable(clients: Clients, work: str, backup: Backup, whole: bool) -> None:
    """Raise MismatchError unless ``work``/dump is one that pg_restore reads: its contents, or the ``whole`` of it."""
    how = "--file=/dev/null" if whole else "--list"
    try:
        process.run(Command((clients.path("pg_restore"), how, os.path.join(work, DUMP))))
    except ProcessError as error:
        raise MismatchError(f"the dump of {backup.id} cannot be decoded: {error.message}") from error


def create_database(target: DatabaseTarget, name: str, properties: dict) -> None:
    """Create the empty database ``name`` with the encoding, locale and owner of the one that was backed up."""
    options = [
        "TEMPLATE template0",
        f"ENCODING {literal(properties['encoding'])}",
        f"LC_COLLATE {literal(properties['collate'])}",
        f"LC_CTYPE {literal(properties['ctype'])}",
    ]
    if target.server.is_superuser or properties["owner"] == target.server.user:
        options.append(f"OWNER {identifier(properties['owner'])}")
    provider = {"i": "icu", "b": "builtin"}.get(properties["locale_provider"])
    if provider is not None:
        key = "ICU_LOCALE" if provider == "icu" else "BUILTIN_LOCALE"
        options += [f"LOCALE_PROVIDER {provider}", f"{key} {literal(properties['locale'])}"]
    target.execute(f"CREATE DATABASE {identifier(name)} {' '.join(options)}")
    if not properties["has_public"]:
        target.execute("DROP SCHEMA public", name)
    if "plpgsql" not in [extension["name"] for extension in properties["extensions"] or []]:
        target.execute("DROP EXTENSION plpgsql", name)


def load(
    target: DatabaseTarget,
    name: str,
    work: str,
    jobs: int,
    head: Manifest,
    extra: tuple[str, ...] = (),
    toast: str = "default",
) -> None:
    """Restore ``work``/dump into the database ``name``; any error ends it. Statistics are left to ``analyzing``.

    ``extra`` are further options of pg_restore; ``toast`` is ``restore_toast_compression``.
    """
    settings = []
    if toast == "lz4" and postgres.has_lz4(target.clients, target.admin):
        settings.append("default_toast_compression=lz4")
    if target.server.is_superuser:  # who waits for autovacuum's lock takes it away after that time: a second otherwise
        settings.append("deadlock_timeout=50ms")
    path = os.path.join(work, DUMP)
    with open(path, "rb") as dump:
        if target.admin.os_user:
            # The account cannot reach our directories; it is handed this one file, open, and nothing else.
            os.chown(path, pwd.getpwnam(target.admin.os_user).pw_uid, -1)
        handed = f"/proc/self/fd/{dump.fileno()}"
        command = postgres.command(
            target.clients,
            "pg_restore",
            target.on(name),
            f"--jobs={jobs}",
            "--exit-on-error",
            *extra,
            handed,
            descriptors=(dump.fileno(),),
            settings=tuple(settings),
        )
        try:
            process.run(command)
        except ProcessError as error:
            raise EngineError(
                f"{head.id} could not be restored into {name}: {error.message}", "nothing in service was touched"
            ) from error
    discard_dump(work)


def discard_dump(work: str) -> None:
    """Remove ``work``/dump. The space of a large file takes its time to be given back; nobody waits for that."""
    path = os.path.join(work, DUMP)
    last = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    os.unlink(path)
    threading.Thread(target=os.close, args=(last,)).start()


@contextlib.contextmanager
def analyzing(target: DatabaseTarget, name: str) -> Iterator[Callable[[], None]]:
    """Gather the statistics of the database ``name`` while the block runs.

    Gives what waits for them, to be called last in the block; it raises EngineError where they cannot be had. Without
    it they are given up when the block ends.
    """
    with postgres.Session(target.clients, target.on(name), writable=True) as session:
        tables = [row["name"] for row in session.query(ANALYZED)]
        # Each on its own: the locks of thousands of tables would not fit into the server's table. What autovacuum has
        # in hand it analyzes by itself; to wait for it would take as long as its pauses do.
        statements = "; COMMIT; BEGIN;\n".join(f"ANALYZE (SKIP_LOCKED) {table}" for table in tables) or "SELECT"
        with ThreadPoolExecutor(max_workers=1) as pool:
            gathered = pool.submit(session.execute, statements)

            def finish() -> None:
                gathered.result()
                session.commit()

            try:
                yield finish
            finally:
                session.end()


def dress(target: DatabaseTarget, name: str, properties: dict) -> None:
    """Give the database what a dump does not carry: settings, comment, grants, connection limit."""
    quoted = identifier(name)
    statements = [f"ALTER DATABASE {quoted} CONNECTION LIMIT {properties['connection_limit']}"]
    for group in properties["settings"] or []:
        who = (
            f"ALTER ROLE {identifier(group['role'])} IN DATABASE {quoted}"
            if group["role"]
            else f"ALTER DATABASE {quoted}"
        )
        for setting in group["settings"]:
            key, _sign, value = setting.partition("=")
            shown = value if key.lower() in _LISTS and value else literal(value)
            statements.append(f"{who} SET {identifier(key)} TO {shown}")
    if properties["comment"]:
        statements.append(f"COMMENT ON DATABASE {quoted} IS {literal(properties['comment'])}")
    if properties["acl"] is not None:
        statements.append(f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC")
        for grant in properties["acl"]:
            grantee = identifier(grant["grantee"]) if grant["grantee"] else "PUBLIC"
            option = " WITH GRANT OPTION" if grant["grantable"] and grant["grantee"] else ""
            statements.append(f"GRANT {grant['privilege']} ON DATABASE {quoted} TO {grantee}{option}")
    target.execute(";\n".join(statements))


def prove(target: DatabaseTarget, name: str, head: Manifest) -> dict:
    """Hold the database ``name`` to the fingerprint of the manifest. Raises MismatchError naming each difference.

    Returns the verdict, ``pass`` or ``not_configured``, how much was compared, and what of the schema is printed
    otherwise than before. The content decides: pg_restore made the schema without an error, and a server may print
    what it holds in another way after a round trip.
    """
    expected = head.database["fingerprint"]
    if expected is None:
        return judge(head, None)
    with postgres.Session(target.clients, target.on(name)) as session:
        found = fingerprint.take_alone(session, expected, target.server.version_num)
    return judge(head, found)


def judge(head: Manifest, found: Optional[dict]) -> dict:
    """Hold the fingerprint ``found`` to the manifest's; as ``prove``."""
    expected = head.database["fingerprint"]
    if expected is None or found is None:
        return {"verdict": "not_configured", "tables": 0, "rows": 0, "schema_differences": []}
    checks = fingerprint.differences_by_check(expected, found)
    schema = checks.pop("schema")
    lines = [line for one in checks.values() for line in one]
    if lines:
        raise MismatchError(
            f"what was restored from {head.id} is not what the snapshot held: {'; '.join(lines[:10])}",
            "nothing in service was touched; try another backup",
        )
    rows = sum(table["rows"] for table in expected["tables"].values())
    return {"verdict": "pass", "tables": len(expected["tables"]), "rows": rows, "schema_differences": schema}


def drop_database(target: DatabaseTarget, name: str) -> None:
    """Drop a database that is not in service."""
    target.execute(f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")
