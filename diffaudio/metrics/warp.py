"""Dynamic time warping: which frames of two utterances of one text belong together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from diffaudio.metrics.intervals import Values

__all__ = ["warp"]


def warp(costs: Values) -> npt.NDArray[np.int64]:
    """Return the path through (n, m) costs, first to last frames, with the least sum; (k, 2).

    A step goes on by a frame in one of them or in both. All cells of an anti-diagonal depend on the
    two before it only, and are computed at once.

    Source: Sakoe and Chiba 1978, without weights for steps and without a window.
    """
    n, m = costs.shape
    total = np.full((n + 1, m + 1), np.inf)  # a frame of infinity before both
    total[0, 0] = 0.0
    flat, width = total.ravel(), m + 1
    for both in range(2, n + m + 1):  # i + j, counted from 1
        i = np.arange(max(1, both - m), min(n, both - 1) + 1)
        at = i * width + both - i
        before = np.minimum(np.minimum(flat[at - width], flat[at - 1]), flat[at - width - 1])
        flat[at] = costs[i - 1, both - i - 1] + before
    i, j, path = n, m, [(n - 1, m - 1)]
    while (i, j) != (1, 1):
        ways = ((i - 1, j - 1), (i - 1, j), (i, j - 1))  # where two are equal, the diagonal
        i, j = min(ways, key=lambda way: total[way])
        path.append((i - 1, j - 1))
    return np.array(path[::-1])
