#!/usr/bin/env bats
# shellcheck disable=SC2016  # what must not expand
# utils/parse_options.sh: Kaldi's contract without its silent failures.

setup() {
    . "$BATS_TEST_DIRNAME/common.bash"
    cat >script.sh <<'END'
#!/usr/bin/env bash
# Does something.
# In two lines.
set -euo pipefail
stage=0       # first stage to run
stop_stage=7  # last stage to run
train_set=    # may stay empty
name=x y=2    # two words on a line are one option
offset=-1     # may be negative
corpus="a b"  # has a default
force=false   # true or false
i=9           # named like a loop variable
line=text     # named like a buffer
option=text   # named like nothing good
private=1
    indented=1  # not an option
. parse_options.sh
later=1       # not an option either
for each in stage stop_stage train_set name offset corpus force i line option private later; do
    printf '%s=%s\n' "$each" "${!each}"
done
END
    chmod +x script.sh
}

refused() { # message, exit code, arguments
    local message=$1 code=$2
    run ./script.sh "${@:3}"
    has "./script.sh: $message"
    has "all options: ./script.sh --help"
    lacks "unbound variable"
    [ "$status" -eq "$code" ]
}

@test "without arguments the defaults stay" {
    run ./script.sh
    [ "$status" -eq 0 ]
    has "stage=0"
    has "corpus=a b"
    has "name=x"
}

@test "--name value sets a variable" {
    run ./script.sh --stage 3 --corpus /data/vb --force true
    [ "$status" -eq 0 ]
    has "stage=3"
    has "corpus=/data/vb"
    has "force=true"
    has "stop_stage=7"
}

@test "--name=value does so too, with = in the value" {
    run ./script.sh --stage=3 --corpus=a=b --train_set=
    [ "$status" -eq 0 ]
    has "stage=3"
    has "corpus=a=b"
}

@test "a dash in a name means an underscore" {
    run ./script.sh --stop-stage 2 --train-set=dev
    [ "$status" -eq 0 ]
    has "stop_stage=2"
    has "train_set=dev"
}

@test "the last of two wins, whatever the first looked like" {
    run ./script.sh --train_set 5 --train_set dev --corpus true --corpus official
    [ "$status" -eq 0 ]
    has "train_set=dev"
    has "corpus=official"
}

@test "--help is made from the comments of the option lines" {
    for flag in --help -h; do
        run ./script.sh --stage 3 "$flag"
        [ "$status" -eq 0 ]
        has $'Does something.\nIn two lines.'
        [[ $output =~ --stage\ 3\ +first\ stage\ to\ run ]]
        [[ $output =~ --corpus\ a\\\ b\ +has\ a\ default ]]
        [[ $output =~ --train_set\ \'\'\ +may\ stay\ empty ]]
        lacks private
        lacks indented
        lacks later
        lacks "stage=3"
    done
}

@test "a script without options has help as well" {
    printf 'set -eu\n. parse_options.sh\necho ran\n' >bare.sh
    run bash bare.sh --help
    [ "$status" -eq 0 ]
    lacks ran
    run bash bare.sh --stage 1
    [ "$status" -eq 1 ]
    has "unknown option --stage"
    run bash bare.sh
    has ran
}

@test "an unknown option is named, with what was meant" {
    refused "unknown option --stge; did you mean --stage?" 1 --stge 3
    refused "unknown option --stop; did you mean --stop_stage?" 1 --stop 3
    refused "unknown option --stopstage; did you mean --stop_stage?" 1 --stopstage=3
    refused "unknown option --Force; did you mean --force?" 1 --Force true
    refused "unknown option --hepl; did you mean --help?" 1 --hepl
    refused "unknown option --trainset; did you mean --train_set?" 1 --trainset x
}

@test "an unknown option unlike all others gets no suggestion" {
    refused "unknown option --zebra" 1 --zebra 3
    lacks "did you mean"
    refused "unknown option --" 1 "--=3"
}

@test "a key of the configuration is sent to --args" {
    refused 'unknown option --train.steps; keys of the configuration go into --args' 1 \
        --train.steps 20
}

@test "an environment variable is not an option" {
    refused "unknown option --HOME" 1 --HOME /x
    refused "unknown option --PATH" 1 --PATH=/x
    export stage=5 private=2
    refused "unknown option --private" 1 --private 3
    run ./script.sh --stage 4
    has "stage=4"
    run ./script.sh
    has "stage=0"
}

@test "a variable without a comment, indented, or after the options is not an option" {
    refused "unknown option --private" 1 --private 2
    refused "unknown option --indented" 1 --indented 2
    refused "unknown option --later" 1 --later 2
}

@test "a missing value is reported with the option's name" {
    refused "--stage: its value is missing" 1 --stage
    refused "--force: its value is missing" 1 --stage 2 --force
}

@test "an option is not swallowed as the value of another" {
    refused "--corpus: its value is missing, --stage follows" 1 --corpus --stage 5
    refused "--corpus: its value is missing, --stage=5 follows" 1 --corpus --stage=5
    refused "--corpus: its value is missing, -h follows" 1 --corpus -h
    run ./script.sh --corpus=--stage
    has "corpus=--stage"
}

@test "a value may begin with dashes when it cannot be an option" {
    run ./script.sh --corpus "--train.steps 20" --offset -3 --name -
    [ "$status" -eq 0 ]
    has "corpus=--train.steps 20"
    has "offset=-3"
    has "name=-"
}

@test "quotes stay quotes" {
    run ./script.sh --name 'a "b" c' --corpus "it's"
    [ "$status" -eq 0 ]
    has 'name=a "b" c'
    has "corpus=it's"
}

@test "values are not evaluated" {
    run ./script.sh --name '$(touch hit)' --corpus '`touch hit`' --train_set='$HOME;touch hit'
    [ "$status" -eq 0 ]
    has 'name=$(touch hit)'
    has 'corpus=`touch hit`'
    has 'train_set=$HOME;touch hit'
    [ ! -e hit ]
    refused '--stage: expected an integer, got' 1 --stage 'a[$(touch hit)]'
    [ ! -e hit ]
}

@test "newlines, globs, backslashes and emoji pass unharmed" {
    touch glob
    run ./script.sh --name $'two\nlines' --corpus '*' --train_set 'a\nb 🎧  %s'
    [ "$status" -eq 0 ]
    has $'name=two\nlines'
    has 'corpus=*'
    has 'train_set=a\nb 🎧  %s'
}

@test "options may have the parser's favourite names" {
    run ./script.sh --name n --i 5 --line l --option o --stage 1
    [ "$status" -eq 0 ]
    has "name=n"
    has "i=5"
    has "line=l"
    has "option=o"
    run ./script.sh --help
    [[ $output =~ --i\ 9\  ]]
    [[ $output =~ --line\ text\  ]]
}

@test "an integer takes integers only" {
    refused "--stage: expected an integer, got 08 (leave out leading zeros)" 1 --stage 08
    refused "--stage: expected an integer, got 010 (leave out leading zeros)" 1 --stage=010
    refused "--offset: expected an integer, got -01 (leave out" 1 --offset -01
    run ./script.sh --stage 10 --offset 0
    has "stage=10"
    refused "--stage: expected an integer, got two" 1 --stage two
    refused "--stage: expected an integer, got 1.5" 1 --stage=1.5
    refused "--stage: expected an integer, got ''" 1 --stage ''
    refused "--stage: expected an integer, got 99999999999999999999" 1 --stage 99999999999999999999
}

@test "true or false takes these two only" {
    refused "--force: expected true or false, got yes" 1 --force yes
    refused "--force: expected true or false, got True" 1 --force=True
    refused "--force: its value is missing, --stage follows" 1 --force --stage 2
}

@test "an empty value is refused by name, unless the default is empty" {
    refused "--corpus: expected a value, got ''" 1 --corpus ''
    refused "--corpus: expected a value, got ''" 1 --corpus=
    refused "--corpus: expected a value, got \\ " 1 --corpus ' '
    run ./script.sh --train_set ''
    [ "$status" -eq 0 ]
}

@test "an empty argument does not end the parsing in silence" {
    refused "argument 1 is empty" 2 '' --stage 9
    refused "argument 3 is empty" 2 --stage 9 '' --force true
}

@test "leftover arguments are refused with exit code 2" {
    refused "unexpected argument data" 2 data --stage 9
    refused "unexpected argument 3" 2 --stage 2 3
    refused "unexpected argument -stage" 2 -stage 2
    refused "unexpected argument --" 2 -- x
}

@test "the options are found after the script has gone to its own folder" {
    mkdir -p "in here"
    printf 'cd "$(dirname "$0")"\nnj=1  # jobs\n. parse_options.sh\necho "nj=$nj"\n' >"in here/a.sh"
    run bash "in here/a.sh" --nj 4
    [ "$status" -eq 0 ]
    has "nj=4"
}
