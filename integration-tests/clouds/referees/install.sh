#!/usr/bin/env bash
# Installs the packages that the file $2 beside this script pins, from PyPI, into the folder $1, once. Needs python3 with
# venv.
set -euo pipefail
# Tests that run beside each other ask for the same: one installs, and the others wait for it.
exec 9>"$1.lock"
flock 9
pinned=$(dirname "${BASH_SOURCE[0]}")/$2
cmp --silent "$pinned" "$1/complete" && exit 0
rm -rf "$1"
python3 -m venv "$1"
"$1/bin/pip" install --quiet --requirement "$pinned"
cp "$pinned" "$1/complete"
