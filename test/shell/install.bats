#!/usr/bin/env bats
# tools/install.sh in a copy of the repository, with a fake Python that only takes notes.
# shellcheck disable=SC2016  # what must not expand

setup() {
    . "$BATS_TEST_DIRNAME/common.bash"
    mkdir -p "a copy/tools" env/bin
    cp -r "$ROOT/utils" "$ROOT/setup.py" "a copy/"
    cp "$ROOT"/tools/*.* "a copy/tools/"
    install="a copy/tools/install.sh"
    export VIRTUAL_ENV=$PWD/env
    # pip fails for what matches $BROKEN; --list knows pesq and pystoi
    cat >env/bin/python <<'END'
#!/bin/bash
printf '%s\n' "$*" >>"$VIRTUAL_ENV/argv"
case "$*" in
    *"--list "*) printf 'pesq\npystoi\n' ;;
    *"pip install"*) [[ ! $* =~ ${BROKEN:-nothing} ]] ;;
    *check_install.py) [[ -z ${INCOMPLETE:-} ]] ;;
esac
END
    chmod +x env/bin/python
    fake apt-get
}

@test "it installs into the active environment, with the tested versions" {
    run "$install"
    [ "$status" -eq 0 ]
    grep -F -- "-c tools/constraints.txt -e .[score,report,corpus,dev]" env/argv
    grep -F -- "--no-deps xls-r-sqa==0.1.0" env/argv
    has "install: done in"
    [ ! -e "a copy/tools/venv" ]
}

@test "a second run installs nothing, a changed choice or pin does, as does --force true" {
    "$install"
    rm env/argv
    run "$install"
    [ "$status" -eq 0 ]
    has "env is up to date"
    run grep "pip install" env/argv
    [ "$status" -eq 1 ]
    run "$install" --force true
    has "diffaudio[score,report,corpus,dev] into"
    run "$install" --extras score --dev false
    has "diffaudio[score] into"
    echo "# changed" >>"a copy/tools/constraints.txt"
    run "$install" --extras score --dev false
    lacks "up to date"
}

@test "the data for phonemes is looked after by every run, and is no reason to give up" {
    "$install"
    rm env/argv
    run "$install"
    [ "$status" -eq 0 ]
    grep -x "tools/nltk_data.py" env/argv
    sed 's|^esac|    tools/nltk_data.py) exit 1 ;;\nesac|' env/bin/python >env/bin/other
    mv env/bin/other env/bin/python && chmod +x env/bin/python
    run "$install"
    [ "$status" -eq 0 ]
    has "install: no data for phonemes"
}

@test "a package that cannot be built is named; the others are installed; it is tried again" {
    BROKEN='score|pesq' run "$install"
    [ "$status" -eq 0 ]
    has "install: pesq: could not be installed"
    lacks "pystoi: could not"
    grep -E "pip install .* pystoi$" env/argv
    grep -E "pip install .* --no-deps distillmos" env/argv
    run "$install"
    lacks "could not"
    lacks "up to date"
}

@test "without diffaudio itself it gives up with the log" {
    BROKEN="-e ." run "$install"
    [ "$status" -eq 1 ]
    has "pip could not install diffaudio"
    has "whole log: $PWD/env/diffaudio.log"
    run "$install" --help
    [ "$status" -eq 0 ]
}

@test "an incomplete installation is a failure" {
    INCOMPLETE=1 run "$install"
    [ "$status" -eq 1 ]
    has "not complete"
}

@test "without an active environment it makes tools/venv" {
    unset VIRTUAL_ENV CONDA_DEFAULT_ENV
    printf '#!/bin/bash
        [[ $* != "-m venv"* ]] || { mkdir -p "$3/bin" && cp "%s" "$3/bin/python"; }' \
        "$PWD/env/bin/python" >bin/python3
    chmod +x bin/python3
    run "$install"
    [ "$status" -eq 0 ]
    has "making tools/venv"
    [ -e "a copy/tools/venv/diffaudio.stamp" ]
    run "$install"
    has "up to date"
    lacks "making"
}

@test "a Python that cannot make environments is told how to" {
    unset VIRTUAL_ENV CONDA_DEFAULT_ENV
    fake python3 "exit 1"
    run "$install" --apt false
    [ "$status" -eq 1 ]
    has "apt-get install python3-venv"
    run "$install" --python no-such-python --apt false
    [ "$status" -eq 1 ]
    has "no-such-python cannot make"
}

@test "an environment that is gone is refused" {
    VIRTUAL_ENV=/no/such/env run "$install"
    [ "$status" -eq 1 ]
    has "/no/such/env/bin/python"
}

@test "--apt false leaves the system alone" {
    "$install" --apt false
    [ ! -e apt-get.argv ]
}
