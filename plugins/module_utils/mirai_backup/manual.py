# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What each verb does and an example of it, for ``--help`` and for the manual page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """What a verb does, and examples: a command and a comment each."""

    description: str
    examples: tuple[tuple[str, str], ...]


VERBS = {
    "backup": Entry(
        "Dumps the database, archives the JSON files, and takes the fingerprint of both out of one snapshot, then"
        " seals the result with a manifest: from then on there is a backup, and before there was none. Retention"
        " follows.",
        (
            ("mirai-backup backup", "both halves as one recovery point"),
            ("mirai-backup backup --db-only", "the database alone"),
            ("mirai-backup backup --plan", "look whether it would work, and do nothing"),
        ),
    ),
    "list": Entry(
        "Lists the backups that are there, newest first, with size and age, and what else lies in the repository:"
        " damaged manifests, files without one, states that restores set aside.",
        (
            ("mirai-backup list --kind database", "only backups of the database alone"),
            ("mirai-backup --json list", "the same for programs, with every figure"),
        ),
    ),
    "info": Entry(
        "Says what one backup holds: where it lies, when and from what it was made, its digests, tables and rows.",
        (
            ("mirai-backup info", "of the newest"),
            ("mirai-backup info 20261123_020000", "of the one with this time in its name"),
        ),
    ),
    "verify": Entry(
        "Decodes a backup to its last byte and holds every digest to the manifest. What is damaged is named, with"
        " the place, and the exit code is 2. Nothing is restored; a drill proves more.",
        (
            ("mirai-backup verify", "the newest"),
            ("mirai-backup verify --all", "every one; reads the whole repository"),
        ),
    ),
    "restore": Entry(
        "Restores a backup, all or nothing: both halves are made beside the live ones, proven against the"
        " manifest, and swapped into service by renaming. What was live before is kept, and rollback brings it"
        " back. With --to-database, --to-dir, --table or --file nothing that is live is touched.",
        (
            ("mirai-backup restore latest --plan", "what would change, table by table"),
            ("mirai-backup restore latest", "the newest good backup of both halves"),
            ("mirai-backup restore latest --db-only --to-database look_here", "into another database, to look at"),
            ("mirai-backup restore latest --table auth.users", "one table, into a schema of its own"),
        ),
    ),
    "rollback": Entry(
        "Undoes the last restore: swaps the previous database and files back into service. Can itself be undone.",
        (
            ("mirai-backup rollback --plan", "what would be swapped"),
            ("mirai-backup rollback", "swap it"),
        ),
    ),
    "drill": Entry(
        "Restores a backup into a throwaway server, holds every table and file to the manifest, runs the"
        " operator's assertions, and damages a copy on purpose to see that the damage is found. The application is"
        " not touched. The report lies in drills/ of the repository.",
        (
            ("mirai-backup drill", "the newest backup"),
            ("mirai-backup drill oldest", "can the oldest still be restored?"),
        ),
    ),
    "push": Entry(
        "Ships to every offsite store what it lacks, the newest first, and compares what the store then holds. Each"
        " backup does so by itself; this is for catching up at once.",
        (
            ("mirai-backup push", "everything that a store lacks"),
            ("mirai-backup push latest --store NAME", "the newest, to one store"),
        ),
    ),
    "pull": Entry(
        "Brings a backup from an offsite store into the repository, held to its manifest on the way and sealed here"
        " like one that was made here.",
        (
            ("mirai-backup pull latest", "the newest, from the first store that answers and has it"),
            ("mirai-backup pull 20261123_020000 --store NAME", "this one, from that store"),
        ),
    ),
    "prune": Entry(
        "Deletes the backups that retention lets go, each whole. Every backup run does the same at its end.",
        (("mirai-backup prune --dry-run", "what would go, and why the rest stays"),),
    ),
    "keep": Entry(
        "Pins a backup: retention leaves it alone until it is released.",
        (("mirai-backup keep latest", "before an upgrade of the application"),),
    ),
    "release": Entry(
        "Lets retention decide on a pinned backup again.",
        (("mirai-backup release mirai_full_20261123_020000", "an ID as list shows it"),),
    ),
    "adopt": Entry(
        "Seals what the guide's shell scripts left in the repository, so that it counts as a backup: each archive is"
        " decoded to its last byte and gets a manifest, as far as it is whole. What is not is named and left alone.",
        (
            ("mirai-backup adopt", "everything in the repository that has no manifest"),
            ("mirai-backup adopt backups/json/mirai_json_20261123_020000.tar.gz", "this archive alone"),
        ),
    ),
    "check": Entry(
        "Answers whether a good and recent backup of both halves is there, whether drills are passed in time, and"
        " whether the last run ended well, which alone is a warning. Exit code 0 or, with a problem, 1; with --nagios"
        " that of a monitoring plugin, which is 3 (UNKNOWN) where the configuration cannot be read.",
        (
            ("mirai-backup check --max-age 2d", "allow two days"),
            ("mirai-backup --json check", "for a report of a problem"),
        ),
    ),
    "config": Entry(
        "Checks the configuration key by key, or shows it as it is understood, with secrets masked.",
        (
            ("mirai-backup config validate", "name what is wrong"),
            ("mirai-backup config show", "defaults included"),
        ),
    ),
}

# What may stand for a backup.
BACKUPS = (
    ("latest", "the newest good one that holds what is wanted"),
    ("oldest", "the oldest good one"),
    ("latest-verified", "the newest that a drill has passed"),
    ("mirai_full_20261123_020000", "an ID"),
    ("20261123_020000", "the time in an ID"),
    ("/srv/backups/full/mirai_full_….tar.gz", "a path"),
)


def description(verb: str) -> str:
    """What the verb does, empty where nothing is written about it."""
    return VERBS[verb].description if verb in VERBS else ""


def examples(verb: str) -> str:
    """The examples of a verb in lines of their own, for ``--help``; empty where there are none."""
    if verb not in VERBS:
        return ""
    return "\n".join(["examples:", *(f"  {command}\n      {comment}" for command, comment in VERBS[verb].examples)])
