#!/usr/bin/env bash
# ansible-test on a clean copy of this checkout, with nothing ignored; further arguments go to ansible-test.
#
#   tests/ansible_test.sh sanity [--test NAME]
#   tests/ansible_test.sh units [--python 3.11]
#
# The copy lies where ansible-test wants a collection. Its tools come from the package index into virtual environments
# of their own, which are kept below .venv for the next time.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
copy="${work}/ansible_collections/mirai/backup"
home="${root}/.venv/ansible-test"

# pip's bootstrap script is on no package index; the interpreter brings the same.
mkdir -p "$copy" "${work}/bin" "${home}/.ansible/test/cache"
printf 'import ensurepip\nensurepip.bootstrap(default_pip=True)\n' >"${home}/.ansible/test/cache/get_pip_24_2.py"

# Every Python that really runs here, by its own path: version managers put shims on PATH that do not.
for version in 3.9 3.10 3.11 3.12 3.13 3.14; do
    for found in $(type -aP "python${version}") "${HOME}/.pyenv/versions/${version}."*/bin/python"${version}"; do
        if "$found" -c 'import ensurepip, venv' 2>/dev/null; then
            ln -s "$("$found" -c 'import sys; print(sys.executable)')" "${work}/bin/python${version}"
            break
        fi
    done
done

# What git would commit, as it is now; without git, everything but the places that hold no source.
cd "$root"
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' path; do
        [[ -e "$path" || -L "$path" ]] && printf '%s\0' "$path"
    done | tar --create --null --files-from - | tar --extract --directory "$copy"
else
    tar --create --exclude ./.venv --exclude ./demo/.work --exclude __pycache__ . | tar --extract --directory "$copy"
fi
rm -rf "${copy}/.collections"
cd "$copy"
git init --quiet
git add --all

ignored=(tests/sanity/ignore*)
if [[ -e "${ignored[0]}" ]]; then
    printf 'ansible-test: nothing is to be ignored, but there is %s\n' "${ignored[*]}" >&2
    exit 1
fi
env -i HOME="$home" LC_ALL=C.UTF-8 PATH="${root}/.venv/bin:${work}/bin:/usr/local/bin:/usr/bin:/bin" \
    ansible-test "$1" --local --requirements --color no "${@:2}"
