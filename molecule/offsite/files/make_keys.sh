#!/usr/bin/env bash
# Make the scenario's keys in the directory $1: one for the storage account, one that reads the backups, one that signs
# them. Of the last two NAME.fpr, NAME.pub and NAME.key. What is there stays.
set -euo pipefail

directory="$1"
umask 077
mkdir -p "$directory"
[[ ! -e "$directory/signer.key" ]] || exit 0

ssh-keygen -q -t ed25519 -N "" -f "$directory/sftp"

GNUPGHOME="$(mktemp -d /tmp/keys.XXXXXX)" # short, for the agent's socket
export GNUPGHOME
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
quietly() { gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase "" "$@"; }

for name in reader signer; do
    purpose=sign
    [[ "$name" == signer ]] || purpose=cert
    quietly --quick-generate-key "$name <$name@example.org>" ed25519 "$purpose" never
    fingerprint="$(quietly --with-colons --list-keys "=$name <$name@example.org>" | awk -F: '$1 == "fpr" { print $10; exit }')"
    [[ "$name" == signer ]] || quietly --quick-add-key "$fingerprint" cv25519 encr never
    printf '%s\n' "$fingerprint" >"$directory/$name.fpr"
    quietly --armor --export "$fingerprint" >"$directory/$name.pub"
    quietly --armor --export-secret-keys "$fingerprint" >"$directory/$name.key"
done
