"""Sound of any length in bounded memory: cut into overlapping chunks, joined by cross-fades."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

__all__ = ["cross_faded", "windows"]


def windows(
    blocks: Iterable[np.ndarray], *, size: int, overlap: int
) -> Iterator[tuple[np.ndarray, int, bool]]:
    """Cut a stream into windows of `size` samples, each sharing `overlap` with the one before.

    The last window of a longer stream also has `size` samples: it starts earlier, because a model
    hears a short end better with what came before. At most two windows and a block are held.

    Args:
        blocks: consecutive (n, a) pieces of any lengths.
        size: samples of a window.
        overlap: samples that neighbours share, less than `size`.

    Yields:
        The window (n, a), how many of its first samples are only context, and whether it is last.
    """
    hop = size - overlap
    held: np.ndarray | None = None
    start = 0  # of the next window, within what is held; what lies before it was already cut
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        while len(held) > start + size:
            yield held[start : start + size], 0, False
            held, start = held[start:], hop
    if held is None or not len(held):
        return
    first = max(len(held) - size, 0)
    yield held[first:], start - first, True


def cross_faded(
    blocks: Iterable[np.ndarray],
    process: Callable[[np.ndarray, int], np.ndarray],
    *,
    size: int,
    overlap: int,
) -> Iterator[np.ndarray]:
    """Process a stream window by window and join the results where they overlap.

    Both sides of a join estimate the same sound, so their weights (a raised cosine) add up to 1
    in amplitude: a `process` that changes nothing gives back the stream.

    Args:
        blocks: consecutive (n, a) pieces of any lengths.
        process: (n, a) and the number of the window to (n, a).
        size: samples of a window.
        overlap: samples over which a window fades into the next; at most half of `size`.

    Yields:
        Consecutive (n, a) pieces; as many samples in all as went in.
    """
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(overlap, dtype=np.float32) + 0.5) / overlap)
    rise = rise[:, None].astype(np.float32)
    ending: np.ndarray | None = None
    for number, (window, context, last) in enumerate(windows(blocks, size=size, overlap=overlap)):
        piece = process(window, number)[context:]
        if ending is not None:
            head = piece[:overlap] * rise + ending * (1 - rise)
            piece = np.concatenate([head, piece[overlap:]])
        if last:
            yield piece
            return
        yield piece[:-overlap]
        ending = piece[-overlap:]
