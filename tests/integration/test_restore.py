"""A restore is all or nothing, proven, and can be undone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from test_failures import blocking, wait_for


@pytest.fixture
def damaged(app):
    """A backed-up application whose both halves were damaged afterwards, and what it held before."""
    app.succeed("backup")
    before = app.content()
    app.sql("DELETE FROM audit.log; UPDATE public.knowledge SET title = 'x' WHERE id = 7; DROP VIEW public.titles")
    (app.data / "experts.json").unlink()
    (app.data / "knowledge.json").write_text("[]")
    (app.data / "new.json").write_text("[]")
    return app, before


def test_restore_brings_both_halves_back_and_rollback_undoes_it(damaged):
    app, before = damaged
    after_damage = app.content()
    result = app.succeed("--json", "restore", "latest").document
    assert app.content() == before
    assert result["proof"]["database"]["verdict"] == result["proof"]["json"]["verdict"] == "pass"
    assert "previous state" in app.succeed("list").out
    app.succeed("rollback")
    assert app.content() == after_damage
    app.succeed("rollback")
    assert app.content() == before
    assert app.run("restore", "latest", "--plan").code == 0


def test_the_plan_says_what_would_change_and_changes_nothing(damaged):
    app, _before = damaged
    now = app.content()
    result = app.succeed("restore", "latest", "--plan")
    assert "audit.log: 0 rows now, 900 in the backup" in result.out
    for words in ("added: data/experts.json", "changed: data/knowledge.json", "removed: data/new.json"):
        assert words in result.out
    assert app.content() == now
    assert not (app.repository / ".restore").exists()


@pytest.mark.parametrize(("kind", "flag"), [("database", "--db-only"), ("json", "--json-only")])
def test_each_half_alone(app, kind, flag):
    app.succeed("backup", flag)
    rows, files = app.content()
    app.sql("DELETE FROM audit.log")
    (app.data / "experts.json").unlink()
    app.succeed("restore", "latest", flag)
    now_rows, now_files = app.content()
    assert (now_rows == rows) is (kind == "database")
    assert (now_files == files) is (kind == "json")
    assert app.run("restore", "latest").code == 10  # neither holds both halves


def test_beside_touches_nothing_in_service(damaged):
    app, before = damaged
    now = app.content()
    copy, directory = f"{app.database} copy", app.directory / "copy"
    app.succeed("restore", "latest", "--to-database", copy, "--to-dir", str(directory))
    assert app.content() == now
    assert app.server.psql("SELECT count(*) FROM audit.log", copy) == "900"
    assert (directory / "experts.json").read_bytes() == before[1]["experts.json"]
    assert app.run("restore", "latest", "--to-database", copy).code == 64
    assert app.run("restore", "latest", "--to-dir", str(directory)).code == 64


def test_a_damaged_backup_is_refused_before_anything_is_touched(damaged):
    app, _before = damaged
    now = app.content()
    artifact = next((app.repository / "full").glob("*.tar.gz"))
    content = bytearray(artifact.read_bytes())
    content[len(content) // 2] ^= 1
    artifact.write_bytes(content)
    result = app.run("restore", "latest")
    assert result.code == 2
    assert artifact.name in result.err
    assert app.content() == now
    assert databases(app) == [app.database]


def test_missing_roles_come_back_out_of_the_globals(app):
    """As they were, password and memberships included; roles that are there stay as they are."""
    reader, group = f"{app.database} reader", f'{app.database} "group"'
    quoted = group.replace('"', '""')
    app.server.psql(f'CREATE ROLE "{quoted}"; CREATE ROLE "{reader}" LOGIN PASSWORD \'geheim\' CONNECTION LIMIT 7')
    app.server.psql(f'GRANT "{quoted}" TO "{reader}"; GRANT SELECT ON auth.users TO "{quoted}"', app.database)
    app.sql(f'GRANT SELECT ON audit.log TO "{reader}"')
    facts = (
        f"SELECT rolname, rolcanlogin, rolconnlimit, rolpassword FROM pg_authid WHERE rolname LIKE '{app.database} %'"
    )
    members = "SELECT roleid::regrole, member::regrole FROM pg_auth_members ORDER BY 1, 2"
    before = app.server.psql(facts + " ORDER BY 1"), app.server.psql(members)
    app.succeed("backup")
    for name in (reader, quoted):
        app.server.psql(f'DROP OWNED BY "{name}"', app.database)
        app.server.psql(f'DROP ROLE "{name}"')
    assert f"creates    role {reader}" in app.succeed("restore", "latest", "--plan").out
    assert f"role {reader} was created" in app.succeed("restore", "latest").out
    assert (app.server.psql(facts + " ORDER BY 1"), app.server.psql(members)) == before
    app.server.psql(f'DROP OWNED BY "{reader}"; DROP OWNED BY "{quoted}"', app.database)
    for name in app.server.psql(
        f"SELECT datname FROM pg_database WHERE datname LIKE '{app.database}_before%'"
    ).splitlines():
        app.server.psql(f'DROP DATABASE "{name}"')
    app.server.psql(f'DROP ROLE "{reader}"; DROP ROLE "{quoted}"')


@pytest.mark.parametrize(
    "smoke",
    [
        {"name": "log is long", "sql": "SELECT count(*) FROM audit.log", "expect": ">= 901"},
        {"name": "application answers", "command": ["false"]},
        {"name": "application answers", "command": ["no-such-program"]},
    ],
)
def test_a_failing_smoke_test_brings_the_old_state_back(damaged, smoke):
    app, before = damaged
    now = app.content()
    app.configure(restore_smoke=[smoke], restore_smoke_timeout=1)
    result = app.run("restore", "latest")
    assert result.code == 1
    assert f"smoke test {smoke['name']} failed" in result.err
    assert app.content() == now
    assert databases(app) == [app.database]
    assert app.succeed("check").code == 0
    app.configure(restore_smoke=[{"name": "rows", "sql": "SELECT count(*) FROM audit.log", "expect": "900"}])
    app.succeed("restore", "latest")
    assert app.content() == before


def test_a_backup_of_another_application_needs_words(app):
    app.succeed("backup")
    app.configure(application="Another")
    result = app.run("restore", "latest")
    assert result.code == 1
    confirm = f"{app.ids()[0]}@{os.uname().nodename}"
    assert f"--confirm {confirm}" in result.err
    app.succeed("restore", "latest", "--confirm", confirm)


def test_settings_comment_and_grants_of_the_database_come_back(app):
    app.server.psql(
        f'ALTER DATABASE "{app.database}" SET search_path TO public, auth, "odd name";'
        f"ALTER DATABASE \"{app.database}\" SET work_mem TO '8MB';"
        f"COMMENT ON DATABASE \"{app.database}\" IS 'ours; ''x''';"
        f'REVOKE ALL ON DATABASE "{app.database}" FROM PUBLIC; ALTER DATABASE "{app.database}" CONNECTION LIMIT 50'
    )
    facts = (
        "SELECT d.datacl, d.datconnlimit, shobj_description(d.oid, 'pg_database'), s.setconfig FROM pg_database d"
        f" JOIN pg_db_role_setting s ON s.setdatabase = d.oid WHERE datname = '{app.database}'"
    )
    before = app.server.psql(facts)
    app.succeed("backup")
    app.succeed("restore", "latest")
    assert app.server.psql(facts) == before


def test_live_connections_do_not_stop_the_swap(damaged):
    app, before = damaged
    stop = time.monotonic() + 12
    script = 'while true; do "$0" "$@" -c "SELECT pg_sleep(0.01)" >/dev/null 2>&1 || sleep 0.01; done'
    psql = [
        f"{app.server.bindir}/psql",
        "-Xq",
        "-h",
        app.server.directory,
        "-p",
        str(app.server.port),
        "-U",
        "postgres",
    ]
    crowd = [subprocess.Popen(["bash", "-c", script, *map(str, psql), "-d", app.database]) for _number in range(3)]
    try:
        app.succeed("restore", "latest")
    finally:
        for one in crowd:
            one.kill()
            one.wait()
    assert time.monotonic() < stop + 30
    assert app.content() == before


def test_two_restores_at_once(damaged):
    app, before = damaged
    first, second = app.start("restore", "latest"), app.start("restore", "latest")
    codes = sorted(one.wait(60) for one in (first, second))
    assert codes in ([0, 0], [0, 11])
    assert app.content() == before


@pytest.mark.parametrize("seconds", [0.2, 0.5, 0.8, 1.1, 1.4, 1.7, 2.0])
def test_killed_at_any_instant_the_old_or_the_new_state_is_whole(damaged, seconds):
    app, before = damaged
    after_damage = app.content()
    run = app.start("restore", "latest")
    time.sleep(seconds)
    run.send_signal(signal.SIGKILL)
    run.wait()
    # The two halves are swapped one after the other: between the two, and only there, check says so.
    assert app.content() in (before, after_damage) or "a restore did not end" in app.run("check").out
    app.succeed("restore", "latest")
    assert app.content() == before
    assert len(databases(app)) <= 3  # the live one, and the states before
    assert not list(app.backend.glob("data_restore_*"))


def test_killed_between_the_two_swaps_the_next_call_finishes(damaged):
    app, before = damaged
    now = app.content()
    hidden = app.directory / "engine"
    shutil.copytree(app.environment()["PYTHONPATH"], hidden)
    swap = hidden / "mirai_backup" / "swap.py"
    source = swap.read_text()
    for marker in ("    at_once = bool(staged)", "        os.rename(side, previous)\n    else"):
        dying = marker[: len(marker) - len(marker.lstrip())] + "os.kill(os.getpid(), 9)\n"
        swap.write_text(source.replace(marker, dying + marker, 1))
        assert app.run("restore", "latest", PYTHONPATH=str(hidden)).code == -9
        assert app.content()[1] in (before[1], now[1])
        assert "a restore did not end" in app.run("check").out
        assert "died while swapping: it is finished now" in app.succeed("restore", "latest").out
        assert app.content() == before


def test_postgresql_dies_during_the_restore(damaged):
    app, _before = damaged
    now = app.content()
    run = app.start("restore", "latest")
    wait_for(lambda: len(databases(app)) > 1)
    app.server.stop()
    assert run.wait(60) == 1
    app.server.start()
    assert app.content() == now
    app.succeed("restore", "latest")


def test_a_lost_row_in_the_restored_database_is_found(damaged):
    """The fingerprint in the manifest decides, not the dump: here the manifest says one row more."""
    app, _before = damaged
    now = app.content()
    path = next((app.repository / "full").glob("*.manifest.json"))
    hidden = app.directory / "engine"
    shutil.copytree(app.environment()["PYTHONPATH"], hidden)
    program = (
        "import sys, dataclasses; from mirai_backup import manifest\n"
        "head = manifest.read(sys.argv[1]); entries = list(manifest.read_entries(sys.argv[1], head))\n"
        "head.database['fingerprint']['tables']['audit.log']['rows'] += 1\n"
        "manifest.write(sys.argv[1], head, entries)"
    )
    subprocess.run(["python3", "-c", program, str(path)], env=app.environment(), check=True)
    result = app.run("restore", "latest")
    assert result.code == 2
    assert "table audit.log has 900 rows instead of 901" in result.err
    assert app.content() == now
    assert databases(app) == [app.database]


def test_an_edited_manifest_is_seen(damaged):
    app, _before = damaged
    path = next((app.repository / "full").glob("*.manifest.json"))
    values = json.loads(path.read_text())
    values["database"]["fingerprint"]["tables"]["audit.log"]["rows"] += 1
    path.write_text(path.read_text().replace('"rows": 900', '"rows": 901', 1))
    result = app.run("restore", "latest")
    assert result.code == 10
    assert "edited or damaged" in app.run("list").out


def test_keep_previous_lets_the_oldest_go(app):
    app.configure(keep_previous=2)
    app.succeed("backup")
    for _number in range(4):
        app.succeed("restore", "latest")
    assert len(databases(app)) == 3
    assert len(list(app.backend.glob("data_before_*"))) == 2


def test_a_locked_out_restore_says_so(app):
    app.succeed("backup")
    blocker = blocking(app, "public.knowledge")
    first = app.start("backup")
    wait_for(lambda: "backup" in (app.repository / ".lock").read_text() and os.listdir(app.repository / ".staging"))
    assert app.run("restore", "latest").code == 11
    first.terminate()
    first.wait()
    blocker.kill()
    blocker.wait()


def test_a_locked_live_table_does_not_hold_up_a_restore(damaged):
    app, before = damaged
    blocker = blocking(app, "public.knowledge")
    assert "could not be counted" in app.succeed("restore", "latest", "--plan").out
    app.succeed("restore", "latest")
    blocker.kill()
    blocker.wait()
    assert app.content() == before


def databases(app) -> list:
    """The application's databases and what lies beside."""
    return app.server.psql(f"SELECT datname FROM pg_database WHERE datname LIKE '{app.database}%'").splitlines()
