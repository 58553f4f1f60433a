#!/usr/bin/env bash
# LJSpeech: a voice that reads text, with a vocoder of its own; from the corpus to scored speech.
# In minutes on two cores:  run.sh --corpus mini --conf conf/demo.yaml
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")"; . ./path.sh; . ./cmd.sh
stage=0                          # first stage to run
stop_stage=6                     # last stage to run; 7 (conf/sweep.yaml) takes hours
corpus=official                  # official, mini, synthetic, or a folder/ in the official layout
hours=                           # of speech in the synthetic corpus; empty: 1
conf=conf/train.yaml             # YAML of the voice: audio, model, train, decode, score
tuning=                          # YAML laid over conf: conf/tuning/gradtts.yaml
args=                            # overrides for the voice: --args "--train.steps 20"
vocoder=                         # YAML of its vocoder; empty: conf/vocoder_<conf>.yaml; none: none
vocoder_args=                    # overrides for the vocoder: --vocoder_args "--train.steps 20"
model=all                        # what stage 4 trains: voice, vocoder or all
tag=                             # suffix of the folders in data, dump and exp: keeps variants apart
exp=                             # folder of the voice; empty: exp/<conf>_<tuning>_<tag>
split="test"                     # split to speak and to score: test, valid
decode_tag=default               # name of this way to decode: exp/<name>/decode/<decode_tag>
limit=0                          # stage 1 takes the first items of every set; 0: all; give a --tag
max_reject=                      # share of bad items a set may lose; empty: 0.01, of the test none
nj=$(getconf _NPROCESSORS_ONLN)  # parallel jobs, in all stages but training
ngpu=0                           # GPUs per machine; 0 computes on the CPU
num_nodes=1                      # machines for training
status=false                     # only show what is done, stale or missing
dry_run=false                    # only print the commands
check=false                      # try all stages on few items and steps, in folders of their own
force=false                      # do again what is up to date
. parse_options.sh; only_stage 1 limit max_reject; only_stage 4 model; corpus_again=$force
try_few args vocoder_args; case $corpus in */*) root=$corpus ;; *) root=downloads/$corpus ;; esac
data=data/$(basename -- "$root")${tag:+_$tag} dump=dump/${data#data/}
variant=$(basename -- "$tuning" .yaml)${tag:+_$tag} name=$(basename -- "$conf" .yaml)
exp=${exp:-exp/$name${variant:+_${variant#_}}}
vocoder=${vocoder:-conf/vocoder_$name.yaml} voc=exp/$(basename -- "$vocoder" .yaml)${tag:+_$tag}
if [ "$vocoder" = none ]; then copy=: voc=; else copy=run args="--decode.vocoder $voc $args"; fi
on=(--data "$data" --set "$split" --tag "$decode_tag" --nj "$nj")
[ -z "$voc" ] || configure "$voc/asked.$decode_tag.yaml" vocoder "$vocoder_args"
configure "$exp/asked.$decode_tag.yaml"
if stage 0 "Get the corpus: $root" "$root"; then
    run python local/data.py --corpus "$corpus" ${hours:+--hours "$hours"} --force "$corpus_again"
fi
if stage 1 "List and check the recordings: $data" "$data"; then
    run diffaudio manifest --config "$conf" --recipe local/data.py --corpus "$root" --out "$data" \
        --limit "$limit" --nj "$nj" ${max_reject:+--max_reject "$max_reject"}
fi
if stage 2 "Resample and pack them into shards: $dump" "$dump"; then
    run diffaudio shard --config "$conf" --data "$data" --out "$dump" --nj "$nj"
fi
if stage 3 "Read the texts: $dump/text" "$dump/text"; then
    run diffaudio extract --config "$conf" --data "$data" --out "$dump/text"
fi
if stage 4 "Train: $model" "$exp"; then
    train=(diffaudio train --dump "$dump" --ngpu "$ngpu" --num_nodes "$num_nodes")
    [[ $model == voice ]] || $copy "${train[@]}" --config "$vocoder" --exp "$voc"
    [[ $model == vocoder ]] || run "${train[@]}" --config "$conf" --exp "$exp"
fi
if stage 5 "Speak the $split set: $exp/decode/$decode_tag" "$exp/decode/$decode_tag"; then
    $copy diffaudio decode --config "$vocoder" --exp "$voc" "${on[@]}" --dump "$dump" --ngpu "$ngpu"
    run diffaudio decode --config "$conf" --exp "$exp" "${on[@]}" --dump "$dump" --ngpu "$ngpu"
fi
if stage 6 "Score: $exp/score/$decode_tag" "$exp/score/$decode_tag"; then
    $copy diffaudio score --config "$vocoder" --exp "$voc" "${on[@]}" --system copies
    run diffaudio score --config "$conf" --exp "$exp" "${on[@]}" ${voc:+--versus "$voc:$decode_tag"}
    run python local/alignment.py --exp "$exp" --data "$data" --dump "$dump" --set "$split"
fi
if stage 7 "Compare solvers and calls: $exp/sweep"; then
    run diffaudio sweep --config conf/sweep.yaml "--sweep.models+=$exp" --data "$data" \
        --dump "$dump" --set valid --out "$exp/sweep" --nj "$nj" --ngpu "$ngpu"
fi
finish
