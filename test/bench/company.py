"""How far an utterance's output depends on what it is decoded with: it should not.

    python test/bench/company.py --exp egs/voicebank/exp/mini --dump egs/voicebank/dump/mini/test

A trained model decodes the same utterances alone, in batches of four of unequal lengths, in another
order, and in one or three jobs; fixed threads. Printed is the largest difference of any sample from
the utterance alone, fp32 and bf16. Full scale is 1. Exits with 1 above the ceiling in fp32.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from diffaudio.data.batch import Batch, Item, collate
from diffaudio.data.index import Index
from diffaudio.data.plan import key
from diffaudio.decode.configuration import read_config
from diffaudio.decode.spec import DecodeSpec
from diffaudio.decode.trained import load
from diffaudio.jobs import Task, run_tasks

CEILING = 1e-5
Outputs = dict[str, np.ndarray]


def decoded(exp: Path, dump: Path, groups: list[list[int]], precision: str) -> Outputs:
    """Return the output of every row, decoded in these groups."""
    torch.set_num_threads(1)
    config = read_config(exp / "config.yaml", [f"--decode.precision={precision}"])
    trained = load(exp, config, config.build(DecodeSpec))
    index, found = Index.open(dump), {}
    for rows in groups:
        batch = _batch(index, str(trained.audio.given), rows, trained.spec.seed)
        made = trained.generate(batch.target, batch.samples, batch.keys)
        for name, one, length in zip(batch.ids, made, batch.samples.tolist(), strict=True):
            found[name] = one[0, :length].numpy()
    return found


def _batch(index: Index, role: str, rows: list[int], seed: int) -> Batch:
    names = [index.id(row) for row in rows]
    items = [
        Item(name, {role: index.read(row, role)}, key(seed, name), 0)
        for name, row in zip(names, rows, strict=True)
    ]
    return collate(items, grid=1)


def in_jobs(nj: int, exp: Path, dump: Path, groups: list[list[int]], precision: str) -> Outputs:
    """Return the same, each group being a task of its own."""
    arguments = {"exp": exp.resolve(), "dump": dump.resolve(), "precision": precision}
    tasks = [
        Task(str(n), decoded, {**arguments, "groups": [group]}) for n, group in enumerate(groups)
    ]
    with tempfile.TemporaryDirectory() as folder:
        parts = run_tasks(tasks, nj=nj, log_dir=Path(folder), title=f"{nj} jobs")
    return {name: made for part in parts for name, made in part.items()}


def apart(one: Outputs, other: Outputs) -> float:
    """Return the largest difference of any sample."""
    assert one.keys() == other.keys()
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Compare utterances alone and in company.")
    parser.add_argument("--exp", type=Path, required=True, help="a trained experiment")
    parser.add_argument("--dump", type=Path, required=True, help="shards of a set")
    parser.add_argument("--items", type=int, default=12, help="utterances, spread over the lengths")
    options = parser.parse_args()
    lengths = Index.open(options.dump).samples
    by_length = np.argsort(lengths, kind="stable")
    rows = by_length[np.linspace(0, len(lengths) - 1, options.items).astype(int)].tolist()
    mixed = np.random.default_rng(0).permutation(rows).tolist()
    fours = [mixed[start : start + 4] for start in range(0, len(mixed), 4)]
    backwards = [group[::-1] for group in fours[::-1]]
    seconds = lengths[rows] / Index.open(options.dump).rate
    sys.stdout.write(f"{len(rows)} utterances of {seconds.min():.2f} to {seconds.max():.2f} s\n")
    worst = {}
    for precision in ("fp32", "bf16"):
        place = options.exp, options.dump
        alone = decoded(*place, [[row] for row in rows], precision)
        found = {
            "batches of 4": decoded(*place, fours, precision),
            "the same, reversed": decoded(*place, backwards, precision),
            "batches of 4, 1 job": in_jobs(1, *place, fours, precision),
            "batches of 4, 3 jobs": in_jobs(3, *place, fours, precision),
        }
        for name, outputs in found.items():
            sys.stdout.write(f"{precision}  {name:22s} {apart(alone, outputs):.1e}\n")
        worst[precision] = max(apart(alone, outputs) for outputs in found.values())
    sys.stdout.write(
        f"fp32 {worst['fp32']:.1e} (ceiling {CEILING:.0e}), bf16 {worst['bf16']:.1e}\n"
    )
    return int(worst["fp32"] > CEILING)


if __name__ == "__main__":
    sys.exit(main())
