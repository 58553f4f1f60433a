#!/usr/bin/env bash
# The fast tests of the package, a process a core. Arguments go to pytest: -n 0 -x test/solve
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
. utils/activate.sh

OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} python -m pytest -m "not slow and not gpu" \
    -n auto --dist worksteal "$@"
