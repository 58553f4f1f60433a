#!/usr/bin/env bash
# Every recipe from end to end, small, twice: the second time nothing is left to do. Slow tests.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
. utils/activate.sh

for recipe in egs/*; do
    small=(--corpus synthetic --conf conf/demo.yaml --limit 12 --tag ci
        --args "--train.steps 4 --train.valid_every 4 --train.valid_items 2")
    "$recipe/run.sh" "${small[@]}" --force true
    "$recipe/run.sh" "${small[@]}" 2>&1 | tee "$recipe/exp/again.log"
    [ "$(grep -c "up to date" "$recipe/exp/again.log")" -ge 5 ]
    "$recipe/run.sh" "${small[@]}" --status true
done
python -m pytest -m "slow and not gpu" "$@"
