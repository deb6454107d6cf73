#!/usr/bin/env bash
# What Galaxy asks of a collection: fragments and documentation that their linters take, and an artifact that Galaxy's
# importer takes. With docs it builds the HTML site of modules and role in build/docs instead.
#
#   tests/galaxy.sh [check|docs]
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${root}/.venv/galaxy"
requirements="${root}/tests/requirements-galaxy.txt"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

if ! cmp --silent "$requirements" "${venv}/.stamp"; then
    "${root}/.venv/bin/python" -m venv --clear "$venv"
    "${venv}/bin/pip" install --quiet --requirement "$requirements"
    cp "$requirements" "${venv}/.stamp"
fi
export PATH="${venv}/bin:${PATH}" ANSIBLE_HOME="${work}/home" LC_ALL=C.UTF-8
export ANSIBLE_COLLECTIONS_PATH="${work}/collections"
unset PYTHONPATH ANSIBLE_CONFIG
cd "$work" # away from the checkout's ansible.cfg, which leads to the checkout itself

ansible-galaxy collection build "$root" --output-path "$work" >/dev/null
artifact=("$work"/mirai-backup-*.tar.gz)
ansible-galaxy collection install "${artifact[0]}" -p "${work}/collections" --offline >/dev/null
cd "${work}/collections/ansible_collections/mirai/backup"

check() {
    printf 'changelog: fragments\n'
    (cd "$root" && antsibull-changelog lint)
    printf 'documentation: every option, reference and link\n'
    antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all --disallow-unknown-collection-refs \
        --skip-rstcheck .
    printf 'Galaxy: import of the artifact\n'
    if ! python -m galaxy_importer.main "${artifact[0]}" >"${work}/import.log" 2>&1; then
        cat "${work}/import.log" >&2
        return 1
    fi
    # The importer only warns of much that would look bad on Galaxy's pages.
    if grep -E '^(WARNING|ERROR)' "${work}/import.log" >&2; then
        return 1
    fi
}

docs() {
    local site="${work}/site"
    mkdir -m 0755 "$site"
    antsibull-docs sphinx-init --use-current --squash-hierarchy --dest-dir "$site" --fail-on-error mirai.backup >/dev/null
    "${site}/build.sh" >"${work}/docs.log" 2>&1 || {
        cat "${work}/docs.log" >&2
        return 1
    }
    rm -rf "${root}/build/docs"
    mkdir -p "${root}/build"
    mv "${site}/build/html" "${root}/build/docs"
    printf 'build/docs/index.html\n'
}

"${1:-check}"
