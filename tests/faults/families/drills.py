"""Drills: a sabotaged set, sealed again so that every digest fits, is refused; a healthy one is accepted."""

from __future__ import annotations

import contextlib
import gzip
import re
import shutil
import subprocess
import time
from pathlib import Path
from random import Random

import aftermath
import canaries
from family import family
from findings import FalseAlarm, Finding, SilentLoss, need
from installed import ROOT
from sealed import Sealed
from world import World

_VARIANTS = ROOT / "molecule" / "drill" / "files" / "bench" / "variants"

# What is done to a copy of the database before it takes the place of the dump, and pg_dump's options.
_SABOTAGE = (
    ("UPDATE knowledge SET body = body || 'x' WHERE id = 9",),
    ("UPDATE knowledge SET cost = cost + 0.01 WHERE id = 10",),
    ("UPDATE audit.log SET what = NULL WHERE ctid = '(0,1)'",),
    ("DELETE FROM audit.log WHERE ctid = '(0,1)'",),
    ("INSERT INTO audit.log SELECT * FROM audit.log LIMIT 1",),
    ("DELETE FROM audit.log WHERE ctid = '(0,1)'; INSERT INTO audit.log SELECT * FROM audit.log LIMIT 1",),
    ("TRUNCATE audit.log",),
    ("DROP TABLE audit.log",),
    ("CREATE TABLE extra (id int)",),
    ("SELECT setval('knowledge_id_seq', 1)",),
    ("SELECT setval('knowledge_id_seq', 99999)",),
    ("SELECT lo_unlink(loid) FROM (SELECT min(oid) AS loid FROM pg_largeobject_metadata) s",),
    ("SELECT lo_put(oid, 3, '\\x00') FROM pg_largeobject_metadata WHERE length(lo_get(oid)) > 0",),
    ("DROP INDEX knowledge_title",),
    ("ALTER TABLE knowledge DROP CONSTRAINT knowledge_author_fkey",),
    ("ALTER TABLE auth.users ALTER created SET DEFAULT '2020-01-01'",),
    ("DROP VIEW titles",),
    ("DROP TRIGGER touched ON knowledge",),
    ("UPDATE knowledge SET photo = photo || '\\x00' WHERE id = 11",),
    ("", "--schema-only"),
    ("", "--exclude-table-data=audit.log"),
    ("", "--exclude-schema=audit"),
    ("", "--no-large-objects"),
)


def _drilled(world: World, target: str) -> tuple[int, dict]:
    result = world.run("--json", "drill", target, timeout=180)
    aftermath.words(result)
    canaries.absent(world)
    world.settled()
    left = [path.name for path in world.directory.glob("mirai-drill*")]
    need(not left, Finding, f"the drill left {left}")
    return result.code, result.document


@family("drill.sabotaged", 92, 1, "content changed and sealed again: the drill must refuse it")
def sabotaged(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh(database=True)
    what, target = sabotage(world, random, number)
    code, document = _drilled(world, target.id)
    need(code == 2, SilentLoss, f"{what}: the drill ends in {code}, {document.get('verdict')}")
    return f"{what}: refused", f"exit {code}, {document.get('verdict')}"


def sabotage(world: World, random: Random, number: int) -> tuple[str, Sealed]:
    """Put a dump of something else into the newest backup and seal it again; returns what was done, and the backup."""
    sql, *options = _SABOTAGE[number % len(_SABOTAGE)]
    name = "sabotaged"
    world.server.psql(f"CREATE DATABASE {name} TEMPLATE template_app OWNER mirai_app")
    try:
        if sql:
            world.server.psql(sql, name)
        if options == ["--no-large-objects"] and int(world.server.bindir.split("/")[4]) < 16:
            options = ["--no-blobs"]
        argv = [f"{world.server.bindir}/pg_dump", "-Fc", "-Z0", *options, *world.connection, "-d", name]
        dump = subprocess.run(argv, capture_output=True, check=True).stdout
    finally:
        world.server.psql(f"DROP DATABASE {name}")
    kind = random.choice(("full", "database"))
    target = Sealed([path for path in world.manifests() if path.parent.name == kind][-1])
    target.reseal("db", gzip.compress(dump, 1))
    return sql or options[0], target


@family("drill.healthy", 40, 1, "odd but healthy databases: the drill must accept them")
def healthy(world: World, random: Random, number: int) -> tuple[str, str]:
    variants = sorted(_VARIANTS.glob("*/*.sql"))
    variant = variants[number % len(variants)]
    world.fresh(database=True)
    world.dirty()
    session = "" if variant.parent.name == "superuser" else "SET SESSION AUTHORIZATION mirai_app;\n"
    # The variants are those of the scenario, whose application is the role bench.
    sql = re.sub(r"\b(TO|ROLE) bench\b", r"\1 mirai_app", variant.read_text())
    world.server.psql(
        "ALTER DATABASE mirai_app OWNER TO mirai_app; GRANT CREATE ON SCHEMA public TO mirai_app", world.name
    )
    made = world.server.directory / "variant.sql"
    made.write_text(session + sql)
    argv = [
        f"{world.server.bindir}/psql",
        "-Xq",
        "-v",
        "ON_ERROR_STOP=1",
        *world.connection,
        "-d",
        world.name,
        "-f",
        str(made),
    ]
    with contextlib.ExitStack() as cleanup:
        _provide_extension(world, cleanup)
        cleanup.callback(world.server.psql, _SWEEP)
        cleanup.callback(world.reset_databases)
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{variant.name} cannot be made: {done.stderr[-300:]}")
        backup = world.run("backup")
        need(backup.code in (0, 3), FalseAlarm, f"the backup exits with {backup.code}: {backup.err[-300:]}")
        code, document = _drilled(world, "latest")
        need(code == 0, FalseAlarm, f"the drill ends in {code}: {document.get('differences') or document}")
    return (
        f"{variant.parent.name}/{variant.stem}: accepted",
        f"exit 0, {document.get('verdict')} at {time.strftime('%H:%M')}",
    )


def _provide_extension(world: World, cleanup: contextlib.ExitStack) -> None:
    """Give the server the scenario's extension with tables, for as long as it is wanted."""
    asked = subprocess.run(
        [f"{world.server.bindir}/pg_config", "--sharedir"], capture_output=True, text=True, check=True
    )
    directory = Path(asked.stdout.strip()) / "extension"
    for source, name in (("mirai_bench.control", "mirai_bench.control"), ("mirai_bench.sql", "mirai_bench--1.sql")):
        if not (directory / name).exists():
            shutil.copyfile(_VARIANTS.parent / source, directory / name)
            cleanup.callback((directory / name).unlink, missing_ok=True)


# What variants make beyond their database would be in the way of the next one.
_SWEEP = r"""
SELECT format('DROP ROLE %I', rolname) FROM pg_roles
 WHERE rolname NOT LIKE 'pg\_%' AND rolname NOT IN ('postgres', 'mirai_app') \gexec
"""
