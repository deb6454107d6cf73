#!/usr/bin/env bash
# Say again what failed, so that it is found at the end of a long output.
#
# Usage: tests/failures.sh DIRECTORY      (of *.failed, the outputs of the parts that failed)
set -euo pipefail
shopt -s nullglob

readonly lines=60
for log in "$1"/*.failed; do
    part="$(basename "$log" .failed)"
    printf '\n=== failed: %s (its last %d lines) ===\n' "$part" "$lines"
    tail -n "$lines" "$log"
done
printf '\n'
for log in "$1"/*.failed; do
    printf '=== failed: make %s ===\n' "$(basename "$log" .failed)"
done
