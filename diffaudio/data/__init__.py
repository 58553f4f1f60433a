"""Corpora: from a recipe's rows to checked manifests, shards and batches; nothing of diffusion.

manifest.py  rows on disk: one JSON object per line, by id
audio.py     AudioSpec; audio files read, resampled, written
validate.py  rows checked as rows: ids, paths, text, splits
inspect.py   audio files checked as audio: cut, silent, clipped, shifted, ...
prepare.py   manifest to shards
shards.py    one tar with an index and a footer
merge.py     the shards of a data set made into one index
index.py     the merged index, memory-mapped
plan.py      which rows a step takes, and the key of every random draw
mix.py       clean and noise remixed at another level
batch.py     padded batches for training and evaluation (the only module with torch)
"""
