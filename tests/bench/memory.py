"""Peak memory of the engine's own process at several sizes, and the ratio of a backup to bare pg_dump.

    python3 tests/bench/memory.py [--sizes 20M,200M,2G] [--files 1000] [--repeat 3]

Makes its own PostgreSQL and its own data. Memory is what the kernel says of the engine's process (VmHWM); its
children (pg_dump, the compressor, psql) are not counted. Ratios are medians of pairs taken in turn in this one run.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "fixtures")]

import generate
from application import Application
from server import Server

VERBS = (
    ("backup",),
    ("backup", "--db-only"),
    ("backup", "--json-only"),
    ("verify", "--all"),
    ("restore", "latest"),
)
UNITS = {"k": 10**3, "M": 10**6, "G": 10**9}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="20M,200M,2G", help="of the SQL that is loaded (default: %(default)s)")
    parser.add_argument("--files", type=int, default=1000, help="JSON files (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="pairs for the ratio (default: %(default)s)")
    options = parser.parse_args()
    print(f"{'size':>6}  {'verb':<20} {'engine, peak MiB':>17}")
    with tempfile.TemporaryDirectory(prefix="mirai-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        server = Server(directory / "pg").create()
        try:
            for number, size in enumerate(options.sizes.split(",")):
                app = application(directory / size, server, f"bench{number}", size, options.files)
                for verb in VERBS:
                    print(f"{size:>6}  {' '.join(verb):<20} {peak(app, *verb):>17.1f}", flush=True)
                print(f"{size:>6}  backup --db-only / pg_dump: {ratio(app, options.repeat)}", flush=True)
                drop(app)
        finally:
            server.remove()


def application(directory: Path, server: Server, name: str, size: str, files: int) -> Application:
    """An application with about ``size`` of SQL and ``files`` JSON files."""
    directory.mkdir()
    app = Application(directory, server, name).create()
    app.server.psql(f'DROP OWNED BY "{name}" CASCADE; CREATE SCHEMA IF NOT EXISTS public', name)
    sql = directory / "data.sql"
    count = int(size[:-1]) * UNITS[size[-1]]
    generate.write_sql(sql, 7, count)
    psql = [
        f"{server.bindir}/psql",
        "-Xq",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        str(server.directory),
        "-p",
        str(server.port),
    ]
    subprocess.run([*psql, "-U", "postgres", "-d", name, "-f", str(sql)], check=True, stdout=subprocess.DEVNULL)
    sql.unlink()
    app.write_env(server.admin_url.replace("/postgres?", f"/{name}?"))
    for number in range(files):
        (app.data / f"f{number}.json").write_text(f'{{"id": {number}, "text": "{"橋" * 200}"}}')
    return app


def peak(app: Application, *verb: str) -> float:
    """The highest resident memory of the engine's process in MiB; the verb must succeed."""
    process = subprocess.Popen(app.argv(*verb), env=app.environment(), stdout=subprocess.DEVNULL)
    highest = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except FileNotFoundError:
            break
        highest = max([highest, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))])
        time.sleep(0.01)
    if process.wait():
        raise SystemExit(f"{' '.join(verb)} ended with exit code {process.returncode}")
    return highest / 1024


def ratio(app: Application, repeat: int) -> str:
    """The median of ``repeat`` ratios, each of a pair taken in turn, with the spread."""
    floor = [f"{app.server.bindir}/pg_dump", "-Fc", "-Z0", "-h", str(app.server.directory), "-p", str(app.server.port)]
    floor += ["-U", "postgres", app.database]
    ratios = []
    for _number in range(repeat):
        ours = seconds(app.argv("backup", "--db-only"), app.environment())
        ratios.append(ours / seconds(floor, None))
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def seconds(argv: list, environment: "dict | None") -> float:
    """How long a command takes; it must succeed."""
    begun = time.monotonic()
    subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begun


def drop(app: Application) -> None:
    """Give the space back."""
    names = app.server.psql(f"SELECT datname FROM pg_database WHERE datname LIKE '{app.database}%'").splitlines()
    for name in names:
        app.server.psql(f'DROP DATABASE "{name}" WITH (FORCE)')
    subprocess.run(["rm", "-rf", str(app.directory)], check=True)


if __name__ == "__main__":
    main()
