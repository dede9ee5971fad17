#!/usr/bin/env bash
# Installs the referees from PyPI into the folder $1, once; pinned. Needs python3 with venv.
set -euo pipefail
[[ -e $1/complete ]] && exit 0
rm -rf "$1"
python3 -m venv "$1"
"$1/bin/pip" install --quiet boto3==1.43.0 botocore==1.43.127
touch "$1/complete"
