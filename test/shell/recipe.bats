#!/usr/bin/env bats
# egs/*/run.sh with a fake diffaudio and a fake python: what is called, with which arguments.
# shellcheck disable=SC2016  # what must not expand

setup() {
    . "$BATS_TEST_DIRNAME/common.bash"
    fake diffaudio
    fake python
    voicebank=$ROOT/egs/voicebank/run.sh
}

# call VERB [STATUS]: the arguments of the recipe's call of this verb, one per line
call() {
    awk -v verb="$1" '
        /^(manifest|shard|train|decode|score|status)$/ { on = $0 == verb }
        on' diffaudio.argv
}

@test "the stages call each verb once, in order" {
    run "$voicebank" --corpus mini --conf conf/demo.yaml --nj 3
    [ "$status" -eq 0 ]
    grep -xE 'manifest|shard|train|decode|score|extract|sweep' diffaudio.argv |
        diff <(printf '%s\n' manifest shard train decode score) -
    printf '%s\n' local/data.py --corpus mini --downloads downloads --force false |
        diff - python.argv
    printf '%s\n' shard --config conf/demo.yaml --data data/mini --out dump/mini --nj 3 |
        diff - <(call shard)
    has "Successfully finished."
}

@test "the experiment is named after the configuration, the data after the corpus" {
    "$voicebank" --corpus mini --conf conf/demo.yaml --stage 1
    printf '%s\n' train --config conf/demo.yaml --dump dump/mini --exp exp/demo \
        --ngpu 0 --num_nodes 1 | diff - <(call train)
    call manifest | grep -x downloads/mini
}

@test "--tuning lays a configuration over another; both name the experiment" {
    mkdir -p mine
    cp "$ROOT"/egs/voicebank/*.sh mine
    fake diffaudio '[ "$1" != config ] || echo "merged: true"'
    DIFFAUDIO_ROOT=$ROOT run mine/run.sh --corpus mini --conf conf/mini.yaml \
        --tuning conf/tuning/ouve.yaml --args "--train.seed 1" --tag a --stage 4
    [ "$status" -eq 0 ]
    printf '%s\n' config --config conf/mini.yaml --config conf/tuning/ouve.yaml --train.seed 1 \
        --print_config | diff - <(awk '$0 == "train" { exit } 1' diffaudio.argv)
    asked=$(cd mine && echo exp/mini_ouve_a/asked.default.*.yaml)
    [ "$(tail -n +2 "mine/$asked")" = "merged: true" ]
    grep -q '^# What run.sh was asked; config.yaml .* trained' "mine/$asked"
    printf '%s\n' train --config "$asked" --dump dump/mini_a \
        --exp exp/mini_ouve_a --ngpu 0 --num_nodes 1 | diff - <(call train)
}

@test "--tag keeps variants apart, --exp names the experiment" {
    "$voicebank" --corpus mini --conf conf/demo.yaml --stage 1 --tag a
    call shard | grep -x dump/mini_a
    call score | grep -x exp/demo_a
    rm diffaudio.argv
    "$voicebank" --exp "my exp" --stage 4 --ngpu 2 --num_nodes 3
    printf '%s\n' train --config conf/train.yaml --dump dump/official --exp 'my\ exp' \
        --ngpu 2 --num_nodes 3 | diff - <(call train)
}

@test "a corpus with a / in its name is a folder" {
    "$voicebank" --corpus "/big disk/VCTK-DEMAND/"
    call manifest | grep -xF -- '/big\ disk/VCTK-DEMAND/'
    call shard | grep -x data/VCTK-DEMAND
    grep -xF -- '/big\ disk/VCTK-DEMAND/' python.argv
}

@test "spaces, quotes, \$(), newlines and emoji reach the commands unharmed" {
    odd=$'a "b" \'c\' $(touch hit) `touch hit` \n*;\\ 🎧'
    "$voicebank" --corpus "x/$odd" --exp "$odd" --conf "$odd.yaml" --stage 0
    printf '%q\n' train --config "$odd.yaml" --dump "dump/$odd" --exp "$odd" --ngpu 0 \
        --num_nodes 1 | diff - <(call train)
    printf '%q\n' local/data.py --corpus "x/$odd" --downloads downloads --force false |
        diff - python.argv
    [ ! -e hit ]
    [ ! -e "$ROOT/egs/voicebank/hit" ]
}

@test "it works from any folder, through any name, with CDPATH set" {
    export CDPATH=/tmp:/
    cd "$ROOT/egs"
    run voicebank/run.sh --stage 3 --stop_stage 3
    [ "$status" -eq 0 ]
    cd voicebank
    run bash run.sh --stage 3 --stop_stage 3
    [ "$status" -eq 0 ]
    cd /
    run "$voicebank" --stage 3 --stop_stage 3
    [ "$status" -eq 0 ]
}

@test "a recipe may live outside the repository, in a folder with a space" {
    mkdir -p "my work/egs/mine"
    cp "$ROOT"/egs/voicebank/*.sh "my work/egs/mine"
    DIFFAUDIO_ROOT=$ROOT run "my work/egs/mine/run.sh" --stage 4 --stop_stage 4 --corpus mini
    [ "$status" -eq 0 ]
    call train | grep -x dump/mini
}

@test "--decode_tag and --sets name ways to decode and sets, one call for each set" {
    "$voicebank" --sets "valid test" --decode_tag calls1 --stage 5
    [ "$(grep -cx decode diffaudio.argv)" -eq 2 ]
    [ "$(grep -cx score diffaudio.argv)" -eq 2 ]
    [ "$(grep -cx calls1 diffaudio.argv)" -eq 4 ]
    call decode | grep -x valid
    call score | grep -x test
}

@test "--max_reject reaches the check of the recordings, when it is given" {
    "$voicebank" --stop_stage 1 --stage 1
    run grep -x -- --max_reject diffaudio.argv
    [ "$status" -eq 1 ]
    "$voicebank" --stop_stage 1 --stage 1 --max_reject 0.02
    [ "$(call manifest | grep -x -A1 -- --max_reject | tail -n 1)" = 0.02 ]
}

@test "--limit and --max_reject are refused where stage 1 is not run" {
    for words in "--limit 12" "--max-reject=0.5"; do
        # shellcheck disable=SC2086
        run "$voicebank" --stage 4 $words
        [ "$status" -eq 2 ]
        has "does nothing without stage 1, and stages 4 to 7 are asked for"
    done
    run "$voicebank" --stage 4 --check true
    [ "$status" -eq 0 ]
}

@test "no sets and odd numbers of stages are refused" {
    run "$voicebank" --sets " "
    [ "$status" -eq 1 ]
    has "--sets: expected a value"
    run "$voicebank" --stage 08
    [ "$status" -eq 1 ]
    has "leave out leading zeros"
    [ ! -e diffaudio.argv ]
}

@test "--check true tries all stages on few items and steps, away from the real folders" {
    mkdir -p mine
    cp "$ROOT"/egs/voicebank/*.sh mine
    DIFFAUDIO_ROOT=$ROOT run mine/run.sh --check true --corpus mini --exp exp/precious \
        --args "--train.steps 900"
    [ "$status" -eq 0 ]
    [ "$(call manifest | grep -x -A1 -- --limit | tail -n 1)" -lt 20 ]
    call shard | grep -x dump/mini_check
    call train | grep -x exp/train_check
    [ "$(grep -x -A1 -- --train.steps diffaudio.argv | tail -n 1)" -lt 10 ]
    [ "$(grep -cx -- --force diffaudio.argv)" -eq 5 ]
    [ "$(tail -n 1 python.argv)" = false ]
    run grep -x exp/precious diffaudio.argv
    [ "$status" -eq 1 ]
}

@test "--status true asks for the folders of every stage, and under which configuration" {
    run "$voicebank" --status true --corpus mini --conf conf/demo.yaml \
        --tuning conf/tuning/ouve.yaml --args "--train.seed 1"
    [ "$status" -eq 0 ]
    printf '%s\n' status 0=downloads/mini 1=data/mini 2=dump/mini 4=exp/demo_ouve \
        5=exp/demo_ouve/decode/default 6=exp/demo_ouve/score/default \
        --config conf/demo.yaml --config conf/tuning/ouve.yaml --train.seed 1 |
        diff - diffaudio.argv
    [ ! -e python.argv ]
}

@test "--dry_run true calls nothing" {
    run "$voicebank" --dry_run true --corpus mini
    [ "$status" -eq 0 ]
    has "python local/data.py --corpus mini"
    has "diffaudio score --config conf/train.yaml"
    [ ! -e diffaudio.argv ]
    [ ! -e python.argv ]
}

@test "--help names every option with its default" {
    run "$voicebank" --help
    [ "$status" -eq 0 ]
    has "VoiceBank-DEMAND"
    for name in stage stop_stage corpus conf tuning args tag exp sets decode_tag limit max_reject nj ngpu \
        num_nodes status dry_run check force; do
        has "  --$name "
    done
    longest=$(awk '{ print length }' <<<"$output" | sort -n | tail -n 1)
    [ "$longest" -le 100 ]
}

@test "a failure says how to go on, with the recipe as it was called" {
    fake diffaudio '[ "$1" != train ] || exit 73'
    cd "$ROOT"
    run egs/voicebank/run.sh --corpus mini --conf conf/demo.yaml
    [ "$status" -eq 73 ]
    has "ERROR in stage 4 (Train: exp/demo): exit code 73, in use by another run"
    has "go on by: egs/voicebank/run.sh --corpus mini --conf conf/demo.yaml --stage 4"
}

@test "the backend comes from the environment, else from cmd.local.sh, else it is local" {
    mkdir mine
    cp "$ROOT"/egs/voicebank/*.sh mine
    rm -f mine/cmd.local.sh
    fake diffaudio 'echo "backend $DIFFAUDIO_CMD"'
    export DIFFAUDIO_ROOT=$ROOT
    run mine/run.sh --stage 2 --stop_stage 2
    has "backend local"
    DIFFAUDIO_CMD=tcp://head:8786 run mine/run.sh --stage 2 --stop_stage 2
    has "backend tcp://head:8786"
    echo 'DIFFAUDIO_CMD=${DIFFAUDIO_CMD:-slurm}' >mine/cmd.local.sh
    run mine/run.sh --stage 2 --stop_stage 2
    has "backend slurm"
}

@test "an active environment is used, tools/venv when none is" {
    mkdir -p root/egs/x root/tools/venv/bin
    cp -r "$ROOT/utils" root/
    cp "$ROOT"/egs/voicebank/*.sh root/egs/x/
    for name in diffaudio python; do
        printf '#!/bin/bash\necho from venv\n' >"root/tools/venv/bin/$name"
        chmod +x "root/tools/venv/bin/$name"
    done
    run root/egs/x/run.sh --stage 2 --stop_stage 2
    lacks "from venv"
    run env -u VIRTUAL_ENV -u CONDA_DEFAULT_ENV root/egs/x/run.sh --stage 2 --stop_stage 2
    has "from venv"
    run env -u VIRTUAL_ENV CONDA_DEFAULT_ENV=base root/egs/x/run.sh --stage 2 --stop_stage 2
    has "from venv"
    run env -u VIRTUAL_ENV CONDA_DEFAULT_ENV=audio root/egs/x/run.sh --stage 2 --stop_stage 2
    lacks "from venv"
}
