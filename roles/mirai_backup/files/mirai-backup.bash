# Completion of mirai-backup for bash. Made by tests/lint/command_line.py from the argument parser.

_mirai_backup() {
    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
    local command="${COMP_WORDS[0]}" verb="" words="" index
    local -a config=()
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        case "${COMP_WORDS[index]}" in
            --config) config=(--config "${COMP_WORDS[index + 1]}"); ((index++)) ;;
            -*) ;;
            *) verb="${COMP_WORDS[index]}"; break ;;
        esac
    done
    # The value of an option.
    case "$verb:$previous" in
        *:--config) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        backup:--wait) COMPREPLY=(); return ;;
        list:--kind) mapfile -t COMPREPLY < <(compgen -W "full database json" -- "$current"); return ;;
        verify:--key) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        verify:--key-passphrase-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        restore:--to-database) COMPREPLY=(); return ;;
        restore:--to-dir) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
        restore:--table) COMPREPLY=(); return ;;
        restore:--file) COMPREPLY=(); return ;;
        restore:--confirm) COMPREPLY=(); return ;;
        restore:--key) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        restore:--key-passphrase-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        drill:--key) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        drill:--key-passphrase-file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        drill:--repository) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
        check:--max-age) COMPREPLY=(); return ;;
    esac
    # Options, and before there is a verb, verbs.
    case "$verb" in
        "") words='-h --help --config --json --quiet --traceback --version backup list info verify restore rollback drill prune keep release adopt check config' ;;
        backup) words='-h --help --db-only --json-only --plan --wait' ;;
        list) words='-h --help --kind' ;;
        info) words='-h --help' ;;
        verify) words='-h --help --all --key --key-passphrase-file --accept-unsigned' ;;
        restore) words='-h --help --db-only --json-only --plan --to-database --to-dir --table --file --confirm --key --key-passphrase-file --accept-unsigned' ;;
        rollback) words='-h --help --plan' ;;
        drill) words='-h --help --key --key-passphrase-file --accept-unsigned --repository' ;;
        prune) words='-h --help --dry-run' ;;
        keep) words='-h --help' ;;
        release) words='-h --help' ;;
        adopt) words='-h --help' ;;
        check) words='-h --help --max-age --nagios' ;;
        config) words='-h --help' ;;
    esac
    if [[ "$current" == -* || -z "$verb" ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
    fi
    # The verb's own argument.
    case "$verb" in
        info) _mirai_backup_backups ;;
        verify) _mirai_backup_backups ;;
        restore) _mirai_backup_backups ;;
        drill) _mirai_backup_backups ;;
        keep) _mirai_backup_backups ;;
        release) _mirai_backup_backups ;;
        config) mapfile -t COMPREPLY < <(compgen -W "validate show test-alerts" -- "$current") ;;
    esac
}

# The backups there are; without the right to look, the words that stand for one.
_mirai_backup_backups() {
    local found
    found="$("$command" "${config[@]}" list 2>/dev/null | sed -n 's/^\(mirai_[a-z]*_[0-9_]*\) .*/\1/p')"
    mapfile -t COMPREPLY < <(compgen -W "latest oldest latest-verified $found" -- "$current")
}

complete -F _mirai_backup mirai-backup
