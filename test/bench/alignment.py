"""Our alignment search beside monotonic-alignment-search: milliseconds for a batch, same paths.

    pip install --no-deps monotonic-alignment-search
    python test/bench/alignment.py

Scores are those of a prior whose tokens made the frames, with noise; items are as long as the
batch, or between half and all of it. Shown are medians of processor time with one thread, ours and
the peer's taken in turn, each from scores to durations: of scores that lie in memory as (b, tokens,
frames), and of scores as `prior_scores` makes them, which the peer has to copy first. Peak memory
is what each asks numpy for beside the scores. Then what the peer does with scores at the edge of
what it can. Exits with 1 where durations differ, or ours is slower in the mean logarithm.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from monotonic_alignment_search import maximum_path
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import (
    alignment_path,
    expand_tokens,
    prior_scores,
    search_alignment,
    uniform_durations,
)

SIZES = (16, 100, 400), (32, 200, 800), (8, 400, 2000)
REPEATS, CHANNELS = 15, 80
Batch = tuple[Tensor, Tensor, Tensor]  # scores, tokens, frames


def batch(size: tuple[int, int, int], *, ragged: bool) -> Batch:
    """Return scores whose best alignments are near, but not at, an even one."""
    b, most_tokens, most_frames = size
    random = torch.Generator().manual_seed(sum(size))
    share = 0.5 + 0.5 * torch.rand(b, generator=random) if ragged else torch.ones(b)
    tokens, frames = (share * most_tokens).long(), (share * most_frames).long()
    tokens[0], frames[0] = most_tokens, most_frames
    means = torch.randn(b, CHANNELS, most_tokens, generator=random)
    x = expand_tokens(means, uniform_durations(tokens, frames))
    x = x + 2.0 * torch.randn(x.shape, generator=random)
    return prior_scores(means, x, tokens, frames), tokens, frames


def theirs(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the peer's durations."""
    return maximum_path(scores.contiguous(), mask).sum(2).long()


def measure(runs: dict[str, Callable[[], Tensor]]) -> dict[str, float]:
    """Return each run's median milliseconds, runs taken in turn."""
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(REPEATS):
        for name, run in runs.items():
            began = time.process_time()
            run()
            spent[name].append(1e3 * (time.process_time() - began))
    return {name: statistics.median(values) for name, values in spent.items()}


def peak(run: Callable[[], Tensor]) -> float:
    """Return the most that numpy holds during a run, in MB."""
    tracemalloc.start()
    run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def compare(size: tuple[int, int, int], *, ragged: bool) -> list[float]:
    """Print one size's rows; return ours over theirs, or infinity where durations differ."""
    laid, tokens, frames = batch(size, ragged=ragged)
    plain = laid.contiguous()
    in_token, in_frame = (
        torch.arange(n) < count[:, None]
        for n, count in zip(size[1:], (tokens, frames), strict=True)
    )
    mask = (in_token[:, :, None] & in_frame[:, None]).float()
    same, path = True, maximum_path(plain, mask).bool()
    runs: dict[str, Callable[[], Tensor]] = {}
    for name, scores in (("plain", plain), ("prior", laid)):
        runs[f"ours {name}"] = lambda scores=scores: search_alignment(scores, tokens, frames)
        runs[f"theirs {name}"] = lambda scores=scores: theirs(scores, mask)
        found = search_alignment(scores, tokens, frames)
        same &= torch.equal(found, theirs(scores, mask))
        same &= torch.equal(alignment_path(found, size[2]), path)
    typical = measure(runs)
    row = "".join(f"{typical[name]:14.2f}" for name in runs)
    held = "".join(f"{peak(runs[f'{who} plain']):13.1f}" for who in ("ours", "theirs"))
    title = f"{size}{' ragged' if ragged else ''}"
    sys.stdout.write(f"{title:24}{row}{held}   {'same' if same else 'DIFFERENT'}\n")
    pairs = (("ours plain", "theirs plain"), ("ours prior", "theirs prior"))
    return [typical[a] / typical[b] if same else math.inf for a, b in pairs]


def edges() -> None:
    """Print what both make of scores at the edges."""
    random = torch.Generator().manual_seed(0)
    wide = torch.randn(1, 5, 40, generator=random)
    cases = {
        "sums below -1e9": 1e9 * wide,
        "more tokens than frames": wide.mT.contiguous(),
        "digits beyond float32": wide.double() * 1e-9 + 1.0,
        "nan": torch.full_like(wide, math.nan),
    }
    for name, scores in cases.items():
        tokens, frames = (torch.tensor([n]) for n in scores.shape[1:])
        path = maximum_path(scores, torch.ones_like(scores))[0].double()
        durations = path.sum(1)
        if (durations < 1).any() or durations.sum() != frames:
            verdict = "no alignment"
        else:
            try:
                best = alignment_path(search_alignment(scores, tokens, frames))[0].double()
                loss = float((scores[0].double() * (best - path)).sum())
                verdict = f"an alignment, {loss:.3g} below the best"
            except Refusal as refusal:
                verdict = f"an alignment; ours refuses: {refusal.message}"
        sys.stdout.write(f"theirs, {name}: {verdict}\n")


def main() -> int:
    """Print everything."""
    torch.set_num_threads(1)
    heads = ("ours plain", "theirs plain", "ours prior", "theirs prior")
    sys.stdout.write(f"{'ms, and peak MB':24}" + "".join(f"{head:>14}" for head in heads))
    sys.stdout.write(f"{'ours MB':>13}{'theirs MB':>13}\n")
    ratios = [
        ratio
        for size in SIZES
        for ragged in (False, True)
        for ratio in compare(size, ragged=ragged)
    ]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    sys.stdout.write(f"ours over theirs, geometric mean: {mean:.2f} (goal 1.0)\n")
    edges()
    return 0 if mean <= 1.0 else 1


if __name__ == "__main__":
    sys.exit(main())
