"""Alignment: which frames a token is spoken in, found, scored and used; b items, padded at the end.

An alignment is monotonic and skips nothing: the first token starts in the first frame, the last one
ends in the last, each has at least one frame. It is kept as durations, frames of each token.

Sources: Kim et al., Glow-TTS, 2020 (arXiv:2005.11129), algorithm 1 (the search) and the prior
that is searched; Popov et al., Grad-TTS, 2021 (arXiv:2105.06337), the same with unit variance, and
durations from their logarithms with a length scale. How the search is laid out, and what it was
measured beside: doc/decisions/010-alignment-search.md.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process.durations import refuse_short
from diffaudio.shapes import Lengths

BLOCK = 64  # frames brought into the loop's order at once: few enough to stay in the cache
_Array = npt.NDArray[Any]


def search_alignment(scores: Tensor, tokens: Lengths, frames: Lengths) -> Tensor:
    """Find the alignment with the largest sum of scores.

    Of alignments with equal sums it is the one whose last token is longest, then the last but one,
    and so on: a token is left, going backwards, only where that is strictly better. Sums are taken
    frame by frame in float64 if the scores are, else in float32. It runs on the CPU: frames depend
    on each other, so scores of a GPU are fetched and the durations sent back, with one result
    wherever the scores are. No gradient flows.

    Args:
        scores: (b, tokens, frames), of a frame in a token; -inf forbids it where that can be.
            Cheapest where tokens lie beside each other in memory, as `prior_scores` lays them.
        tokens: (b,) tokens of each item.
        frames: (b,) frames of each item; what lies beyond has no influence.

    Returns:
        Durations, (b, tokens) int64, 0 beyond an item's tokens; their sums are `frames`.

    Raises:
        Refusal: an item has fewer frames than tokens, lengths are outside the scores, or the sum is
            not a number or infinite.
    """
    rows, columns = lengths_inside(tokens, frames, scores)
    dtype = torch.float64 if scores.dtype == torch.float64 else torch.float32
    table = scores.detach().to("cpu", dtype).numpy()
    # longest first, so that those which still have frames are the first columns of the loop
    order = sorted(range(len(rows)), key=lambda i: -columns[i])
    durations = np.zeros(table.shape[:2], np.int64)
    if order:
        items = [table[i, : rows[i], : columns[i]] for i in order]
        moved, firsts, sums = _accumulate(items)
        for i, item, first, total in zip(order, items, firsts, sums, strict=True):
            if not total < math.inf:  # nan is below nothing
                raise Refusal(
                    f"scores of item {i} sum to {total:g} on the best alignment",
                    mend="look for nan and infinite values in what the scores were made of",
                )
            durations[i, : rows[i]] = _walk(moved, first, *item.shape)
    return torch.from_numpy(durations).to(scores.device)


def _accumulate(items: list[_Array]) -> tuple[_Array, list[int], list[float]]:
    """Go forward through all items at once.

    All tokens are one row, each item's behind a column of -inf that lets nothing pass from one item
    to the next; so a frame of the whole batch is a maximum and a sum of contiguous numbers. Beyond
    an item's last frame its columns hold what nobody reads: the items behind it are over as well.

    Args:
        items: scores (tokens, frames) of each, those with most frames first.

    Returns:
        moved: (frames, columns) bool, whether the best way into a token came from the one before.
        firsts: column of each item's first token.
        sums: each item's best sum.
    """
    sizes, frames = [len(item) for item in items], [item.shape[1] for item in items]
    ends = np.cumsum([1 + n for n in sizes]).tolist()
    firsts = [end - n for end, n in zip(ends, sizes, strict=True)]
    best = np.full((BLOCK + 1, ends[-1]), -np.inf, items[0].dtype)  # row 0: the frame before
    best[0, firsts] = [item[0, 0] for item in items]
    larger = np.empty(ends[-1], items[0].dtype)
    moved = np.zeros((frames[0], ends[-1]), np.bool_)
    sums = [float(item[0, 0]) for item in items]  # of items with one frame
    for start in range(1, frames[0], BLOCK):
        stop = min(start + BLOCK, frames[0])
        active = sum(count > start for count in frames)
        for item, first, end in zip(items[:active], firsts, ends, strict=False):
            part = item[:, start:stop].T
            best[1 : 1 + len(part), first:end] = part
        rows = best[: stop - start + 1, : ends[active - 1]]
        _block(rows, larger[: rows.shape[1] - 1], moved[start:stop, 1 : rows.shape[1]])
        for k in range(active):
            if frames[k] <= stop:
                sums[k] = float(rows[frames[k] - start, ends[k] - 1])
        rows[0] = rows[-1]
    return moved, firsts, sums


def _block(rows: _Array, larger: _Array, moved: _Array) -> None:
    """Turn scores into best sums, frame by frame; rows[0] holds the sums of the frame before."""
    with np.errstate(all="ignore"):  # what is not finite is refused at the end
        for before, row in pairwise(rows):
            np.maximum(before[:-1], before[1:], out=larger)
            np.add(larger, row[1:], out=row[1:])
        np.greater(rows[:-1, :-1], rows[:-1, 1:], out=moved)


def _walk(moved: _Array, first: int, tokens: int, frames: int) -> list[int]:
    """Go back through one item from its last token in its last frame: its durations."""
    width, flat = moved.shape[1], moved.data.cast("B")
    starts, column = [frames], first + tokens - 1
    for frame in range(frames - 1, 0, -1):
        if column == first:
            break
        # in frame k the k-th token can only have come from the one before, whatever the sums
        if flat[frame * width + column] or frame == column - first:
            starts.append(frame)
            column -= 1
    return [end - start for start, end in pairwise([0, *reversed(starts)])]


def lengths_inside(tokens: Lengths, frames: Lengths, scores: Tensor) -> tuple[list[int], list[int]]:
    """Return both lengths (b,) as integers, when scores (b, tokens, frames) hold such alignments.

    Raises:
        Refusal: an item has fewer frames than tokens, or lengths are outside the scores.
    """
    b, most_tokens, most_frames = scores.shape
    rows, columns = [int(n) for n in tokens.tolist()], [int(n) for n in frames.tolist()]
    if not len(rows) == len(columns) == b:
        raise Refusal(
            f"{len(rows)} and {len(columns)} lengths for scores of shape {tuple(scores.shape)}",
            mend="give tokens and frames of each item",
        )
    for i, (n, length) in enumerate(zip(rows, columns, strict=True)):
        if n > most_tokens or length > most_frames:
            raise Refusal(
                f"item {i} has {n} tokens and {length} frames, scores are {most_tokens} by "
                f"{most_frames}",
                mend="give lengths of at most the scores' sizes",
            )
        refuse_short(i, n, length)
    return rows, columns


def prior_scores(means: Tensor, x: Tensor, tokens: Lengths, frames: Lengths) -> Tensor:
    """Return log N(frame; mean of the token, I) for every frame and token, (b, tokens, frames).

    One matrix product: with |x - m|^2 / 2 = |x|^2 / 2 + |m|^2 / 2 - x m, the two squares are
    further channels beside ones. Frames and means are first brought near 0 by the mean frame of
    their item, as the difference of large squares would lose digits. Single precision at least,
    also under autocast.

    Args:
        means: (b, c, tokens), one a token.
        x: (b, c, frames).
        tokens: (b,) tokens of each item.
        frames: (b,) frames of each item.

    Returns:
        Scores in nats, 0 in the padding, which may hold anything; differentiable. Tokens lie
        beside each other in memory, as the search likes it.
    """
    has_token, has_frame = (
        torch.arange(y.shape[2], device=y.device) < count.to(y.device)[:, None, None]
        for y, count in ((means, tokens), (x, frames))
    )
    with torch.autocast(x.device.type, enabled=False):
        dtype = torch.promote_types(torch.promote_types(means.dtype, x.dtype), torch.float32)
        x = x.to(dtype).masked_fill(~has_frame, 0.0)
        means = means.to(dtype)
        middle = (x.sum(2) / has_frame.sum(2)).detach()[..., None]  # in exact arithmetic no matter
        x = (x - middle).masked_fill(~has_frame, 0.0)
        means = (means - middle).masked_fill(~has_token, 0.0)
        constant = 0.5 * x.shape[1] * math.log(2.0 * math.pi)
        one_frame, one_token = has_frame.to(dtype), has_token.to(dtype)
        of_frame = -(0.5 * x.square().sum(1, keepdim=True) + constant) * one_frame
        of_token = -0.5 * means.square().sum(1, keepdim=True)
        left = torch.cat([x, of_frame, one_frame], 1)
        right = torch.cat([means, one_token, of_token], 1)
        return (left.mT @ right).mT
