#!/usr/bin/env bash
# Every recipe from end to end, small, twice: the second time no stage does anything. Slow tests.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
. utils/activate.sh

for recipe in egs/*; do
    small=(--corpus synthetic --conf conf/demo.yaml --limit 12 --tag ci
        --args "--train.steps 4 --train.valid_every 4 --train.valid_items 2")
    if [[ $recipe == egs/ljspeech ]]; then small+=(--hours 0.05 --vocoder none); fi
    "$recipe/run.sh" "${small[@]}" --force true
    "$recipe/run.sh" "${small[@]}" 2>&1 | tee "$recipe/exp/again.log"
    for made in data/synthetic_ci dump/synthetic_ci/{train,valid,test} \
        exp/demo_ci exp/demo_ci/{decode,score}/default/test; do
        grep -qF ") $made: up to date" "$recipe/exp/again.log" || {
            echo "ci/test_recipes.sh: $recipe/$made was made again, or not at all" >&2
            exit 1
        }
    done
    "$recipe/run.sh" "${small[@]}" --status true
done
python -m pytest -m "slow and not gpu" "$@"
