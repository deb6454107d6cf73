"""Cases of single rows of the table in ``rows`` that no class covers: what goes wrong around a restore."""

from __future__ import annotations

import gzip
import platform
import re
import subprocess
import threading
import time
from random import Random

from findings import FalseAlarm, Finding, Harm, SilentLoss, need
from sealed import Sealed
from world import World

from families.drills import sabotaged
from families.kills_of_restores import halves, in_service, nothing_beside


def _refused(world: World, *words: str, arguments: tuple = ("latest",), codes: tuple = (1, 2)) -> str:
    """A restore that must be refused: what is in service stays, nothing is left beside it."""
    held = halves(world.truth())
    result = world.run("restore", *arguments)
    need(result.code in codes, SilentLoss, f"exit {result.code}: {result.out[-300:]}")
    need(not words or any(word in result.err for word in words), Finding, f"{words} is not named: {result.err[-400:]}")
    need(in_service(world) == held, SilentLoss, "what is in service has changed")
    nothing_beside(world)
    return f"exit {result.code}"


def lost_tables(world: World, random: Random, number: int) -> tuple[str, str]:
    """A dump that lacks a table, or an extension that the server lacks: refused before the swap."""
    world.fresh(database=True)
    target = Sealed([path for path in world.manifests() if path.parent.name == "full"][-1])
    if number % 2:
        head = target.head()
        head["database"]["properties"]["extensions"] = [
            *(head["database"]["properties"]["extensions"] or []), {"name": "no_such_extension", "version": "1.0"}
        ]  # fmt: skip
        target.write(head)
        return "an extension is missing on the server: refused", _refused(world, "no_such_extension")
    table = random.choice(("audit.log", "auth.users", "public.marker"))
    argv = [f"{world.server.bindir}/pg_dump", "-Fc", "-Z0", "-T", table, *world.connection, "-d", world.name]
    target.reseal("db", gzip.compress(subprocess.run(argv, capture_output=True, check=True).stdout, 1))
    return f"the dump lacks {table}: refused", _refused(world, table.split(".")[1], "could not be restored")


def missing_role(world: World, random: Random, number: int) -> tuple[str, str]:
    """A role that owns something and is not there any more is brought back."""
    world.fresh(database=True)
    world.dirty()
    name = random.choice(("reporting", "odd role", "橋"))
    world.server.psql(f'CREATE ROLE "{name}" LOGIN; GRANT SELECT ON audit.log TO "{name}"', world.name)
    try:
        truth = world.advance()
        world.succeed("backup")
        world.server.psql(f'DROP OWNED BY "{name}"', world.name)
        world.server.psql(f'DROP ROLE "{name}"')
        result = world.run("restore", "latest")
        need(result.code in (0, 3), FalseAlarm, f"exit {result.code}: {result.err[-400:]}")
        need(in_service(world) == halves(truth), SilentLoss, "what is restored is not what was there")
    finally:
        world.reset_databases()
        world.server.psql(f'DROP ROLE IF EXISTS "{name}"')
    return f"the role {name} is missing: brought back", f"exit {result.code}"


def live_connections(world: World, random: Random, number: int) -> tuple[str, str]:
    """Sessions that come again and again: the swap comes through or gives up, whole either way."""
    world.fresh(database=True)
    old = world.advance()
    over = threading.Event()
    argv = [f"{world.server.bindir}/psql", "-Xq", *world.connection, "-d", world.name, "-c", "SELECT pg_sleep(0.2)"]

    def connect() -> None:
        while not over.wait(0.01):
            subprocess.run(argv, capture_output=True, check=False)

    clients = [threading.Thread(target=connect) for _number in range(random.randint(1, 4))]
    for one in clients:
        one.start()
    begun = time.monotonic()
    try:
        result = world.run("restore", "latest", timeout=120)
    finally:
        over.set()
        for one in clients:
            one.join()
    seconds = time.monotonic() - begun
    need(seconds < 90, Finding, f"it took {seconds:.0f} s")
    wanted = halves(world.base_truth if result.code in (0, 3) else old)
    need(in_service(world) == wanted, SilentLoss, f"exit {result.code}, but the other state is in service")
    nothing_beside(world)
    return f"{len(clients)} clients connect without rest: bounded, whole", f"exit {result.code} after {seconds:.1f} s"


def wrong_server(world: World, random: Random, number: int) -> tuple[str, str]:
    """A backup whose manifest names another cluster, host or application needs the operator's word."""
    world.fresh(database=True)
    world.advance()
    target = Sealed([path for path in world.manifests() if path.parent.name == "full"][-1])
    head = target.head()
    what = number % 3
    if what == 0:
        head["database"]["system_identifier"] = "7000000000000000000"
    else:
        head["application" if what == 1 else "host"] = "another"
    target.write(head)
    outcome = _refused(world, "--confirm", codes=(1, 64))
    (words,) = re.findall(r"--confirm (\S+)", world.run("restore", "latest").err)
    need(words == f"{target.id}@{platform.node()}", Finding, f"the words to type are {words}")
    result = world.run("restore", "latest", "--confirm", words)
    need(result.code == 0, FalseAlarm, f"confirmed, but exit {result.code}: {result.err[-300:]}")
    return "another application, host or cluster: refused until confirmed", outcome


def another_locale(world: World, random: Random, number: int) -> tuple[str, str]:
    options = (
        "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'ja-JP'",
        "ENCODING 'SQL_ASCII' LOCALE 'C'",
        "ENCODING 'LATIN1' LOCALE 'C'",
        "ENCODING 'EUC_JP' LOCALE 'C'",
    )[number % 4]
    world.fresh()
    world.dirty()
    world.server.psql("DROP DATABASE mirai_app WITH (FORCE)")
    world.server.psql(f"CREATE DATABASE mirai_app OWNER mirai_app TEMPLATE template0 {options}")
    world.server.psql("GRANT CREATE ON SCHEMA public TO mirai_app", world.name)
    world.server.psql(
        "SET ROLE mirai_app; CREATE TABLE t (x text PRIMARY KEY); INSERT INTO t VALUES ('b'), ('A'), ('c')", world.name
    )
    try:
        properties = "SELECT encoding, datcollate, datlocprovider FROM pg_database WHERE datname = 'mirai_app'"
        before, truth = world.server.psql(properties), world.truth()
        world.succeed("backup")
        world.server.psql("INSERT INTO t VALUES ('later')", world.name)
        world.succeed("restore", "latest")
        need(world.server.psql(properties) == before, SilentLoss, "encoding or locale is another")
        need(in_service(world)[0] == halves(truth)[0], SilentLoss, "the rows are others")
    finally:
        world.reset_databases()
    return f"{options}: as it was", "as it was"


def empty_source(world: World, random: Random, number: int) -> tuple[str, str]:
    """A schema without rows where there were rows is refused; a source that is truly empty is fine."""
    if number % 2:
        return sabotaged(world, random, 19)  # --schema-only
    world.fresh()
    world.dirty()
    world.server.psql("DROP DATABASE mirai_app WITH (FORCE)")
    world.server.psql("CREATE DATABASE mirai_app OWNER mirai_app")
    try:
        world.succeed("backup")
        result = world.run("--json", "drill", "latest", timeout=180)
        need(result.code == 0, FalseAlarm, f"the drill of an empty database ends in {result.code}: {result.out[-400:]}")
    finally:
        world.reset_databases()
    return "a truly empty database: accepted", "pass"


def fresh_scratch(world: World, random: Random, number: int) -> tuple[str, str]:
    """The live database still holds what the dump lacks: a drill that looked there would pass."""
    expectation, outcome = sabotaged(world, random, random.choice((7, 20, 21)))
    return f"the live database is whole, the dump is not; {expectation}", outcome


def safety_copies(world: World, random: Random, number: int) -> tuple[str, str]:
    """What a restore sets aside is kept by a policy of its own: neither backups nor prunes take it."""
    world.fresh(database=True, keep_previous=1)
    old = world.advance()
    world.succeed("restore", "latest")
    for arguments in (("backup",), ("prune",), ("backup", "--db-only"), ("prune",)):
        world.succeed(*arguments)
    names = [name for name in world.databases() if "_before_" in name]
    directories = list(world.backend.glob("data_before_*"))
    need(len(names) == 1 and len(directories) == 1, Harm, f"the previous state is gone: {names} {directories}")
    world.succeed("rollback")
    need(in_service(world) == halves(old), SilentLoss, "rollback brings back another state")
    return "backups and prunes leave the previous state alone; rollback brings it back", "brought back"
