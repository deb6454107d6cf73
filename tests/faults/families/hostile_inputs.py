"""Hostile ``.env`` files and URLs, configurations, file names and dumps."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path
from random import Random
from urllib.parse import quote

import aftermath
import canaries
from family import family
from findings import Escape, FalseAlarm, Finding, SilentLoss, need
from oracle import files
from sealed import Sealed
from world import PASSWORD, World

_ODD = "'\"\\%$`;&|<>(){}[]!#~*?=+,.:@/ \t橋日é\u202e\U0001f5fe-_^"


def _text(random: Random, most: int = 12) -> str:
    return "".join(random.choice(_ODD + "abcXYZ019") for _turn in range(random.randint(1, most)))


def _literal(text: str) -> str:
    return " E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _quoted(random: Random, url: str) -> str:
    """The line of a ``.env`` that holds ``url``, in one of the ways in which python-dotenv reads it."""
    style = random.randrange(5)
    if style == 0:
        return f"DATABASE_URL={url}"
    if style == 1:
        return f"DATABASE_URL='{url}'"
    if style == 2:
        return f'export DATABASE_URL="{url}"  # the database'
    if style == 3:
        return f"  DATABASE_URL = {url}   # the database"
    return f"DATABASE_URL=postgresql://old:old@nowhere/old\nDATABASE_URL={url}\r"


@family("hostile.url", 80, 2, "odd users, passwords and databases in DATABASE_URL are understood exactly")
def odd_url(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    user, password, database = _text(random), _text(random, 30).strip() or "x", _text(random)
    quoted = ['"' + name.replace('"', '""') + '"' for name in (user, database)]
    world.server.psql(f"CREATE ROLE {quoted[0]} LOGIN SUPERUSER PASSWORD{_literal(password)}")
    try:
        world.server.psql(f"CREATE DATABASE {quoted[1]} TEMPLATE template0")
        parts = [quote(one, safe="") for one in (user, password, database)]
        url = f"postgresql://{parts[0]}:{parts[1]}@127.0.0.1:{world.server.port}/{parts[2]}"
        (world.backend / ".env").write_text(f"A=1\n{_quoted(random, url)}\nB='x y'\n", newline="")
        result = world.run("--json", "backup", "--plan", "--db-only")
        need(result.code == 0, FalseAlarm, f"{user!r} {password!r} {database!r}: {result.err[-400:]}")
        label = result.document["plan"]["database"]["connection"]
        need(user in label and database in label, SilentLoss, f"another database: {label} instead of {database!r}")
        need(len(password) < 6 or password not in result.out + result.err, Finding, "the password is shown")
    finally:
        world.server.psql(f"DROP DATABASE IF EXISTS {quoted[1]}")
        world.server.psql(f"DROP ROLE {quoted[0]}")
    return f"user {user!r}, database {database!r}: understood exactly", "understood"


@family("hostile.env", 120, 2, "env files and URLs that are malformed, or that a shell would run")
def hostile_env(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    marker = world.directory / f"ran-{number}"
    good, secret = world.url(), quote(PASSWORD, safe="")
    lines = (
        f"DATABASE_URL=$(touch {marker})",
        f"DATABASE_URL=`touch {marker}`",
        f"DATABASE_URL=postgresql://u:{secret}@h/d; touch {marker}",
        f"touch {marker}\nDATABASE_URL=mysql://u:{secret}@h/d",
        f'DATABASE_URL="{good}',
        f"DATABASE_URL='{good}' extra",
        "DATABASE_URL=${OTHER}",
        f"DATABASE_URL=postgresql://mirai_app:{PASSWORD}@127.0.0.1:{world.server.port}/mirai_app",
        f"DATABASE_URL={good}?passwd={secret}",
        f"DATABASE_URL={good}?sslmode",
        f"DATABASE_URL=postgresql://mirai_app:{secret}@127.0.0.1:{random.choice((0, 65536, 99999, -1))}/mirai_app",
        f"DATABASE_URL=postgresql://mirai_app:{secret}@127.0.0.1:port/mirai_app",
        f"DATABASE_URL=postgresql://mirai_app:{secret}%zz@127.0.0.1/mirai_app",
        f"DATABASE_URL=postgresql://mirai_app:{secret}%ff%fe@127.0.0.1/mirai_app",
        f"DATABASE_URL=postgresql://mirai_app:{secret}%00@127.0.0.1/mirai_app",
        f"DATABASE_URL=postgresql://mirai_app:{secret}@[::1/mirai_app",
        "DATABASE_URL=",
        "# nothing here",
        f"DATABASE_URL_OLD={good}",
        f"DATABASE_URL={good}\nDATABASE_URL=",
        "DATABASE_URL=" + "x" * random.choice((10, 100_000)),
        f"DATABASE_URL=postgresql://mirai_app:{secret}@127.0.0.1:{world.server.port}/mirai_app%0a",
        f"DATABASE_URL=postgresql://mirai_app:{secret}@@127.0.0.1/mirai_app",
        f"DATABASE_URL=postgresql://mirai_app:wrong@127.0.0.1:{world.server.port}/mirai_app",
        f"DATABASE_URL=postgresql://mirai_app:{secret}@127.0.0.1:{world.server.port}/mirai_app?options=-c%20x%3D1",
    )
    line = lines[number % len(lines)]
    content = line.encode("utf-8", "surrogateescape") + b"\n"
    if number >= len(lines) and random.random() < 0.3:
        content = (
            content[: len(content) // 2] + random.choice((b"\xff\xfe", b"\0", b"\r")) + content[len(content) // 2 :]
        )
    (world.backend / ".env").write_bytes(content)
    before = aftermath.Before(world, world.truth())
    result = world.run("backup", "--db-only")
    need(not marker.exists(), Escape, "a command in .env was run")
    need(result.code in (1, 64), SilentLoss, f"exit {result.code} with {line!r:.80}: {result.out[-200:]}")
    aftermath.disturbed(before, result)
    named = any(word in result.err for word in ("DATABASE_URL", ".env", "database "))
    need(named, Finding, f"neither DATABASE_URL nor the file is named: {result.err[-300:]}")
    canaries.absent(world)
    return f"{line!r:.60}: refused with words", f"exit {result.code}"


_VALUES = (
    None, True, False, 0, -1, 1, 10**30, 1.5, "", "x", "relative/path", "/", "/nowhere/at/all", "a\nb", "\0", "\ud800",
    [], {}, [1], ["x"], {"x": 1}, {"full": {"days": -1}}, [{"kind": "full", "cron": "* * * * *"}], [[]], "auto", "full",
)  # fmt: skip


@family("hostile.config", 200, 3, "configurations with wrong keys, types and values")
def hostile_config(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    values = json.loads(world.config_path.read_text())
    known = list(world.succeed("--json", "config", "show").document)
    what = number % 5
    key = random.choice(known)
    text = None
    if what < 3:
        values[key] = [PASSWORD] if random.random() < 0.1 else random.choice(_VALUES)
        said = f"{key} is {values[key]!r:.40}"
    elif what == 3:
        key = random.choice((key[:-1], key + "s", key.upper(), "", "__class__", f"{key}\n", "retension"))
        values[key] = 1
        said = f"an unknown key {key!r}"
        what = 3 if key not in known else 0
    else:
        plain = json.dumps(values)
        place = random.randrange(1, len(plain))
        damages = (
            plain[:place],
            plain + "}",
            plain[:-1] + ', "log": "/x"}',
            "[" * 5000,
            "NaN",
            '"x"',
            "",
            plain + "\0",
            plain[1:],
        )
        text = random.choice(damages)
        key, said = str(world.config_path), f"no configuration: {text[:20]!r}…"
    world.config_path.write_bytes((json.dumps(values) if text is None else text).encode("utf-8", "surrogatepass"))
    result = world.run("--json", "config", "validate")
    aftermath.words(result)
    need(result.code in (0, 64), Finding, f"exit {result.code}: {result.err[-300:]}")
    if result.code == 64:
        need(key in result.err or repr(key) in result.err or key.strip() in result.err, Finding,
             f"{said}: {key} is not named: {result.err[-300:]}")  # fmt: skip
    else:
        need(what < 3, SilentLoss, f"{said} is taken for valid")
    need(PASSWORD not in result.out + result.err, Finding, "a secret is shown")
    return f"{said}: refused and named, or valid", f"exit {result.code}"


@family("hostile.names", 120, 2, "file names of any bytes, links to anywhere")
def odd_names(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh()
    root = os.fsencode(world.data)
    directories = [root]
    for index in range(random.randint(3, 25)):
        length = random.choice((1, 2, 5, 20, 100, 250, 255))
        name = bytes(random.choice((*range(1, 47), *range(48, 256))) for _turn in range(length))
        if name in (b".", b".."):
            continue
        path = os.path.join(random.choice(directories), name)
        try:
            if index % 7 == 3:
                os.mkdir(path)
                directories.append(path)
            elif index % 7 == 5:
                os.symlink(random.choice((name, b"/etc/passwd", b"..", b"\xff\xfe", b"no such")), path)
            else:
                with open(path, "xb") as file:
                    file.write(random.randbytes(random.choice((0, 1, 511, 512, 513, 5000))))
                os.utime(path, (1_700_000_000, random.randint(0, 2**31)))
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno != 36:  # a path that the system calls too long
                raise
    before = aftermath.Before(world, world.truth())
    result = world.run("backup", "--json-only")
    need(result.code == 0, FalseAlarm, f"exit {result.code}: {result.err[-300:]}{result.out[-300:]}")
    aftermath.disturbed(before, result)
    target = world.directory / "beside"
    subprocess.run(["rm", "-rf", target], check=True)
    world.succeed("restore", "latest", "--json-only", "--to-dir", str(target))
    need(files(target) == before.truth.files, SilentLoss, "what is restored is not what was there")
    subprocess.run(["rm", "-rf", target], check=True)
    return "names of any bytes: round trip by the engine and by tar", f"{len(before.truth.files)} paths"


@family("hostile.dumps", 100, 2, "dumps that are garbage, cut, foreign or edited, in sealed sets whose digests fit")
def hostile_dump(world: World, random: Random, number: int) -> tuple[str, str]:
    world.fresh(database=True)
    target = Sealed([path for path in world.manifests() if path.parent.name == "database"][-1])
    dump = bytearray(target.part("db"))
    what = number % 8
    if what == 0:
        dump, said = bytearray(random.randbytes(5000)), "noise"
    elif what == 1:
        dump, said = dump[: random.randrange(len(dump))], "cut off"
    elif what == 2:
        script = (
            f"CREATE TABLE x (); \\! touch {world.directory}/ran\nCOPY x TO PROGRAM 'touch {world.directory}/ran';\n"
        )
        dump, said = bytearray(script.encode()), "plain SQL with commands"
    elif what == 3:
        connection = [*world.connection, "-d", "postgres"]
        done = subprocess.run(
            [f"{world.server.bindir}/pg_dump", "-Fc", "-Z0", *connection], capture_output=True, check=True
        )
        dump, said = bytearray(done.stdout), "the dump of another database"
    elif what == 4:
        dump, said = bytearray(), "nothing"
    elif what == 5:
        dump, said = (
            bytearray(b"PGDMP" + bytes([1, random.randrange(20), 0, random.choice((4, 8, 255)), 8, 1])) + dump[11:],
            "another header",
        )
    else:
        for _number in range(random.choice((1, 1, 5, 50))):
            dump[random.randrange(len(dump))] = random.randrange(256)
        said = "bytes changed"
    target.reseal("db", gzip.compress(bytes(dump), 1))
    held = world.truth()
    result = world.run("restore", target.id, "--db-only")
    aftermath.words(result)
    need(not Path(world.directory / "ran").exists(), Escape, "the dump ran a command")
    now = world.truth()
    if result.code in (0, 3):
        same = now.database == world.base_truth.database and (result.code == 3 or now.schema == held.schema)
        need(same, SilentLoss, f"{said}: exit {result.code}, but the content is another")
    else:
        need(now == held, SilentLoss, f"{said}: refused, but what was in service has changed")
        beside = [one for one in world.databases() if one != world.name]
        need(not beside, Finding, f"left beside: {beside}")
    world.settled()
    return f"a dump: {said}: refused, or proven", f"exit {result.code}"
