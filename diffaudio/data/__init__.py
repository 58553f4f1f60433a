"""Corpora: from a recipe's rows to checked manifests, shards and batches; nothing of diffusion.

audio.py     AudioSpec; audio files read, resampled, written
manifest.py  rows on disk: one JSON object per line, by id
problem.py   what can be wrong, and its mend
validate.py  rows checked as rows: ids, paths, times, text, splits
faults.py    their audio checked: cut, silent, clipped, shifted, ...
corpus.py    rows to manifests: all of the above, in parallel
convert.py   the rows of one shard converted: resampled, quantised, FLAC
prepare.py   manifests to shards, one task each
shards.py    one tar with an index and a footer
columns.py   arrays that are mapped into memory
merge.py     the shards of a data set made into one index
index.py     the merged index, memory-mapped
plan.py      which rows a step takes, and the key of every random draw
mix.py       clean and noise remixed at another level
batch.py     items side by side, padded (torch)
loader.py    batches of a data set for training and evaluation (torch)
"""
