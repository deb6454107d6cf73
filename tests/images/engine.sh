#!/usr/bin/env bash
# Make sure a Docker engine answers: the one that runs, else the system's service, else a bare dockerd.
set -euo pipefail

readonly log="/var/log/dockerd.log"

answers() { docker info >/dev/null 2>&1; }

wait_for_engine() {
    local left
    for ((left = $1; left > 0; left--)); do
        answers && return 0
        sleep 1
    done
    return 1
}

if answers; then
    exit 0
fi
if [[ "$(id -u)" -ne 0 ]]; then
    echo "engine: no Docker engine answers and only root can start one" >&2
    exit 1
fi
if [[ -d /run/systemd/system ]]; then
    systemctl start docker
    wait_for_engine 60 && exit 0
    journalctl --unit docker --no-pager --lines 30 >&2
    exit 1
fi

echo "engine: starting dockerd, log in ${log}"
setsid nohup dockerd >"$log" 2>&1 </dev/null &
wait_for_engine 60 && exit 0
tail -n 30 "$log" >&2
exit 1
