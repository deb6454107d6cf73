"""What the guide's shell scripts left becomes backups, as far as it is whole."""

from __future__ import annotations

import subprocess

import pytest

OLD = "20250102_020000"
OLDER = "20250101_020000"


@pytest.fixture
def scripts(app):
    """Run the guide's script as of a timestamp: dump, archive of the files, and both packed once more."""

    def run(timestamp: str) -> None:
        for kind in ("full", "database", "json"):
            (app.repository / kind).mkdir(parents=True, exist_ok=True)
        where = ["-h", str(app.server.directory), "-p", str(app.server.port), "-U", "postgres"]
        dump = app.repository / "database" / f"mirai_db_{timestamp}.sql"
        pg_dump = f"{app.server.bindir}/pg_dump"
        subprocess.run([pg_dump, "-Fc", *where, "-f", dump, app.database], check=True)
        subprocess.run(["gzip", dump], check=True)
        files = app.repository / "json" / f"mirai_json_{timestamp}.tar.gz"
        subprocess.run(["tar", "-czf", files, "-C", app.backend, "data"], check=True)
        full = app.repository / "full" / f"mirai_full_{timestamp}.tar.gz"
        subprocess.run(["tar", "-czf", full, "-C", app.repository, "database", "json"], check=True)

    return run


def test_what_the_scripts_left_is_listed_verified_and_restored(app, scripts):
    scripts(OLDER)
    before = app.content()
    scripts(OLD)
    app.succeed("backup")
    listed = app.succeed("list").out
    assert f"no manifest, not counted as a backup: {app.repository}/full/mirai_full_{OLD}.tar.gz" in listed

    adopted = app.succeed("--json", "adopt").document
    ids = app.ids()
    assert adopted["refused"] == {}
    assert [one[-15:] for one in ids[1:]] == [OLD, OLD, OLDER, OLDER]
    assert set(ids[1:]) == {f"mirai_{half}_{time}" for time in (OLD, OLDER) for half in ("json", "db")}
    assert app.succeed("verify", "--all").out.count("pass") == 5

    app.sql("TRUNCATE public.knowledge")
    (app.data / "knowledge.json").unlink()
    app.succeed("restore", f"mirai_json_{OLDER}", "--json-only")
    restored = app.succeed("restore", f"mirai_db_{OLDER}", "--db-only")
    assert app.content() == before
    assert "no fingerprint to prove it by" in restored.out


def test_a_full_archive_alone_gives_its_newest_parts(app, scripts):
    scripts(OLDER)
    scripts(OLD)
    for path in (*app.repository.glob("database/*"), *app.repository.glob("json/*")):
        path.unlink()
    (app.repository / "full" / f"mirai_full_{OLDER}.tar.gz").unlink()
    full = app.repository / "full" / f"mirai_full_{OLD}.tar.gz"
    app.succeed("adopt")
    assert set(app.ids()) == {f"mirai_db_{OLD}", f"mirai_json_{OLD}"}
    assert full.exists()
    assert app.succeed("verify", "--all").out.count("pass") == 2


def test_a_truncated_archive_is_refused_and_left_alone(app, scripts):
    scripts(OLD)
    dump = app.repository / "database" / f"mirai_db_{OLD}.sql.gz"
    files = app.repository / "json" / f"mirai_json_{OLD}.tar.gz"
    (app.repository / "full" / f"mirai_full_{OLD}.tar.gz").unlink()
    for path in (dump, files):
        path.write_bytes(path.read_bytes()[:-200])
    left = app.files()
    result = app.run("adopt")
    assert result.code == 3
    assert str(dump) in result.out
    assert str(files) in result.out
    assert app.files() == left
    assert app.ids() == []


def test_adopted_backups_stand_behind_all_others(app, scripts):
    app.succeed("backup")
    scripts(OLD)
    app.succeed("adopt")
    newest = app.ids()[0]
    assert newest.startswith("mirai_full_")
    assert OLD not in newest
    assert app.succeed("--json", "info").document["backup"]["id"] == newest


def test_a_foreign_file_is_refused(app):
    app.succeed("backup")
    foreign = app.directory / "notes.tar.gz"
    foreign.write_bytes(b"")
    result = app.run("adopt", str(foreign))
    assert result.code == 10
    assert "is no archive of the guide's script" in result.err
