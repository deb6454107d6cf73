"""Where nobody may create databases, a restore replaces the database within itself: one transaction, and undoable."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time

import pytest
from test_restore import databases, wait_for

CONTENT = """
CREATE DOMAIN public.rank AS int CHECK (VALUE > 0);
CREATE TYPE public.pair AS (a int, b text);
CREATE FUNCTION public.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE AGGREGATE public.total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE MATERIALIZED VIEW auth.names AS SELECT name FROM auth.users;
CREATE EXTENSION pg_trgm;
CREATE INDEX knowledge_trgm ON public.knowledge USING gin (title gin_trgm_ops);
ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT SELECT ON TABLES TO PUBLIC;
"""
DAMAGE = """
DELETE FROM audit.log; UPDATE public.knowledge SET title = 'x' WHERE id = 7; DROP VIEW public.titles;
CREATE SCHEMA "new Schema"; CREATE TABLE "new Schema".t (r public.rank, p public.pair);
CREATE FUNCTION public.fresh(public.rank) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION public.trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON public.knowledge FOR EACH ROW EXECUTE FUNCTION public.trigger();
CREATE EXTENSION citext; SELECT lo_from_bytea(0, 'another');
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;
"""


@pytest.fixture
def app_alone(app):
    """A backed-up application without an administrator, both halves damaged afterwards, and what it held before."""
    app.configure(admin_url=app.url())
    app.sql(CONTENT)
    app.run("backup")
    before = whole(app)
    app.sql(DAMAGE)
    (app.data / "experts.json").unlink()
    return app, before


def whole(app) -> tuple:
    """Rows and files, and the schema as pg_dump prints it, without what differs from run to run."""
    argv = [f"{app.server.bindir}/pg_dump", "-s", "-h", app.server.directory, "-p", str(app.server.port)]
    dumped = subprocess.run([*argv, "-U", "postgres", app.database], capture_output=True, text=True, check=True)
    schema = [one for one in dumped.stdout.splitlines() if not one.startswith(("\\", "--"))]
    objects = app.server.psql("SELECT loid, md5(string_agg(data, '' ORDER BY pageno)) FROM pg_largeobject GROUP BY 1",
                              app.database)  # fmt: skip
    return app.content(), sorted(schema), objects


def test_in_place_brings_everything_back_and_rollback_undoes_it(app_alone):
    app, before = app_alone
    damaged = whole(app)
    plan = app.succeed("restore", "latest", "--plan").out
    assert "in place, one transaction" in plan
    assert f"{app.repository}/.before/" in plan
    assert whole(app) == damaged
    result = app.succeed("--json", "restore", "latest").document
    assert result["strategy"] == "in_place"
    assert result["proof"]["database"]["verdict"] == "pass"
    assert whole(app) == before
    assert databases(app) == [app.database]
    listed = app.succeed("list").out
    assert "previous state" in listed
    assert listed.count("mirai_") == 2, listed  # the backup, and once more as what the previous state came before
    app.succeed("rollback")
    assert whole(app) == damaged
    app.succeed("rollback")
    assert whole(app) == before
    assert app.run("check").code == 0


def test_in_place_is_all_or_nothing(app_alone):
    """A failing smoke test, a foreign object in the way: the old state stays, or comes back."""
    app, before = app_alone
    damaged = whole(app)
    app.configure(restore_smoke=[{"name": "no", "command": ["false"]}], restore_smoke_timeout=0)
    result = app.run("restore", "latest")
    assert result.code == 1
    assert "smoke test no failed" in result.err
    assert whole(app) == damaged
    assert not os.listdir(app.repository / ".before")
    app.configure(restore_smoke=[])
    app.server.psql("CREATE TABLE public.foreign (id int)", app.database)
    result = app.run("restore", "latest")
    assert result.code == 1
    assert "belongs to postgres, which only postgres can replace" in result.err
    app.server.psql("DROP TABLE public.foreign", app.database)
    assert whole(app) == damaged
    app.succeed("restore", "latest")
    assert whole(app) == before


def test_a_row_that_is_missing_is_found_before_the_commit(app_alone):
    app, _before = app_alone
    damaged = whole(app)
    result = app.run("restore", "latest", PYTHONPATH=changed(app, "side.py", "    if lines:\n", "    if True:\n"))
    assert result.code == 2
    assert whole(app) == damaged
    assert not os.listdir(app.repository / ".before")


@pytest.mark.parametrize(
    ("marker", "restored"),
    [
        ("            session.commit()\n", False),
        ("        at_once = _forward(journal, place)\n        window", True),
        ('        swap.services("start", config.app_services)\n        if journal', True),
    ],
)
def test_killed_around_the_commit(app_alone, marker, restored):
    app, before = app_alone
    damaged = whole(app)
    dying = changed(
        app, "exchange.py", marker, "        __import__('os').kill(__import__('os').getpid(), 9)\n" + marker
    )
    if "commit" in marker:
        dying = changed(app, "exchange.py", marker, marker.replace("session.commit()", "os.kill(os.getpid(), 9)"))
    assert app.run("restore", "latest", PYTHONPATH=dying).code == -signal.SIGKILL
    assert "did not end" in app.run("check").out
    out = app.succeed("rollback").out if not restored else app.succeed("restore", "latest").out
    assert "had died" in out
    assert whole(app) == (before if restored else damaged)
    assert len(os.listdir(app.repository / ".before")) == restored
    assert app.run("check").code == 0


def test_killed_at_random_times(app_alone):
    app, before = app_alone
    damaged = whole(app)
    for seconds in (0.4, 1.0, 1.6, 2.2):
        run = app.start("restore", "latest")
        time.sleep(seconds)
        run.send_signal(signal.SIGKILL)
        run.wait()
        wait_for(lambda: app.server.psql(
            f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{app.database}'") == "0")  # fmt: skip
        assert whole(app)[1:] in (before[1:], damaged[1:])
    app.succeed("restore", "latest")
    assert whole(app) == before


def changed(app, name: str, old: str, new: str) -> str:
    """An engine of its own, with one piece of one file changed."""
    directory = app.directory / f"engine-{time.monotonic_ns()}"
    shutil.copytree(app.environment()["PYTHONPATH"], directory)
    path = directory / "mirai_backup" / name
    source = path.read_text()
    assert source.count(old) >= 1, f"{name} has no {old!r}"
    path.write_text(source.replace(old, new, 1))
    return str(directory)
