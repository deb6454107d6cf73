#!/usr/bin/env bash
# Build the Debian images the tests run in:
#
#   mirai-test:<suite>              bare Debian: systemd, cron, sudo, Python — a fresh host
#   mirai-test:<suite>-postgresql   the same plus the distribution's PostgreSQL server
#
# Usage: tests/images/build.sh [SUITE …]       (bookworm and trixie unless told)
#
# Packages come from the mirror the host's own apt uses, or from Debian's public one where the host is
# not Debian. An image that carries the digest of what it was built from is kept.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here
readonly repository="mirai-test"
readonly label="mirai.test.digest"
readonly default_main="http://deb.debian.org/debian"
readonly default_security="http://deb.debian.org/debian-security"
readonly packages="ca-certificates,cron,dbus,iproute2,procps,python3,sudo,systemd,systemd-sysv,tzdata"

say() { printf 'images: %s\n' "$*"; }
die() {
    printf 'images: %s\n' "$*" >&2
    exit 1
}

# The site the host's apt takes the release $1 from; $2 where it takes it from nowhere.
site_of() {
    local found=""
    if [[ -f /etc/debian_version ]] && command -v apt-get >/dev/null; then
        found="$(apt-get indextargets --format "\$(SITE) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages' |
            awk -v release="$1" '$2 == release && $3 == "main" { print $1; exit }')"
    fi
    printf '%s\n' "${found:-$2}"
}

host_codename() { (. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-none}"); }

# Does the mirror hold this release? Asked through apt, so the host's proxy and credentials count.
release_exists() {
    local site="$1" release="$2" file
    file="$(mktemp)"
    local answer=0
    /usr/lib/apt/apt-helper download-file "${site}/dists/${release}/InRelease" "$file" \
        >/dev/null 2>&1 || answer=1
    rm -f "$file"
    return "$answer"
}

# How the host's apt reaches its mirror: proxies, certificates, tolerance for old indexes.
# Nothing is printed on a host that never needed any of it.
host_apt_settings() {
    apt-config dump |
        grep -E '^Acquire::(https?::|Check-Valid-Until|Check-Date|Retries)' |
        grep -vE '""; *$' || [[ $? -eq 1 ]]
}

write_sources() {
    local root="$1" suite="$2" main="$3" security="$4"
    {
        printf 'deb %s %s main\n' "$main" "$suite"
        if release_exists "$main" "${suite}-updates"; then
            printf 'deb %s %s-updates main\n' "$main" "$suite"
        fi
        if release_exists "$security" "${suite}-security"; then
            printf 'deb %s %s-security main\n' "$security" "$suite"
        fi
    } >"${root}/etc/apt/sources.list"
    local settings
    settings="$(host_apt_settings)"
    if [[ -n "$settings" ]]; then
        printf '%s\n' "$settings" >"${root}/etc/apt/apt.conf.d/90host"
    fi
    printf 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n' \
        >"${root}/etc/apt/apt.conf.d/91small"
}

built_from() { docker image inspect --format "{{ index .Config.Labels \"${label}\" }}" "$1" 2>/dev/null; }

is_current() { [[ "$(built_from "$1" || printf none)" == "$2" ]]; }

build_bare() {
    local suite="$1" image="$2" digest="$3" main="$4" security="$5"
    local work="${scratch}/${suite}"
    say "building ${image} from ${main}"
    # The scratch directory must allow device nodes and setuid files: not every /tmp does.
    debootstrap --variant=minbase --include="$packages" "$suite" "$work" "$main" >"${work}.log" 2>&1 || {
        tail -n 20 "${work}.log" >&2
        die "debootstrap of ${suite} failed"
    }
    write_sources "$work" "$suite" "$main" "$security"
    rm -rf "$work"/var/cache/apt/archives/*.deb "$work"/var/lib/apt/lists/* "$work"/var/log/bootstrap.log
    : >"${work}/etc/machine-id"
    tar -C "$work" --one-file-system --numeric-owner -c . | docker import \
        --change 'ENV LANG=C.UTF-8' --change 'ENV container=docker' \
        --change 'CMD ["/lib/systemd/systemd"]' \
        --change "LABEL ${label}=${digest}" - "$image" >/dev/null
    rm -rf "$work"
}

build_postgresql() {
    local base="$1" image="$2" digest="$3"
    say "building ${image} on ${base}"
    docker build --quiet --build-arg "BASE=${base}" --label "${label}=${digest}" \
        --tag "$image" - <"${here}/postgresql.Dockerfile" >/dev/null
}

build_suite() {
    local suite="$1" mirror security digest
    mirror="$(site_of "$(host_codename)" "$default_main")"
    security="$(site_of "$(host_codename)-security" "$default_security")"
    digest="$({
        cat "${here}/build.sh" "${here}/postgresql.Dockerfile"
        printf '%s\n' "$suite" "$mirror" "$security" "$(host_apt_settings)"
    } | sha256sum | cut -d' ' -f1)"

    local bare="${repository}:${suite}" server="${repository}:${suite}-postgresql"
    if is_current "$bare" "$digest" && is_current "$server" "$digest"; then
        say "${bare} and ${server} are current"
        return
    fi
    [[ "$(id -u)" -eq 0 ]] || die "debootstrap needs root; run this as root once"
    build_bare "$suite" "$bare" "$digest" "$mirror" "$security"
    build_postgresql "$bare" "$server" "$digest"
}

main() {
    docker info >/dev/null 2>&1 || die "no Docker engine answers; tests/images/engine.sh starts one"
    command -v debootstrap >/dev/null || die "debootstrap is missing"
    scratch="$(mktemp -d /var/tmp/mirai-images.XXXXXX)"
    trap 'rm -rf "$scratch"' EXIT
    local suites=("$@") suite
    [[ ${#suites[@]} -gt 0 ]] || suites=(bookworm trixie)
    for suite in "${suites[@]}"; do
        build_suite "$suite"
    done
}

main "$@"
