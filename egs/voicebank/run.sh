#!/usr/bin/env bash
# VoiceBank-DEMAND: speech enhancement, from the corpus to a scored and audible model.
# In minutes on two cores:  run.sh --corpus mini --conf conf/demo.yaml
# Files and folders are relative to the folder of this script.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")"
. ./path.sh
. ./cmd.sh

stage=0                          # first stage to run
stop_stage=7                     # last stage to run
corpus=official                  # official, mini, synthetic, or a folder/ in the official layout
conf=conf/train.yaml             # configuration: audio, model, training, decoding, scoring
tuning=                          # another laid over it: conf/tuning/ouve.yaml
args=                            # changes to it: --args "--train.steps 20 --train.seed 1"
tag=                             # added to the names of folders, keeps variants apart
exp=                             # experiment folder; empty: exp/<conf>_<tuning>_<tag>
sets="test"                      # sets to decode and score, separated by spaces
decode_tag=default               # name of this way to decode, in exp/<name>/decode
limit=0                          # stage 1 takes the first items of every set; 0: all; give a --tag
max_reject=                      # share of bad items a set may lose; empty: 0.01, of the test none
nj=$(getconf _NPROCESSORS_ONLN)  # parallel jobs, in all stages but training
ngpu=0                           # GPUs per machine; 0 computes on the CPU
num_nodes=1                      # machines for training
status=false                     # only show what is done, stale or missing
dry_run=false                    # only print the commands
check=false                      # try all stages on few items and steps, in folders of their own
force=false                      # do again what is up to date
. parse_options.sh

only_stage 1 limit max_reject; corpus_again=$force; try_few args
case $corpus in */*) root=$corpus ;; *) root=downloads/$corpus ;; esac
data=data/$(basename -- "$root")${tag:+_$tag} dump=dump/${data#data/}
variant=$(basename -- "$tuning" .yaml)${tag:+_$tag} name=$(basename -- "$conf" .yaml)
exp=${exp:-exp/$name${variant:+_${variant#_}}}
configure "$exp/asked.$decode_tag.yaml"

if stage 0 "Get the corpus: $root" "$root"; then
    run python local/data.py --corpus "$corpus" --downloads downloads --force "$corpus_again"
fi
if stage 1 "List and check the recordings: $data" "$data"; then
    run diffaudio manifest --config "$conf" --recipe local/data.py --corpus "$root" --out "$data" \
        --limit "$limit" --nj "$nj" ${max_reject:+--max_reject "$max_reject"}
fi
if stage 2 "Resample and pack them into shards: $dump" "$dump"; then
    run diffaudio shard --config "$conf" --data "$data" --out "$dump" --nj "$nj"
fi
if stage 3 "Features: none are stored, spectrograms are computed on the fly"; then :; fi
if stage 4 "Train: $exp" "$exp"; then
    run diffaudio train --config "$conf" --dump "$dump" --exp "$exp" \
        --ngpu "$ngpu" --num_nodes "$num_nodes"
fi
if stage 5 "Enhance: $exp/decode/$decode_tag" "$exp/decode/$decode_tag"; then
    for split in $sets; do
        run diffaudio decode --config "$conf" --exp "$exp" --data "$data" --dump "$dump" \
            --set "$split" --tag "$decode_tag" --nj "$nj" --ngpu "$ngpu"
    done
fi
if stage 6 "Score: $exp/score/$decode_tag" "$exp/score/$decode_tag"; then
    for split in $sets; do
        run diffaudio score --config "$conf" --exp "$exp" --data "$data" \
            --set "$split" --tag "$decode_tag" --nj "$nj"
    done
fi
if stage 7 "Sweep of solvers and calls: not part of this recipe"; then :; fi
finish
