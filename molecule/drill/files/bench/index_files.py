"""Sabotage of a running drill: an index is corrupted in the files of the server on which the drill restores.

The drill is sent to a scratch database on a server whose files can be reached (``drill_url``). While it takes
the fingerprint, bytes of one index are overwritten on disk.
"""

from __future__ import annotations

import json
import subprocess
import time

import place

# While its fingerprint is taken there is time to get at the files.
SLOW = "CREATE MATERIALIZED VIEW public.slow AS SELECT sum(hashint4(n)) AS h FROM generate_series(1, 9000000) n"
INDEX = "public.people_note"
NAMES = "people_note"
PATIENCE = 60  # seconds
PAGE = 8192
BUSY = (
    "SELECT datname FROM pg_stat_activity"
    " WHERE datname LIKE 'mirai_drill_%' AND state = 'active' AND query LIKE '%9000000%' AND query LIKE '%mirai_row%'"
)


def drill(app: place.Application, backup: str) -> tuple[int, dict]:
    """Run the drill, corrupt the index meanwhile; returns the drill's exit status and document."""
    argv = [*place.COMMAND, "--config", str(app.config), "--json", "drill", backup]
    run = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        corrupt(_database(run))
        printed, complaint = run.communicate(timeout=PATIENCE)
    finally:
        run.kill()
        run.wait()
    if not printed:
        raise RuntimeError(complaint)
    return run.returncode, json.loads(printed)


def corrupt(database: str) -> None:
    """Overwrite a part of every page of the index but its first, and push the pages out of the server's memory."""
    path = place.SERVER / "data" / place.psql(f"CHECKPOINT; SELECT pg_relation_filepath('{INDEX}')", database).strip()
    with open(path, "r+b") as file:
        for start in range(PAGE, path.stat().st_size, PAGE):
            file.seek(start + PAGE // 2)
            file.write(b"\x55" * 64)
    place.psql("SELECT count(*) FROM public.people, pg_catalog.pg_attribute", database)


def _database(run: subprocess.Popen) -> str:
    deadline = time.monotonic() + PATIENCE
    while run.poll() is None and time.monotonic() < deadline:
        found = place.psql(BUSY).split()
        if found:
            return found[0]
        time.sleep(0.02)
    raise RuntimeError("the drill did not come to the fingerprint")
