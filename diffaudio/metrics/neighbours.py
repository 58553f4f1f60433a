"""Is a clip a copy of one that was trained on? Its nearest training clip, in whatever features.

A distance says little alone. It is held against those of real clips that were not trained on, whose
voices are others, and against those of training clips from each other, whose voices are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diffaudio.metrics.distribution import Points, squared_distances
from diffaudio.metrics.mel import mel_filters
from diffaudio.metrics.metric import Signal

__all__ = ["Nearest", "log_mel", "nearest", "nearer", "quantiles"]

_BANDS, _FRAMES = 40, 50
_RANGE = 60.0  # dB below a clip's loudest band that count
_ROWS = 256  # compared at once
_NEAR = 0.01  # share of a set whose distances are called near
_SHOWN = (0.01, 0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Nearest:
    """The nearest training clip of each clip of a set.

    Args:
        rows: (n,) which one.
        distances: (n,) from it.
    """

    rows: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float64]


def log_mel(x: Signal, rate: int, longest: int) -> npt.NDArray[np.float32]:
    """Return a clip as a point, such that distances are in dB: root mean square over 40 x 50 bands.

    The level of the whole clip does not matter; where in the clip something sounds does.

    Args:
        x: (n,).
        rate: in Hz.
        longest: samples that 50 frames span, overlapping by half; a shorter clip is followed by
            silence, what is beyond in a longer one is left out.
    """
    hop = -(-longest // _FRAMES)
    padded = np.pad(x[:longest].astype(np.float64), (0, (_FRAMES + 1) * hop - min(len(x), longest)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(2 * hop))) ** 2
    level = 10 * np.log10(power @ mel_filters(_BANDS, 2 * hop, rate).T + 1e-12)
    level = np.maximum(level, level.max() - _RANGE)
    return ((level - level.mean()).ravel() / np.sqrt(level.size)).astype(np.float32)


def nearest(points: Points, train: Points, *, own: bool = False) -> Nearest:
    """Find the nearest of `train` (m, d) for each of `points` (n, d), by Euclidean distance.

    Args:
        points: the set.
        train: what it may have copied.
        own: `points` is `train`, and a clip is not its own neighbour.
    """
    rows, distances = [], []
    for start in range(0, len(points), _ROWS):
        found = squared_distances(points[start : start + _ROWS], train)
        if own:
            here = np.arange(len(found))
            found[here, start + here] = np.inf
        rows.append(found.argmin(axis=1))
        distances.append(np.sqrt(found.min(axis=1), dtype=np.float64))
    return Nearest(np.concatenate(rows), np.concatenate(distances))


def nearer(distances: Points, usual: Points) -> float:
    """Return the share of `distances` (n,) below the first hundredth of `usual` (m,).

    It is 0.01 where both have one distribution, and more where a set holds copies.
    """
    return float((distances < np.quantile(usual, _NEAR)).mean())


def quantiles(distances: Points) -> dict[str, float]:
    """Return the distances below which 1, 5, 50 and 95 % of a set lie: {"1 %": ...}."""
    ends = np.quantile(distances, _SHOWN)
    return {
        f"{share:.0%}".replace("%", " %"): float(e) for share, e in zip(_SHOWN, ends, strict=True)
    }
