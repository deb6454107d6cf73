# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Completions of mirai-backup for bash, zsh and fish. What stands for a backup is asked of the command itself."""

from __future__ import annotations

_HEAD = "Completion of mirai-backup for {shell}. Made by tests/lint/command_line.py from the argument parser."
_WORDS = "latest oldest latest-verified"
_IDS = "sed -n 's/^\\(mirai_[a-z]*_[0-9_]*\\) .*/\\1/p'"


def bash(common: tuple, verbs: tuple) -> str:
    """The completion for bash, found by bash-completion below /usr/local/share/bash-completion/completions."""
    values = [f"        *:{name}) {_bash_value(one)} ;;" for one in common for name in one.names if one.value]
    for verb in verbs:
        for one in verb.flags:
            values += [f"        {verb.name}:{name}) {_bash_value(one)} ;;" for name in one.names if one.value]
    words = [f"        {verb.name}) words={_quoted(' '.join(_names(verb.flags)))} ;;" for verb in verbs]
    places = [
        f"        {verb.name}) {_bash_value(one)} ;;" for verb in verbs for one in verb.arguments[:1] if _completes(one)
    ]
    return "\n".join(
        [
            f"# {_HEAD.format(shell='bash')}",
            "",
            "_mirai_backup() {",
            '    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"',
            '    local command="${COMP_WORDS[0]}" verb="" words="" index',
            "    local -a config=()",
            "    COMPREPLY=()",
            "    for ((index = 1; index < COMP_CWORD; index++)); do",
            '        case "${COMP_WORDS[index]}" in',
            '            --config) config=(--config "${COMP_WORDS[index + 1]}"); ((index++)) ;;',
            "            -*) ;;",
            '            *) verb="${COMP_WORDS[index]}"; break ;;',
            "        esac",
            "    done",
            "    # The value of an option.",
            '    case "$verb:$previous" in',
            *_returning(values),
            "    esac",
            "    # Options, and before there is a verb, verbs.",
            '    case "$verb" in',
            f'        "") words={_quoted(" ".join([*_names(common), *[verb.name for verb in verbs]]))} ;;',
            *words,
            "    esac",
            '    if [[ "$current" == -* || -z "$verb" ]]; then',
            '        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")',
            "        return",
            "    fi",
            "    # The verb's own argument.",
            '    case "$verb" in',
            *places,
            "    esac",
            "}",
            "",
            "# The backups there are; without the right to look, the words that stand for one.",
            "_mirai_backup_backups() {",
            "    local found",
            f'    found="$("$command" "${{config[@]}}" list 2>/dev/null | {_IDS})"',
            f'    mapfile -t COMPREPLY < <(compgen -W "{_WORDS} $found" -- "$current")',
            "}",
            "",
            "complete -F _mirai_backup mirai-backup",
            "",
        ]
    )


def _returning(cases: list) -> list:
    return [f"{case[:-3]}; return ;;" for case in cases]


def _bash_value(one) -> str:
    if one.choices:
        return f'mapfile -t COMPREPLY < <(compgen -W "{" ".join(one.choices)}" -- "$current")'
    if one.value == "BACKUP":
        return "_mirai_backup_backups"
    if one.value in ("FILE", "DIR"):
        kind = "-f" if one.value == "FILE" else "-d"
        return f'compopt -o filenames; mapfile -t COMPREPLY < <(compgen {kind} -- "$current")'
    return "COMPREPLY=()"


def zsh(common: tuple, verbs: tuple) -> str:
    """The completion for zsh, a function file below /usr/local/share/zsh/site-functions."""
    lines = ["#compdef mirai-backup", f"# {_HEAD.format(shell='zsh')}", "", "_mirai-backup() {"]
    lines += [
        "  local curcontext=$curcontext state line command=$words[1]",
        "  typeset -A opt_args",
        "  _arguments -C \\",
    ]
    lines += [f"    {_zsh_option(one)} \\" for one in common]
    lines += ["    '1:verb:->verb' '*::argument:->argument'", "  case $state in", "    verb)", "      local -a verbs=("]
    lines += [f"        {_quoted(f'{verb.name}:{_zsh_text(verb.help)}')}" for verb in verbs]
    lines += ["      )", "      _describe verb verbs ;;", "    argument)", "      case $line[1] in"]
    for verb in verbs:
        specs = [_zsh_option(one) for one in verb.flags] + [_zsh_place(one) for one in verb.arguments]
        lines.append(f"        {verb.name}) _arguments {' '.join(specs)} ;;")
    lines += ["      esac ;;", "  esac", "}", "", "_mirai_backup_backups() {", "  local -a found config"]
    lines += ["  (( ${+opt_args[--config]} )) && config=(--config ${(Q)opt_args[--config]})"]
    lines += [f'  found=({_WORDS} ${{(f)"$($command $config list 2>/dev/null | {_IDS})"}})']
    lines += ["  compadd -a found", "}", "", '_mirai-backup "$@"', ""]
    return "\n".join(lines)


def _zsh_text(text: str) -> str:
    for mark in "\\[]:":
        text = text.replace(mark, f"\\{mark}")
    return text


def _zsh_option(one) -> str:
    value = f":{_zsh_text(one.value.lower())}:{_zsh_action(one)}" if one.value else ""
    star = "*" if one.repeatable else ""
    excluded = f"({' '.join(one.names)})" if len(one.names) > 1 else ""
    names = f"{{{','.join(one.names)}}}" if len(one.names) > 1 else one.names[0]
    described = f"[{_zsh_text(one.help)}]{value}"
    if len(one.names) > 1:
        return f"{_quoted(excluded)}{names}{_quoted(described)}"
    return _quoted(f"{star}{names}{described}")


def _zsh_place(one) -> str:
    return _quoted(f"1:{_zsh_text(one.value.lower())}:{_zsh_action(one)}")


def _zsh_action(one) -> str:
    if one.choices:
        return f"({' '.join(one.choices)})"
    return {"BACKUP": "_mirai_backup_backups", "FILE": "_files", "DIR": "_files -/"}.get(one.value, " ")


def fish(common: tuple, verbs: tuple) -> str:
    """The completion for fish, found below /usr/local/share/fish/vendor_completions.d."""
    names = " ".join(verb.name for verb in verbs)
    lines = [
        f"# {_HEAD.format(shell='fish')}",
        "",
        "function __mirai_backup_backups",
        f"    printf '%s\\n' {_WORDS}",
        "    set -l words (commandline -opc)",
        "    set -l config",
        "    if set -l at (contains -i -- --config $words)",
        "        set config --config $words[(math $at + 1)]",
        "    end",
        f"    $words[1] $config list 2>/dev/null | {_IDS}",
        "end",
        "",
        "complete -c mirai-backup -f",
    ]
    before = f"'not __fish_seen_subcommand_from {names}'"
    lines += [f"complete -c mirai-backup -n {before}{_fish_option(one)}" for one in common]
    lines += [f"complete -c mirai-backup -n {before} -a {verb.name} -d {_quoted(verb.help)}" for verb in verbs]
    for verb in verbs:
        seen = f"'__fish_seen_subcommand_from {verb.name}'"
        lines += [f"complete -c mirai-backup -n {seen}{_fish_option(one)}" for one in verb.flags]
        lines += [
            f"complete -c mirai-backup -n {seen} -a {_fish_values(one)}" for one in verb.arguments if _completes(one)
        ]
    return "\n".join([*lines, ""])


def _fish_option(one) -> str:
    parts = [f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in one.names]
    if one.value in ("FILE", "DIR"):
        parts.append(" -r -F" if one.value == "FILE" else " -x -a '(__fish_complete_directories)'")
    elif one.value:
        parts.append(f" -x -a {_fish_values(one)}" if _completes(one) else " -x")
    return f"{''.join(parts)} -d {_quoted(one.help)}"


def _fish_values(one) -> str:
    return _quoted(" ".join(one.choices)) if one.choices else "'(__mirai_backup_backups)'"


def _completes(one) -> bool:
    return bool(one.choices) or one.value == "BACKUP"


def _names(options: tuple) -> list:
    return [name for one in options for name in one.names]


def _quoted(text: str) -> str:
    """``text`` in single quotes, for all three shells."""
    return "'" + text.replace("'", "'\\''") + "'"
