#!/usr/bin/env bash
# Tests of the shell scripts.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."

if command -v bats >/dev/null; then
    bats test/shell
else
    echo "bats is not installed: shell scripts not tested (apt-get install bats)"
    [ "${CI:-false}" = false ]
fi
