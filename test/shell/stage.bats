#!/usr/bin/env bats
# utils/stage.sh: stages, dry run, status, and the block that a failing stage leaves.
# shellcheck disable=SC2016  # what must not expand

bats_require_minimum_version 1.5.0

setup() {
    . "$BATS_TEST_DIRNAME/common.bash"
    fake diffaudio
    cat >run.sh <<'END'
#!/usr/bin/env bash
# A recipe.
set -euo pipefail
. stage.sh
stage=0         # first
conf="a b.yaml" # configuration
stop_stage=3    # last
tuning=         # laid over conf
args=           # more
force=false     # again
status=false    # show
dry_run=false   # print
code=0          # how stage 2 ends
take=           # stage 1 takes so many
. parse_options.sh
only_stage 1 take code_book
configure "my exp/conf.yaml"
if stage 0 "Get: a b" "downloads/a b"; then
    run echo got "a  b"
fi
if stage 1 "Pack" dump/x dump/y; then
    run diffaudio shard --config "$conf" --out dump/x
fi
if stage 2 "Train"; then
    run bash -c 'exit "$0"' "$code"
    echo "after"
fi
if stage 3 "Score" exp; then
    run diffaudio score
fi
finish
END
    chmod +x run.sh
}

@test "all stages run in order, and the end is said" {
    run ./run.sh
    [ "$status" -eq 0 ]
    [[ $output =~ 20[0-9-]{8}T[0-9:]{8}\ \(run.sh\)\ Stage\ 0:\ Get:\ a\ b ]]
    has "got a  b"
    [[ $output =~ Stage\ 0.*Stage\ 1.*Stage\ 2.*after.*Stage\ 3 ]]
    [[ $output =~ "(run.sh) Successfully finished. [elapsed="[0-9]+s\]$ ]]
}

@test "--stage and --stop_stage are both inclusive" {
    run ./run.sh --stage 1 --stop_stage 2
    [ "$status" -eq 0 ]
    [[ $output =~ Stage\ 1.*Stage\ 2 ]]
    lacks "Stage 0"
    lacks "Stage 3"
    run ./run.sh --stage 2 --stop_stage 2
    lacks "Stage 1"
    has "Stage 2"
    lacks "Stage 3"
}

@test "skipping the last stage is no failure" {
    run ./run.sh --stop_stage 0
    [ "$status" -eq 0 ]
    has "Successfully finished."
}

@test "no stage at all is refused instead of finished" {
    run ./run.sh --stage 3 --stop_stage 2
    [ "$status" -eq 2 ]
    has "no stage between --stage 3 and --stop_stage 2"
    lacks "Successfully"
    run ./run.sh --stage 12
    [ "$status" -eq 2 ]
}

@test "an option of a stage that is not run is refused before anything, with the stage" {
    for words in "--take 5 --stage 2" "--take=5 --stop_stage 0" "--stage=2 --take 5"; do
        # shellcheck disable=SC2086
        run ./run.sh $words
        [ "$status" -eq 2 ]
        has "./run.sh: --take does nothing without stage 1, and stages "
        lacks "Stage "
    done
    [ ! -e diffaudio.argv ]
    has "stages 2 to 3 are asked for"
    for words in "--take 5" "--stage 1 --stop_stage 1 --take 5" "--stage 2 --tuning=--take"; do
        # shellcheck disable=SC2086
        run ./run.sh $words
        [ "$status" -eq 0 ]
    done
}

@test "the rerun command leaves out the options of stages that are done" {
    run ./run.sh --take 5 --code 1 --take=7
    has "go on by: ./run.sh --code 1 --stage 2"
    fake diffaudio '[ "$1" != shard ] || exit 1'
    run ./run.sh --take 5
    has "go on by: ./run.sh --take 5 --stage 1"
}

@test "a failing stage stops the recipe with one block: stage, cause, command, how to go on" {
    run ./run.sh --args "--a 'b  c'" --code 3 --stage 1 --stop_stage=3
    [ "$status" -eq 3 ]
    has "ERROR in stage 2 (Train): exit code 3, see above"
    has "command:  bash -c exit\\ \\\"\\\$0\\\" 3"
    has "go on by: ./run.sh --args --a\\ \\'b\\ \\ c\\' --code 3 --stop_stage=3 --stage 2"
    lacks "after"
    lacks "Stage 3"
    lacks "Successfully"
}

@test "the rerun command can be pasted into a shell and means the same" {
    run ./run.sh --args $'two\nlines $(touch hit) 🎧' --code 5
    line=${output##*go on by: }
    fake run.sh
    PATH=$PWD/bin:$PATH bash -c "${line/.\/run.sh/run.sh}"
    printf '%q\n' --args $'two\nlines $(touch hit) 🎧' --code 5 --stage 2 >wanted
    diff wanted run.sh.argv
    [ ! -e hit ]
}

@test "the rerun command keeps what is finished" {
    run ./run.sh --force true --stage=0 --stop-stage 2 --code 1
    has "go on by: ./run.sh --stop-stage 2 --code 1 --stage 2"
    run ./run.sh --force=true --code 1
    has "go on by: ./run.sh --code 1 --stage 2"
}

@test "the rerun command works as typed: bash run.sh" {
    run bash run.sh --code 1
    has "go on by: bash run.sh --code 1 --stage 2"
}

@test "exit codes are decoded" {
    while IFS=: read -r code cause; do
        run "-$code" ./run.sh --code "$code"
        has "exit code $code, $cause"
    done <<'END'
1:see above
73:in use by another run
75:stopped after saving
126:not executable
127:not found
130:interrupted
137:killed, most likely out of memory
139:crashed
143:terminated from outside
136:signal 8
END
}

@test "a command that is not there is said to be missing" {
    sed 's/run echo got/run no-such-command/' run.sh >other.sh
    run -127 bash other.sh
    has "ERROR in stage 0 (Get: a b): exit code 127, not found"
}

@test "--help and refused options leave no failure block" {
    for words in "--help" "--stge 1" "--stage x" "stray"; do
        # shellcheck disable=SC2086
        run ./run.sh $words
        lacks "ERROR"
        lacks "Stage 0"
    done
}

@test "--dry_run true prints what can be pasted and does nothing" {
    run ./run.sh --dry_run true --force true
    [ "$status" -eq 0 ]
    has 'echo got a\ \ b'
    lacks $'\ngot'
    has "diffaudio shard --config a\\ b.yaml --out dump/x --force"
    has "Dry run: nothing was done; these are commands for the folder $PWD"
    [ ! -e diffaudio.argv ]
    ./run.sh --dry_run true 2>/dev/null | bash >again
    [ "$(cat again)" = "got a  b" ]
    [ -e diffaudio.argv ]
}

@test "--status true asks for the folders of the chosen stages and runs nothing" {
    run ./run.sh --status true
    [ "$status" -eq 0 ]
    printf '%q\n' status "0=downloads/a b" 1=dump/x 1=dump/y 3=exp --config "a b.yaml" |
        diff - diffaudio.argv
    lacks got
    lacks "Successfully"
    rm diffaudio.argv
    run ./run.sh --status true --stage 3
    printf '%q\n' status 3=exp --config "a b.yaml" | diff - diffaudio.argv
}

@test "a failing status is no failed stage" {
    fake diffaudio "exit 4"
    run ./run.sh --status true
    [ "$status" -eq 4 ]
    lacks "ERROR in stage"
}

@test "without --args the configuration is checked once and used as it is" {
    run ./run.sh --stage 1 --stop_stage 1 --args "  "
    [ "$status" -eq 0 ]
    printf '%s\n' config --config 'a\ b.yaml' shard --config 'a\ b.yaml' --out dump/x | diff - diffaudio.argv
}

@test "--args make a configuration of their own, split at spaces, not globbed or evaluated" {
    touch glob
    fake diffaudio '[ "$1" != config ] || echo "train: {steps: 20}"'
    run ./run.sh --stage 1 --stop_stage 1 --args $'--train.steps 20  --x *\t$(touch hit)\n"q"'
    [ "$status" -eq 0 ]
    asked=$(echo "my exp"/*)
    [[ $asked =~ ^"my exp/conf."[0-9]+".yaml"$ ]]
    printf '%q\n' config --config "a b.yaml" --train.steps 20 --x '*' '$(touch' 'hit)' '"q"' \
        --print_config shard --config "$asked" --out dump/x | diff - diffaudio.argv
    [ ! -e hit ]
    [ "$(tail -n +2 "$asked")" = "train: {steps: 20}" ]
    run ./run.sh --stage 1 --stop_stage 1 --args "--train.steps 30" # changes nothing of the first
    [ "$(tail -n +2 "$asked")" = "train: {steps: 20}" ]
    [ "$(find "my exp" -type f | wc -l)" -eq 2 ]
}

@test "--args that are refused stop the recipe before the first stage" {
    fake diffaudio 'echo "train.step: did you mean train.steps?" >&2; exit 1'
    run ./run.sh --args "--train.step 20"
    [ "$status" -eq 1 ]
    has "did you mean"
    lacks "Stage"
    lacks "ERROR in"
    [ "$(echo "my exp"/*.yaml)" = "my exp/*.yaml" ]
}

@test "a configuration that is refused stops the recipe before the first stage" {
    fake diffaudio 'echo "ok: audio"; echo "x.yaml, line 1: train.step: no such option" >&2; exit 1'
    run ./run.sh
    [ "$status" -eq 1 ]
    [ "$output" = "x.yaml, line 1: train.step: no such option" ]
    fake diffaudio 'exit 137'
    run ./run.sh
    [ "$status" -eq 137 ]
    has "diffaudio config: exit code 137, killed"
}

@test "--args in a dry run and in a status" {
    run ./run.sh --args "--train.steps 20" --dry_run true --stage 1 --stop_stage 1
    has 'diffaudio config --config a\ b.yaml --train.steps 20 --print_config >my\ exp/conf.'
    has 'diffaudio shard --config my\ exp/conf.'
    run ./run.sh --dry_run true
    [ ! -e diffaudio.argv ]
    run ./run.sh --args "--train.steps 20" --status true --stage 3
    printf '%q\n' status 3=exp --config "a b.yaml" --train.steps 20 | diff - diffaudio.argv
    [ ! -e "my exp" ]
}

@test "--force true goes to diffaudio only" {
    run ./run.sh --force true --stop_stage 1
    printf '%s\n' config --config 'a\ b.yaml' shard --config 'a\ b.yaml' --out dump/x --force |
        diff - diffaudio.argv
    has "got a  b"
}

@test "a second model has a configuration, changes and a folder of its own" {
    sed -e '/^conf=/a voice=v.yaml # its own\nvoice_args= # more' \
        -e '/^configure/a configure "my voice/conf.yaml" voice "$voice_args"' \
        -e 's/--config "$conf"/--config "$conf" "$voice"/' run.sh >two.sh
    fake diffaudio '[ "$1" != config ] || echo "train: {steps: 20}"'
    run bash two.sh --stage 1 --stop_stage 1 --voice_args "--train.steps 20"
    [ "$status" -eq 0 ]
    printf '%q\n' config --config "a b.yaml" \
        config --config v.yaml --train.steps 20 --print_config \
        shard --config "a b.yaml" "$(echo "my voice"/*)" --out dump/x | diff - diffaudio.argv
    rm -r diffaudio.argv "my voice"
    run bash two.sh --tuning t.yaml --dry_run true
    has 'mkdir -p my\ exp && diffaudio config --config a\ b.yaml --config t.yaml --print_config'
    lacks "my\\ voice"
    run bash two.sh --tuning t.yaml --status true --stage 3
    printf '%q\n' status 3=exp --config "a b.yaml" --config t.yaml \
        status "4=my voice" --config v.yaml | diff - diffaudio.argv
}

@test "--check true makes trainings short, keeps folders apart, and asks for all again" {
    sed -e '/^args=/a voice_args="--x 1"\nlimit=0\ncheck=false # try\ntag= # suffix\nexp=given' \
        -e '/^only_stage/a try_few args voice_args; echo "$limit|$force|$tag|$exp|$args|$voice_args"' \
        run.sh >few.sh
    few='--train.steps 4 --train.valid_every 2 --train.valid_items 2'
    run bash few.sh --dry_run true --tag a
    [ "${lines[0]}" = "0|false|a|given||--x 1" ]
    run bash few.sh --dry_run true --check true --args "--y 2"
    [ "${lines[0]}" = "12|true|check||--y 2 $few|--x 1 $few" ]
    run bash few.sh --dry_run true --check true --tag a
    [ "${lines[0]}" = "12|true|a_check|| $few|--x 1 $few" ]
}
