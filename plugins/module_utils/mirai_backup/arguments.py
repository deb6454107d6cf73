# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command line: verbs and options, and nothing of what they do."""

from __future__ import annotations

import argparse
import os
import re
import textwrap

from . import __version__, manual

_BACKUP = "latest, oldest, latest-verified, an ID such as mirai_full_20261123_020000, a timestamp, or a path"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parser(default_config: str) -> argparse.ArgumentParser:
    """The parser of ``mirai-backup``."""
    root = argparse.ArgumentParser(
        prog="mirai-backup",
        description="Backs up a PostgreSQL database and a directory of JSON files, and proves what it restores.",
        epilog="Exit codes: 0 ok, 1 failed, 2 content mismatch, 3 done but incomplete, 4 could not verify, "
        "10 no such backup or repository, 11 locked, 12 cannot decrypt, 64 usage or configuration, 130 interrupted.",
    )
    root.add_argument("--config", default=default_config, metavar="FILE", help="configuration (default: %(default)s)")
    root.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    root.add_argument("--quiet", action="store_true", help="print nothing but errors")
    root.add_argument("--traceback", action="store_true", help="show where an error came from")
    root.add_argument("--version", action="version", version=f"mirai-backup {__version__}")
    verbs = root.add_subparsers(dest="verb", metavar="VERB", required=True)

    verb = verbs.add_parser("backup", help="make a backup of both halves, or of one")
    _halves(verb)
    verb.add_argument("--plan", action="store_true", help="only say what would be done")
    verb.add_argument(
        "--wait", type=age, default=0, metavar="TIME", help="wait this long for another run to end (default: 0s)"
    )

    verb = verbs.add_parser("list", help="list the backups, newest first")
    verb.add_argument("--kind", choices=("full", "database", "json"))
    _offsite(verb, "list what the stores hold")

    _named(verbs.add_parser("info", help="say everything about one backup"))

    verb = verbs.add_parser("verify", help="decode a backup whole and hold it to its manifest")
    choice = verb.add_mutually_exclusive_group()
    choice.add_argument("backup", nargs="?", default="latest", metavar="BACKUP", help=_BACKUP)
    choice.add_argument("--all", action="store_true", help="verify every backup")
    _access(verb)
    _offsite(verb, "read it back from every store")

    verb = verbs.add_parser("restore", help="restore a backup, all or nothing")
    verb.add_argument("backup", metavar="BACKUP", help=_BACKUP)
    _halves(verb)
    verb.add_argument("--plan", action="store_true", help="only say what would be done")
    verb.add_argument("--to-database", default="", metavar="NAME", help="restore the database under another name")
    verb.add_argument("--to-dir", default="", metavar="DIR", help="restore the files into another, new directory")
    verb.add_argument(
        "--table",
        action="append",
        default=[],
        dest="tables",
        metavar="S.T",
        help="only this table, into a new schema restored_… (repeatable)",
    )
    verb.add_argument(
        "--file",
        action="append",
        default=[],
        dest="files",
        metavar="PATTERN",
        help="only these files, into a new directory …_restored_… (repeatable)",
    )
    verb.add_argument("--confirm", default="", metavar="ID@HOST", help="agree to a backup of another origin")
    _access(verb)
    _offsite(verb, "bring the backup from a store first")

    verb = verbs.add_parser("rollback", help="undo the last restore")
    verb.add_argument("--plan", action="store_true", help="only say what would be done")

    verb = verbs.add_parser("drill", help="restore test in a throwaway server, with proof and report")
    _named(verb)
    _access(verb)
    verb.add_argument("--repository", default="", metavar="DIR", help="another one than the configuration's")
    _offsite(verb, "bring the backup from a store first")

    verb = verbs.add_parser("push", help="ship to the stores what they lack")
    verb.add_argument("backup", nargs="?", default="", metavar="BACKUP", help=f"only this one: {_BACKUP}")
    _store(verb)

    verb = verbs.add_parser("pull", help="bring a backup from a store into the repository")
    _named(verb)
    _store(verb)

    verb = verbs.add_parser("prune", help="delete what retention lets go")
    verb.add_argument("--dry-run", action="store_true", help="only say what would go, and why the rest stays")

    for name, help_text in (("keep", "never prune this backup"), ("release", "let retention decide again")):
        verb = verbs.add_parser(name, help=help_text)
        verb.add_argument("backup", metavar="BACKUP", help=_BACKUP)

    verb = verbs.add_parser("adopt", help="seal what the guide's shell scripts left, so that it counts as a backup")
    verb.add_argument(
        "paths", nargs="*", metavar="FILE", help="an old archive (default: all in the repository without a manifest)"
    )

    verb = verbs.add_parser("check", help="is there a good and recent backup?")
    verb.add_argument("--max-age", type=age, default=age("26h"), metavar="AGE", help="such as 26h (default) or 2d")
    verb.add_argument("--nagios", action="store_true", help="exit and speak as a monitoring plugin: one line, 0 to 3")

    verb = verbs.add_parser("config", help="check or show the configuration, or try its alerts")
    verb.add_argument("action", choices=("validate", "show", "test-alerts"))
    for name, verb in verbs.choices.items():
        verb.formatter_class = argparse.RawDescriptionHelpFormatter
        verb.description = textwrap.fill(manual.description(name), 79)
        verb.epilog = manual.examples(name)
    return root


def age(written: str) -> float:
    """Seconds of a length of time such as ``90s``, ``15m``, ``26h`` or ``2d``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", written)
    if match is None:
        raise argparse.ArgumentTypeError(f"{written!r} is not a length of time such as 90s, 15m, 26h or 2d")
    return float(match.group(1)) * _UNITS[match.group(2) or "s"]


def kind(arguments: argparse.Namespace) -> str:
    """The kind that --db-only and --json-only choose."""
    return "database" if arguments.db_only else "json" if arguments.json_only else "full"


def _halves(verb: argparse.ArgumentParser) -> None:
    choice = verb.add_mutually_exclusive_group()
    choice.add_argument("--db-only", action="store_true", help="the database alone")
    choice.add_argument("--json-only", action="store_true", help="the JSON files alone")


def _access(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--key",
        default="",
        type=_path,
        metavar="FILE",
        help="private key of an encrypted backup (default: the keyring and agent of whoever runs this)",
    )
    verb.add_argument("--key-passphrase-file", default="", type=_path, metavar="FILE", help="the key's passphrase")
    verb.add_argument(
        "--accept-unsigned", action="store_true", help="use a backup from before its manifests were signed"
    )


def _path(written: str) -> str:
    return os.path.abspath(written) if written else ""


def _offsite(verb: argparse.ArgumentParser, help_text: str) -> None:
    verb.add_argument("--offsite", action="store_true", help=help_text)
    _store(verb)


def _store(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--store", default="", metavar="NAME", help="only this offsite store")


def _named(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("backup", nargs="?", default="latest", metavar="BACKUP", help=_BACKUP)
