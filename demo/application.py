"""The application of the demo: made of generated data, looked at closely, and damaged."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
from urllib.parse import quote

from embedded import Server
from stage import APP, BACKEND, CHECKOUT, WORK, run

DATABASE = "mirai_knowledge_db"
OWNER = "mirai"
PASSWORD = "p@ss/w:rd #1 %41$HOME"  # characters that trip a shell and a careless URL parser
DATA = BACKEND / "data"
EVIDENCE = CHECKOUT / "demo" / "evidence.sql"
GENERATOR = CHECKOUT / "tests" / "fixtures" / "generate.py"


def create(server: Server) -> None:
    """Generate the application's folder and load its database."""
    BACKEND.mkdir(parents=True)
    sql = WORK / "application.sql"
    run(
        sys.executable,
        str(GENERATOR),
        "--seed",
        "7",
        "--scale",
        "small",
        "--sql",
        str(sql),
        "--data-dir",
        str(DATA),
    )
    quoted = PASSWORD.replace("'", "''")
    server.psql("-c", f"CREATE ROLE {OWNER} LOGIN PASSWORD '{quoted}'")
    server.psql("-c", f"CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE template0")
    server.psql("-c", f"ALTER DATABASE {DATABASE} SET timezone = 'Asia/Tokyo'")
    server.psql("-c", f"COMMENT ON DATABASE {DATABASE} IS 'Mirai Knowledge System'")
    server.psql("-c", f"REVOKE CONNECT ON DATABASE {DATABASE} FROM PUBLIC")
    server.psql("-f", str(sql), database=DATABASE, user=OWNER, password=PASSWORD)
    sql.unlink()
    env = BACKEND / ".env"
    env.touch(mode=0o600)
    login = f"{OWNER}:{quote(PASSWORD, safe='')}"
    env.write_text(
        "# Mirai Knowledge System\n"
        "MKS_ENV=production\n"
        f'DATABASE_URL="postgresql://{login}@127.0.0.1:{server.port}/{DATABASE}"\n'
        "MKS_LOG_FORMAT='%(asctime)s %(message)s'\n",
        encoding="utf-8",
    )


def rows(server: Server) -> dict[str, str]:
    """Table → "N rows, digest of their text"; and what else makes up a database, name → definition."""

    def ask(*arguments: str) -> list[str]:
        return server.psql(*arguments, database=DATABASE).splitlines()

    tables = ask(
        "-c",
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    counted = " UNION ALL ".join(
        f"SELECT $${table}$$ || '=' || count(*) || ' rows, '"
        f" || coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), 'none') FROM {table} t"
        for table in tables
    )
    return dict(line.split("=", 1) for line in [*ask("-c", counted), *ask("-f", str(EVIDENCE))])


def files() -> dict[str, str]:
    """Path below the data directory → kind, mode, time and content of what is there."""
    found = {}
    for path in [DATA, *sorted(DATA.rglob("*"))]:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            content = f"link to {os.readlink(path)}"
        elif stat.S_ISDIR(status.st_mode):
            content = "directory"
        else:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        mode = stat.filemode(status.st_mode)
        found[str(path.relative_to(DATA))] = f"{mode} {int(status.st_mtime)} {content}"
    return found


def damage(server: Server) -> list[str]:
    """Hurt both halves the way accidents do. Returns what was done, in words."""
    for statement in (
        "DELETE FROM public.approvals",
        "TRUNCATE audit.access_logs",
        "UPDATE public.knowledge SET title = 'asdf', content = NULL",
        "SELECT lo_unlink(body) FROM public.attachments WHERE body IS NOT NULL",
        'DROP TABLE public."作業日報"',
    ):
        server.psql("-c", statement, database=DATABASE, user=OWNER, password=PASSWORD)
    (DATA / "knowledge_details.json").unlink()
    shutil.rmtree(DATA / "templates")
    (DATA / "experts.json").write_text("[{", encoding="utf-8")
    (DATA / "settings.json").chmod(0o666)
    return [
        "database: all approvals deleted, the access log truncated, every knowledge title overwritten,",
        "          a large object removed, the table 作業日報 dropped",
        "files:    knowledge_details.json and templates/ deleted, experts.json torn,",
        "          settings.json opened to everybody",
    ]


def remove() -> None:
    """Take away what an earlier run made; the venv and the caches stay."""
    for path in (APP, WORK / "prefix", WORK / "ansible", WORK / "tmp"):
        if path.exists():
            shutil.rmtree(path)
    for path in (WORK / "tmp", WORK / "ansible"):
        path.mkdir()
