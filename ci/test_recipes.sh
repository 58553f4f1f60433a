#!/usr/bin/env bash
# Every recipe from end to end, small, twice: the second time nothing is left to do. Slow tests.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
. utils/activate.sh

for recipe in egs/*; do
    small=(--corpus synthetic --conf conf/demo.yaml --exp "exp/ci" --tag ci --args "--train.steps 4")
    "$recipe/run.sh" "${small[@]}" --force true
    "$recipe/run.sh" "${small[@]}" 2>&1 | tee /dev/stderr | grep -c "up to date"
    "$recipe/run.sh" "${small[@]}" --status true
done
python -m pytest -m "slow and not gpu" "$@"
