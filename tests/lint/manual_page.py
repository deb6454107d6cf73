# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The manual page mirai-backup(1)."""

from __future__ import annotations

import argparse

from mirai_backup import __version__, manual

_DATE = "2026-11-24"  # of the release that is named beside it
_CODES = (
    ("0", "ok"),
    ("1", "failed; with check: a problem was found"),
    ("2", "content is not what its manifest says, or a drill failed"),
    ("3", "done but incomplete; what is missing is named"),
    ("4", "could not verify: nothing was shown either way"),
    ("10", "no such backup or repository"),
    ("11", "another run holds the repository"),
    ("12", "cannot decrypt"),
    ("64", "wrong usage or configuration"),
    ("130", "interrupted"),
)
_PLACES = (
    ("/etc/mirai-backup/config.json", "the configuration, written by the role mirai.backup.mirai_backup"),
    ("/var/log/mirai-backup.log", "the log"),
    ("LATEST_BACKUP.txt", "in the repository: the newest backup in words"),
    ("backup_metadata.log", "in the repository: every run, a JSON document on a line"),
    ("drills/", "in the repository: the reports of drills"),
)


def page(root: argparse.ArgumentParser, common: tuple, verbs: tuple) -> str:
    """The page in the man macros, free of dates: it changes only when the command does."""
    lines = [
        '.\\" Made by tests/lint/command_line.py from the argument parser.',
        f'.TH MIRAI\\-BACKUP 1 "{_DATE}" "mirai\\-backup {__version__}" "Backups of the Mirai Knowledge System"',
        ".SH NAME",
        "mirai\\-backup \\- back up, restore and drill a PostgreSQL database with its JSON files",
        ".SH SYNOPSIS",
        f".B mirai\\-backup\n{_usage(common[1:])}\n.I VERB\n[\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        _text(root.description),
        "A backup exists if and only if its manifest does; the manifest is written last.",
        ".SH OPTIONS",
        *_options(common),
        ".SH VERBS",
    ]
    for verb in verbs:
        own = tuple(one for one in verb.options if "--help" not in one.names)
        lines += [f".SS {_text(verb.name)}", f".B mirai\\-backup {_text(verb.name)}\n{_usage(own)}", ".PP"]
        lines += [_text(verb.description), *_options(own), *_examples(verb.name)]
    lines += [
        ".SH WHAT STANDS FOR A BACKUP",
        *_listed(manual.BACKUPS),
        ".PP",
        "An unknown one is an error that lists the nearest.",
    ]
    lines += [".SH EXIT STATUS", *_listed(_CODES), ".SH FILES", *_listed(_PLACES)]
    lines += [".SH ENVIRONMENT", *_listed((("NO_COLOR", "when set, nothing is coloured, on a terminal neither"),))]
    lines += [".SH SEE ALSO", ".BR pg_dump (1),", ".BR pg_restore (1),", ".BR ansible\\-playbook (1)", ""]
    return "\n".join(lines)


def _usage(options: tuple) -> str:
    shown = []
    for one in options:
        word = f"\\fB{_text(one.names[-1])}\\fR" if one.names else ""
        value = f"\\fI{_text('|'.join(one.choices) or one.value)}\\fR" if one.value else ""
        words = " ".join(part for part in (word, value) if part)
        shown.append(words if not one.names and not one.optional else f"[{words}]")
    return "\n".join(shown)


def _options(options: tuple) -> list:
    lines = []
    for one in options:
        names = ", ".join(f"\\fB{_text(name)}\\fR" for name in one.names)
        value = f"\\fI{_text('|'.join(one.choices) or one.value)}\\fR" if one.value else ""
        if one.help:
            lines += [".TP", " ".join(part for part in (names, value) if part), _text(one.help)]
    return lines


def _examples(verb: str) -> list:
    shown = manual.VERBS[verb].examples if verb in manual.VERBS else ()
    lines = [".PP", "Examples:"] if shown else []
    for command, comment in shown:
        lines += [".TP", f"\\fB{_text(command)}\\fR", _text(comment)]
    return lines


def _listed(entries: tuple) -> list:
    return [line for name, words in entries for line in (".TP", f"\\fB{_text(name)}\\fR", _text(words))]


def _text(words: str) -> str:
    """``words`` as roff takes them: nothing in them is a command, dashes stay dashes."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("…", "\\.\\.\\.")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
