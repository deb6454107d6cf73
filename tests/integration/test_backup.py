"""What a backup is: sealed, private, complete, and readable with the guide's own commands."""

from __future__ import annotations

import json
import os
import stat
import subprocess

from application import PASSWORD


def shell(command: str, directory) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_kind_lies_where_the_guide_says(app):
    app.succeed("backup")
    app.succeed("backup", "--db-only")
    app.succeed("backup", "--json-only")
    names = sorted(str(path.relative_to(app.repository)) for path in app.files())
    stems = [name.split("_2")[0] for name in names if not name.endswith(".manifest.json")]
    assert stems == ["database/mirai_db", "database/mirai_globals", "full/mirai_full", "json/mirai_json"]
    assert app.succeed("verify", "--all").out.count("pass") == 3


def test_everything_is_private_under_an_open_umask(app):
    subprocess.run(["bash", "-c", 'umask 000; exec "$@"', "-", *app.argv("backup")], env=app.environment(), check=True)
    for path in app.repository.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.lstat().st_mode) == wanted, path


def test_the_guides_commands_work_on_a_full_archive(app, server):
    app.succeed("backup")
    target = app.directory / "by hand"
    target.mkdir()
    shell(f"tar -xzf {app.repository}/full/mirai_full_*.tar.gz -C '{target}'", app.directory)
    shell("gunzip database/mirai_db_*.sql.gz", target)
    shell("tar -xzf json/mirai_json_*.tar.gz -C .", target)
    assert (target / "data" / "knowledge.json").read_bytes() == (app.data / "knowledge.json").read_bytes()
    assert (target / "data" / "latest.json").is_symlink()
    server.psql(f'CREATE DATABASE "{app.database} by hand"')
    shell(
        f"{server.bindir}/pg_restore --exit-on-error -h {server.directory} -p {server.port} -U postgres"
        f" -d '{app.database} by hand' database/mirai_db_*.sql",
        target,
    )
    assert server.psql("SELECT count(*) FROM knowledge", f"{app.database} by hand") == "400"


def test_a_full_archive_carries_no_history(app):
    sizes = []
    for _number in range(4):
        app.succeed("backup")
        sizes.append(app.succeed("--json", "list").document["backups"][0]["size"])
    assert max(sizes) - min(sizes) < 2000


def test_json_mode_equals_the_record_and_the_manifest(app):
    document = app.succeed("--json", "backup").document
    backup = document["backup"]
    manifest = json.loads(open(backup["path"] + ".manifest.json", "rb").read())
    record = json.loads((app.repository / "backup_metadata.log").read_text().splitlines()[-1])
    assert manifest["id"] == backup["id"] == record["id"]
    assert manifest["artifacts"][0]["sha256"] == backup["sha256"]
    assert record["result"] == "ok"
    assert backup["id"] in (app.repository / "LATEST_BACKUP.txt").read_text()


def test_the_snapshot_and_the_dump_hold_the_same_while_rows_pour_in(app, server):
    writer = subprocess.Popen(
        [
            f"{server.bindir}/psql",
            "-Xq",
            "-h",
            server.directory,
            "-p",
            str(server.port),
            "-U",
            "postgres",
            "-d",
            app.database,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    writer.stdin.write(b"INSERT INTO audit.log SELECT now(), 'x' FROM generate_series(1, 50);\n" * 4000)
    writer.stdin.close()
    try:
        app.succeed("backup", "--db-only")
    finally:
        writer.kill()
        writer.wait()
    app.succeed("restore", "latest", "--db-only", "--to-database", f"{app.database} copy")


def test_secrets_appear_nowhere(app):
    app.succeed("backup")
    app.succeed("config", "show")
    app.write_env(app.url(password="wrong" + PASSWORD))
    failed = app.run("backup")
    texts = [failed.out, failed.err, app.log.read_text(), (app.repository / "backup_metadata.log").read_text()]
    texts += [path.read_text() for path in app.repository.rglob("*.manifest.json")]
    assert not any(PASSWORD in text or "w%3Ard" in text for text in texts)


def test_unreadable_json_is_named_and_kept(app):
    (app.data / "torn.json").write_text('[{"id": 1')
    result = app.succeed("--json", "backup")
    assert any("torn.json" in one for one in result.document["warnings"])
    assert "torn.json" in app.succeed("check").out


def test_json_that_changed_without_a_trace_is_found_torn(app):
    """The backup before found it whole; its size and time are as they were."""
    whole = {"small.json": b"[1]", "large.json": b"[" + b" " * (2 << 20) + b"]"}
    for ending, said in ((b"]", 0), (b"]", 0), (b"}", 2)):
        for name, content in whole.items():
            (app.data / name).write_bytes(content[:-1] + ending)
            os.utime(app.data / name, (1, 1))
        warnings = app.succeed("--json", "backup").document["warnings"]
        assert sum("is not valid JSON, a torn write?" in one for one in warnings) == said
    assert app.succeed("verify", "--all").out.count("pass") == 3


def test_zlib_alone_and_zstd_make_whole_backups_too(app):
    for compression in ("zlib", "gzip", "pigz", "zstd"):
        app.configure(compression=compression)
        app.succeed("backup")
        assert app.succeed("verify", "latest").out.strip().endswith("pass"), compression
    app.succeed("restore", "latest")


def test_a_dump_keeps_the_encoding_of_its_database(app, server):
    """A database that is not UTF-8 is dumped as it is, and what it holds is proven all the same."""
    name = f"{app.database} eucjp"
    server.psql(f"CREATE DATABASE \"{name}\" OWNER \"{app.database}\" TEMPLATE template0 ENCODING 'EUC_JP' LOCALE 'C'")
    server.psql("CREATE TABLE 日本 (題 text); INSERT INTO 日本 VALUES ('橋梁 点検')", name)
    server.psql(f'ALTER TABLE 日本 OWNER TO "{app.database}"', name)
    app.write_env(app.url().rpartition("/")[0] + "/" + name.replace(" ", "%20"))
    app.succeed("backup", "--db-only")
    app.succeed("restore", "latest", "--db-only", "--to-database", f"{name} copy")
    assert server.psql("SELECT * FROM 日本", f"{name} copy") == server.psql("SELECT * FROM 日本", name)


def test_truncate_during_a_backup_changes_neither_dump_nor_fingerprint(app, server):
    """TRUNCATE ignores snapshots; it has to wait until the backup has seen the table."""
    argv = [f"{server.bindir}/psql", "-Xq", "-h", server.directory, "-p", str(server.port), "-U", "postgres"]
    command = "TRUNCATE audit.log; INSERT INTO audit.log SELECT now(), 'x' FROM generate_series(1, 900)"
    for _number in range(5):
        intruder = subprocess.Popen([*map(str, argv), "-d", app.database, "-c", command])
        result = app.run("backup", "--db-only")
        intruder.wait()
        assert result.code == 0, result.err
        app.succeed("restore", "latest", "--db-only", "--to-database", f"{app.database} {_number}")
