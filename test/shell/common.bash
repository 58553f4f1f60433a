# shellcheck shell=bash disable=SC2154  # bats sets output
# For every .bats file: the repository's root, a folder of one's own, and fake commands.

export ROOT
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
export PATH="$BATS_TEST_TMPDIR/bin:$ROOT/utils:$PATH"
export VIRTUAL_ENV=/none # tools/venv is not put before the fakes
unset DIFFAUDIO_ROOT # of a shell that has sourced activate.sh
cd "$BATS_TEST_TMPDIR" || exit
mkdir -p bin

# fake NAME [SCRIPT]: a command on PATH that writes its arguments, one per line, into NAME.argv
fake() {
    printf '#!/bin/bash\nprintf "%%q\\n" "$@" >>"%s.argv"\n%s\n' \
        "$BATS_TEST_TMPDIR/$1" "${2:-}" >"bin/$1"
    chmod +x "bin/$1"
}

# has TEXT: the output of the last `run` contains TEXT
has() {
    case $output in *"$1"*) ;; *)
        printf 'expected: %s\nin the output:\n%s\n' "$1" "$output"
        return 1
        ;;
    esac
}

# lacks TEXT: it does not
lacks() {
    case $output in *"$1"*) return 1 ;; esac
}
