"""Every way in which dump-and-cron backups are known to lose data, three seeds each.

``ROWS`` maps the failure, as public incident reports name it, to the function that provokes it.
"""

from __future__ import annotations

from random import Random
from typing import Callable

from family import FAMILIES, family
from world import World

from families import (
    alerts,
    calls,
    clocks,
    corruption,
    disks,
    drills,
    encrypted_keys,
    hostile_archives,
    hostile_inputs,
    kills,
    kills_of_restores,
    rows_of_copies,
    rows_of_database,
    rows_of_files,
    rows_of_restores,
    rows_of_runs,
    servers,
)

ROWS: dict[str, tuple[Callable, ...]] = {
    "compressor's exit status hides a dead pg_dump": (rows_of_database.dead_pg_dump,),
    "server down, skipped, success": (servers.down,),
    "session killed mid-dump": (servers.terminated,),
    "pg_dump older than the server": (rows_of_database.old_pg_dump,),
    "newer client's dump fails on an older server": (rows_of_database.fitting_client,),
    "lock wait hangs for ever": (servers.blocked_table,),
    "row security filters rows away": (rows_of_database.row_security,),
    "large objects, second schemas, extensions absent": (drills.sabotaged, rows_of_restores.lost_tables),
    "PgBouncer in the path": (rows_of_database.through_pgbouncer,),
    "special characters in DATABASE_URL": (hostile_inputs.odd_url,),
    "children outlive the parent": (rows_of_runs.killed_while_waiting, kills.kill_at_random, kills.term_at_random),
    "disk full, successfully backed up": (disks.runs_full, disks.foreseen),
    "kill -9 at any instant": (kills.kill_at_call,),
    "read-only file system, no inodes, quota": (disks.turns_read_only, disks.no_inodes, calls.quota),
    "partial set becomes restore candidate": (rows_of_runs.killed_between_artifacts,),
    "a bad file blocks the retry": (kills.kill_at_call, servers.cut),
    "pg_restore --list passes a truncated dump": (corruption.truncated,),
    "bit rot": (corruption.damaged_region,),
    "overlapping runs, stale locks": (rows_of_runs.holder_killed, clocks.twenty_at_once),
    "age pruning after a failure streak deletes the last good one": (rows_of_runs.forty_failed_days,),
    "prune deletes foreign files": (rows_of_runs.foreign_files,),
    "job never ran": (rows_of_runs.never_ran, alerts.heartbeat),
    "cron's PATH, locale, HOME": (rows_of_runs.bare_environment,),
    "logs grow for ever": (rows_of_runs.log_is_rotated,),
    "password in argv, secret in log or mail": (rows_of_files.argv_has_no_secret,),
    "world-readable dump": (rows_of_files.open_umask,),
    "file changes or vanishes while tar reads it": (rows_of_files.file_changes,),
    "names that are not UTF-8": (hostile_inputs.odd_names,),
    "source unreadable or absent, only a warning": (rows_of_files.source_unreadable,),
    "tar traversal, links, devices, setuid on restore": (hostile_archives.hostile_archive,),
    "hostile dump runs code on restore": (hostile_inputs.hostile_dump,),
    "restore lost tables, success": (rows_of_restores.lost_tables, rows_of_restores.missing_role),
    "--clean dropped the live database, then failed": (hostile_inputs.hostile_dump, kills_of_restores.kill_restore),
    "live connections at the swap": (rows_of_restores.live_connections,),
    "restored onto the wrong server": (rows_of_restores.wrong_server,),
    "stale LATEST": (rows_of_runs.stale_latest,),
    "locale or collation differs": (rows_of_restores.another_locale,),
    "drill passes with zero rows, alarms on a truly empty database": (rows_of_restores.empty_source,),
    "drill reads old tables": (rows_of_restores.fresh_scratch,),
    "safety copies pruned with the rest": (rows_of_restores.safety_copies,),
    "backups useless without the tool": (rows_of_files.without_the_tool,),
    "remote never pruned, or pruned blindly": (rows_of_copies.remote_pruned,),
    "alert mail rejected, one channel down stops the others": (alerts.channels,),
    "S3 answers 200 with an error, or short": (rows_of_copies.s3_lies,),
    "SFTP partial under the final name": (rows_of_copies.sftp_cut,),
    "key expired, untrusted, missing": (encrypted_keys.unfit_keys, rows_of_copies.expires_soon),
    "private key lost or wrong": (encrypted_keys.access,),
}
_SEEDS = 3


def _register(number: int, title: str, functions: tuple) -> None:
    # What is a family of its own has its cases in the quick run already.
    quick = int(functions[0] not in {one.run for one in FAMILIES.values()})

    @family(f"row.{number:02}", _SEEDS, quick, title)
    def row(world: World, random: Random, seed: int) -> tuple[str, str]:
        expectation, outcome = functions[seed % len(functions)](world, random, seed)
        return f"{title}: {expectation}", outcome


for _number, (_title, _functions) in enumerate(ROWS.items(), 1):
    _register(_number, _title, _functions)
