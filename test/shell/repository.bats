#!/usr/bin/env bats
# Rules that hold for every file of the repository, and for every shell script.
# shellcheck disable=SC2016  # patterns

setup() {
    . "$BATS_TEST_DIRNAME/common.bash"
    cd "$ROOT" || exit
    scripts=(.ci/run ci/*.sh egs/*/*.sh tools/*.sh utils/*.sh)
}

# absent PATTERN: no script matches it outside comments
absent() {
    run grep -nE -- "$1" "${scripts[@]}"
    lines=$(grep -vE '^[^:]+:[0-9]+:[[:space:]]*#' <<<"$output" || true)
    echo "$lines"
    [ -z "$lines" ]
}

@test "no file is a symbolic link" {
    git rev-parse --git-dir || skip "not a git checkout"
    run git ls-files --stage
    [ "$status" -eq 0 ]
    [ "$(grep -c ^120000 <<<"$output")" -eq 0 ]
}

@test "no script evaluates text or sources what an option named" {
    absent '\beval\b'
    absent '(^|[;&|[:space:]])(\.|source) "?\$(corpus|conf|exp|args|tag)'
}

@test "scripts keep to bash 3.2 and to POSIX tools" {
    absent '\b(mapfile|readarray|coproc|EPOCHSECONDS|EPOCHREALTIME|inherit_errexit|globstar)\b'
    absent '(declare|local|typeset) -[A-Za-z]*[Ang]|wait -n|&>>|\|&|printf .*%\('
    absent '\$\{[A-Za-z_]+(\^|,|@)'
    absent 'readlink -f|sed -i|date -[dI]|grep -P'
}

@test "no recipe and no script names a folder of one machine" {
    run grep -rnE '/(home|Users|root|mnt|media|scratch|storage[A-Za-z]*)/' \
        "${scripts[@]}" egs/*/*.md egs/*/conf egs/*/local
    [ "$status" -eq 1 ]
}

@test "stages hold no text processing" {
    run grep -nE '\b(sed|awk|cut|perl)\b' egs/*/run.sh
    [ "$status" -eq 1 ]
}

@test "every recipe has the same small anatomy" {
    for recipe in egs/*; do
        for name in run.sh path.sh cmd.sh local/data.py conf/train.yaml README.md; do
            [ -f "$recipe/$name" ] || {
                echo "$recipe/$name is missing"
                return 1
            }
        done
        [ -x "$recipe/run.sh" ]
        [ "$(wc -l <"$recipe/run.sh")" -le 70 ]
        [ "$(wc -l <"$recipe/path.sh")" -le 3 ]
        [ "$(wc -l <"$recipe/cmd.sh")" -le 3 ]
        cmp "$recipe/path.sh" egs/voicebank/path.sh
        cmp "$recipe/cmd.sh" egs/voicebank/cmd.sh
        grep -qx 'set -euo pipefail' "$recipe/run.sh"
    done
}

@test "every recipe numbers its stages alike" {
    for recipe in egs/*; do
        grep -oE '^if stage [0-9]' "$recipe/run.sh" | diff <(printf 'if stage %s\n' {0..7}) -
    done
}

@test "every script that is called says what it is and can be executed" {
    for script in .ci/run ci/*.sh tools/*.sh egs/*/run.sh; do
        [ -x "$script" ]
        [ "$(head -n 1 "$script")" = "#!/usr/bin/env bash" ]
        [[ $(sed -n 2p "$script") == "# "* ]]
    done
}

@test "lines end with line feeds and are at most 100 columns wide" {
    absent $'\r'
    for script in "${scripts[@]}"; do
        awk -v name="$script" 'length > 100 { print name ": " FNR; bad = 1 } END { exit bad }' \
            "$script"
    done
}

@test "ci runs the very test command of the README" {
    command=$(tail -n 1 .ci/run)
    [ "$command" = "tools/install.sh && ci/test.sh" ]
    [ -f README.md ] || skip "no README.md"
    grep -qxF "$command" README.md
}
