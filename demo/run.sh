#!/usr/bin/env bash
# make demo: prepare demo/.work/venv and tell the story in it. Needs Python 3.11 or newer and a network.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
work=$here/.work
started=$SECONDS

fail() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

new_enough() {
    command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# The same interpreter and the same wants as last time: the venv is used again.
prepare_venv() {
    local wanted
    wanted=$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')$'\n'$(<"$here/requirements.txt")
    if [[ -f $work/venv/.complete && $(<"$work/venv/.complete") == "$wanted" ]]; then
        return
    fi
    rm -rf "$work/venv"
    printf 'Installing ansible-core and an embedded PostgreSQL into demo/.work/venv ...\n'
    "$python" -m venv "$work/venv" ||
        fail "$python has no working venv module; on Debian and Ubuntu: apt-get install python3-venv"
    "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement \
        "$here/requirements.txt" || fail "pip could not install what demo/requirements.txt names; see above"
    printf '%s\n' "$wanted" >"$work/venv/.complete"
}

[[ $(uname -s) == Linux ]] || fail "runs on Linux; this is $(uname -s)"
python=$(find_python) ||
    fail "needs Python 3.11 or newer for the controller; found $(python3 --version 2>&1). Set PYTHON=/path/to/python"

# Everything that tools would put elsewhere (caches, temporary files) stays below demo/.work.
mkdir -p "$work/tmp"
export TMPDIR=$work/tmp PIP_CACHE_DIR=$work/pip-cache PYTHONPYCACHEPREFIX=$work/pycache
unset PYTHONPATH PYTHONHOME
prepare_venv
exec "$work/venv/bin/python" "$here/demo.py" --seconds-before $((SECONDS - started))
