#!/usr/bin/env bash
# Make this machine ready for the whole test suite: system packages, the virtual environment .venv,
# the link that lets a checkout be imported as mirai.backup, a Docker engine, the test images.
#
# Usage: tests/bootstrap.sh [venv|system|images|all|bench]      (all unless told; bench: what `make bench` needs)
#
# As root on Debian it installs and starts what is missing; otherwise it names it and fails.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly root
readonly venv="${root}/.venv"
readonly requirements="${root}/tests/requirements.txt"
# What the scenarios run on: PostgreSQL 13, 15 and 17.
readonly -a suites=(bullseye bookworm trixie)

# What the bench calls, and the Debian package that brings it.
readonly -a bench_tools=(
    "psql postgresql-client"
    "initdb postgresql"
    "pigz pigz"
    "igzip isal"
    "zstd zstd"
)
# What a test calls.
readonly -a tools=(
    "${bench_tools[@]}"
    "docker docker.io"
    "dockerd docker.io"
    "debootstrap debootstrap"
    "strace strace"
    "gpg gnupg"
    "setpriv util-linux"
    "promtool prometheus"
    "systemd-analyze systemd"
    "shellcheck shellcheck"
    "faketime faketime"
    "pgbouncer pgbouncer"
    "mkfs.ext4 e2fsprogs"
    "fish fish"
    "zsh zsh"
    "mandoc mandoc"
    "ssh-keygen openssh-client"
    # The distribution's old one; a current one, which brings the servers, is in .venv.
    "rclone rclone"
)
# What the bench holds itself to; it names what is not there, and leaves it out.
readonly -a bench_peers=(
    "restic restic"
    "borg borgbackup"
    "pgbackrest pgbackrest"
)

say() { printf 'bootstrap: %s\n' "$*"; }
die() {
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

have() {
    # Debian keeps the server's programs out of PATH, one directory per version.
    if [[ "$1" == initdb ]]; then
        compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && return 0
    fi
    PATH="${PATH}:/usr/sbin:/sbin" command -v "$1" >/dev/null
}

# The packages of those of the given entries whose program is not there.
missing_packages() {
    local entry
    for entry in "$@"; do
        # An engine that answers is good enough, whoever packaged it.
        if [[ "${entry#* }" == docker.io ]] && have docker && docker info >/dev/null 2>&1; then
            continue
        fi
        have "${entry% *}" || printf '%s\n' "${entry#* }"
    done | sort -u
}

# The first Python that ansible-core's controller supports and that can make a virtual environment.
find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
            2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return 0
        fi
    done
    return 1
}

install_packages() {
    say "installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends "$@" >/dev/null
}

may_install() {
    [[ "$(id -u)" -eq 0 && -f /etc/debian_version ]]
}

prepare_system() {
    local -a packages
    mapfile -t packages < <(missing_packages "$@")
    find_python >/dev/null || packages+=(python3 python3-venv)
    [[ ${#packages[@]} -gt 0 ]] || return 0
    if may_install; then
        install_packages "${packages[@]}"
    else
        die "missing here: ${packages[*]} (Debian package names); install them, or run this as root on Debian"
    fi
}

prepare_venv() {
    local python stamp
    python="$(find_python)" || die "no Python from 3.11 to 3.13 with venv found"
    stamp="$(cat "$requirements" <("$python" --version) | sha256sum | cut -d' ' -f1)"
    if [[ "$(cat "${venv}/.stamp" 2>/dev/null)" != "$stamp" ]]; then
        say "installing the test tools into .venv with ${python} (under a minute)"
        "$python" -m venv "$venv"
        "${venv}/bin/pip" install --quiet --requirement "$requirements"
        printf '%s\n' "$stamp" >"${venv}/.stamp"
    fi
    mkdir -p "${root}/.collections/ansible_collections/mirai"
    ln -sfn ../../.. "${root}/.collections/ansible_collections/mirai/backup"
}

case "${1:-all}" in
    venv) prepare_venv ;;
    system) prepare_system "${tools[@]}" ;;
    bench)
        wanted=("${bench_tools[@]}")
        if may_install; then wanted+=("${bench_peers[@]}"); fi
        prepare_system "${wanted[@]}"
        prepare_venv
        ;;
    images)
        "${root}/tests/images/engine.sh"
        "${root}/tests/images/build.sh" "${suites[@]}"
        ;;
    all)
        prepare_system "${tools[@]}"
        prepare_venv
        "${root}/tests/images/engine.sh"
        "${root}/tests/images/build.sh" "${suites[@]}"
        ;;
    *) die "unknown part: $1 (venv, system, images, all or bench)" ;;
esac
