#!/usr/bin/env bash
# Style, types, who imports whom, shell.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
. utils/activate.sh

ruff check
ruff format --check
mypy
lint-imports
if command -v shellcheck >/dev/null; then
    shellcheck -- .ci/run */*.sh egs/*/*.sh test/shell/*.ba*
else
    echo "shellcheck is not installed: shell scripts not linted (apt-get install shellcheck)"
    [ "${CI:-false}" = false ]
fi
