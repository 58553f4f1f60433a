#!/usr/bin/env bash
# Sets up diffaudio and what its recipes use. Safe to repeat; takes seconds when nothing changed.
# Goes into the active virtualenv or conda environment; when there is none, into tools/venv.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/.."
PATH=$PWD/utils:$PATH

extras=score,report,corpus  # extras of setup.py to install; there is also cluster
dev=true                    # install what ci/test.sh needs, too
python=python3              # makes tools/venv where no environment is active
apt=true                    # as root: let apt-get install bats, shellcheck, a C compiler
force=false                 # install again although nothing changed
. parse_options.sh

say() { printf 'install: %s\n' "$*"; }

give_up() { # message: with the end of the log
    tail -n 15 "$log" | sed 's/^/    | /' >&2
    printf 'install: %s\n  whole log: %s\n' "$1" "$log" >&2
    exit 1
}

apt_install() { # packages: whether they are there now
    [[ $apt == true && $(id -u) -eq 0 ]] && command -v apt-get >>"$log" || return 1
    say "apt-get install $*"
    apt-get update >>"$log" 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1
}

pip_install() { # pip's arguments
    "$python" -m pip install --no-input --disable-pip-version-check -c tools/constraints.txt "$@" \
        >>"$log" 2>&1
}

log=$(mktemp)
. activate.sh
if [[ -z ${VIRTUAL_ENV:-} && ${CONDA_DEFAULT_ENV:-base} == base ]]; then
    say "making tools/venv"
    "$python" -c 'import ensurepip, venv' 2>>"$log" || apt_install python3-venv || true
    "$python" -m venv tools/venv >>"$log" 2>&1 ||
        give_up "$python cannot make a virtual environment; on Debian: apt-get install python3-venv"
    . activate.sh
fi
prefix=${VIRTUAL_ENV:-${CONDA_PREFIX:-}} python=$prefix/bin/python stamp=$prefix/diffaudio.stamp
[[ -x $python ]] || give_up "the active environment has no $python"
mv "$log" "$prefix/diffaudio.log" && log=$prefix/diffaudio.log
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    give_up "$("$python" --version) is too old: 3.10 is needed; try --python python3.12"
"$python" -m pip --version >>"$log" 2>&1 || "$python" -m ensurepip >>"$log" 2>&1 ||
    give_up "there is no pip in $prefix"

if [[ $dev == true ]]; then extras=$extras,dev; fi
wanted="$PWD $extras $(cat setup.py tools/*.txt tools/install.sh | cksum)"
if [[ $force == false && $(cat "$stamp" 2>>"$log") == "$wanted" ]]; then
    say "$prefix is up to date"
else
    rm -f "$stamp"
    if ! { command -v cc && command -v c++; } >>"$log" || ! "$python" - <<'END' 2>>"$log"; then
import pathlib, sysconfig
pathlib.Path(sysconfig.get_path("include"), "Python.h").read_bytes()
END
        apt_install g++ libc6-dev python3-dev ||
            say "no C and C++ compilers for Python: pesq and pyworld may fail"
    fi
    whole=true
    say "diffaudio[$extras] into $prefix; with PyTorch, some minutes"
    together=true
    pip_install -e ".[$extras]" || { together=false && pip_install -e .; } ||
        give_up "pip could not install diffaudio"
    names=$("$python" tools/check_install.py --list "$extras") || exit
    if ! $together; then
        for name in $names; do
            pip_install "$name" || { say "$name: could not be installed" && whole=false; }
        done
    fi
    while read -r name _; do
        [[ $name != '#'* ]] || continue
        pip_install --no-deps "$name" || { say "$name: could not be had" && whole=false; }
    done <tools/optional.txt
    if $whole; then printf '%s\n' "$wanted" >"$stamp"; fi
fi
if [[ $dev == true ]]; then
    for name in bats shellcheck; do
        command -v "$name" >>"$log" || apt_install "$name" ||
            say "$name: not there, its tests will be skipped (apt-get install $name)"
    done
fi
"$python" tools/nltk_data.py >>"$log" 2>&1 || say "no data for phonemes: see the end of $log"
"$python" tools/check_install.py || { say "not complete: see above" && exit 1; }
say "done in ${SECONDS} s; log: $log"
if [[ $prefix == "$PWD/tools/venv" ]]; then
    say "recipes use it by themselves; for your shell: . tools/venv/bin/activate"
fi
