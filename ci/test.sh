#!/usr/bin/env bash
# All that a change must pass: lint, shell tests, recipes, Python tests.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
PATH=$PWD/utils:$PATH

recipes=true  # run the recipes and the slow tests, too: minutes
. parse_options.sh

ci/lint.sh
ci/test_shell.sh
if [ "$recipes" = true ]; then ci/test_recipes.sh; fi
ci/test_python.sh
