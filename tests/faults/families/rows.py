"""Every way in which dump-and-cron backups are known to lose data, three seeds each.

``ROWS`` maps the failure, as public incident reports name it, to the function that provokes it.
"""

from __future__ import annotations

from random import Random
from typing import Callable

from family import family
from world import World

from families import (
    calls,
    clocks,
    corruption,
    disks,
    drills,
    hostile_archives,
    hostile_inputs,
    kills,
    kills_of_restores,
    row_cases,
    row_cases_of_restores,
    servers,
)

ROWS: dict[str, tuple[Callable, ...]] = {
    "compressor's exit status hides a dead pg_dump": (row_cases.dead_pg_dump,),
    "server down, skipped, success": (servers.down,),
    "session killed mid-dump": (servers.terminated,),
    "pg_dump older than the server": (row_cases.old_pg_dump,),
    "newer client's dump fails on an older server": (row_cases.fitting_client,),
    "lock wait hangs for ever": (servers.blocked_table,),
    "row security filters rows away": (row_cases.row_security,),
    "large objects, second schemas, extensions absent": (drills.sabotaged, row_cases_of_restores.lost_tables),
    "PgBouncer in the path": (row_cases.through_pgbouncer,),
    "special characters in DATABASE_URL": (hostile_inputs.odd_url,),
    "children outlive the parent": (row_cases.killed_while_waiting, kills.kill_at_random, kills.term_at_random),
    "disk full, successfully backed up": (disks.runs_full, disks.foreseen),
    "kill -9 at any instant": (kills.kill_at_call,),
    "read-only file system, no inodes, quota": (disks.turns_read_only, disks.no_inodes, calls.quota),
    "partial set becomes restore candidate": (row_cases.killed_between_artifacts,),
    "a bad file blocks the retry": (kills.kill_at_call, servers.cut),
    "pg_restore --list passes a truncated dump": (corruption.truncated,),
    "bit rot": (corruption.damaged_region,),
    "overlapping runs, stale locks": (row_cases.holder_killed, clocks.twenty_at_once),
    "age pruning after a failure streak deletes the last good one": (row_cases.forty_failed_days,),
    "prune deletes foreign files": (row_cases.foreign_files,),
    "job never ran": (row_cases.never_ran,),
    "cron's PATH, locale, HOME": (row_cases.bare_environment,),
    "logs grow for ever": (row_cases.log_is_rotated,),
    "password in argv, secret in log or mail": (row_cases.argv_has_no_secret,),
    "world-readable dump": (row_cases.open_umask,),
    "file changes or vanishes while tar reads it": (row_cases.file_changes,),
    "names that are not UTF-8": (hostile_inputs.odd_names,),
    "source unreadable or absent, only a warning": (row_cases.source_unreadable,),
    "tar traversal, links, devices, setuid on restore": (hostile_archives.hostile_archive,),
    "hostile dump runs code on restore": (hostile_inputs.hostile_dump,),
    "restore lost tables, success": (row_cases_of_restores.lost_tables, row_cases_of_restores.missing_role),
    "--clean dropped the live database, then failed": (hostile_inputs.hostile_dump, kills_of_restores.kill_restore),
    "live connections at the swap": (row_cases_of_restores.live_connections,),
    "restored onto the wrong server": (row_cases_of_restores.wrong_server,),
    "stale LATEST": (row_cases.stale_latest,),
    "locale or collation differs": (row_cases_of_restores.another_locale,),
    "drill passes with zero rows, alarms on a truly empty database": (row_cases_of_restores.empty_source,),
    "drill reads old tables": (row_cases_of_restores.fresh_scratch,),
    "safety copies pruned with the rest": (row_cases_of_restores.safety_copies,),
    "backups useless without the tool": (row_cases.without_the_tool,),
}
_SEEDS = 3


def _register(number: int, title: str, functions: tuple) -> None:
    @family(f"row.{number:02}", _SEEDS, 1, title)
    def row(world: World, random: Random, seed: int) -> tuple[str, str]:
        expectation, outcome = functions[seed % len(functions)](world, random, seed)
        return f"{title}: {expectation}", outcome


for _number, (_title, _functions) in enumerate(ROWS.items(), 1):
    _register(_number, _title, _functions)
