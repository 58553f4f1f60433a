# shellcheck shell=bash
# The toolkit's environment, for scripts of recipes, tools and ci: sourced, safe to source twice.
# An active virtualenv or conda environment is used; else tools/venv, which tools/install.sh makes.

DIFFAUDIO_ROOT=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
if [ -z "${VIRTUAL_ENV:-}" ] && [ "${CONDA_DEFAULT_ENV:-base}" = base ] &&
    [ -x "$DIFFAUDIO_ROOT/tools/venv/bin/python" ]; then
    export VIRTUAL_ENV=$DIFFAUDIO_ROOT/tools/venv
    PATH=$VIRTUAL_ENV/bin:$PATH
fi
# Idle threads sleep: spinning ones take the cores that other jobs on the machine compute on.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
export DIFFAUDIO_ROOT LC_ALL=C.UTF-8 PATH=$DIFFAUDIO_ROOT/utils:$PATH
