"""Mel-cepstral distortion, and the alignment of frames that comes with it.

Cepstra are of WORLD's envelope in 80 mel bands every 10 ms, silence at both ends left out. They are
those of a minimum phase filter, as in SPTK: ln|H| = c_0 + sum c_d cos(d w), w on the mel axis.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from diffaudio.metrics.extent import sounding
from diffaudio.metrics.intervals import Values
from diffaudio.metrics.metric import Signal
from diffaudio.metrics.warp import warp
from diffaudio.metrics.world import analysed

__all__ = ["ORDER", "Aligned", "aligned", "cepstra", "distortion", "mel_distortion"]

ORDER = 13
_TO_DB = 10.0 / np.log(10.0) * np.sqrt(2.0)


class Aligned(NamedTuple):
    """An estimate and a recording of one text.

    Attributes:
        path: (k, 2) numbers of frames that belong together.
        cepstra: of both, (f, 13) and (g, 13).
        f0: of both in Hz, (f,) and (g,), 0 where nothing is voiced.
    """

    path: npt.NDArray[np.int64]
    cepstra: tuple[Values, Values]
    f0: tuple[Values, Values]


def mel_distortion(estimate: Signal, reference: Signal, rate: int) -> float:
    """Return the mean over aligned frames of 10 / ln 10 sqrt(2 sum_d (c_d - c'_d)^2) in dB.

    d is 1 to 13, so that level does not count. It is the root mean square, over the mel axis, of
    the levels' difference, both spectra smoothed to 13 coefficients. Numbers by other cepstra
    (of an STFT, of 24 coefficients) or with silence at the ends do not compare.

    Args:
        estimate: (n,).
        reference: (m,), the same text.
        rate: in Hz.

    Raises:
        Unmeasurable: one of them is silent.

    Source: Kubichek 1993, "Mel-cepstral distance measure for objective speech quality assessment";
        13 coefficients and alignment as in Skerry-Ryan et al. 2018 (arXiv:1803.09047).
    """
    path, (one, two), _ = aligned(estimate, reference, rate)
    return float(distortion(one[path[:, 0]], two[path[:, 1]]).mean())


def distortion(one: Values, two: Values) -> Values:
    """Return the distortion in dB, (k,), of cepstra (k, d), frame by frame."""
    return _TO_DB * np.sqrt(np.square(one - two).sum(axis=-1))


def cepstra(levels: Values) -> Values:
    """Return coefficients 1 to 13, (f, 13), of ln of magnitudes, (f, bands)."""
    bands = levels.shape[1]
    angles = np.pi * (np.arange(bands)[:, None] + 0.5) / bands
    return 2.0 / bands * levels @ np.cos(angles * np.arange(1, ORDER + 1))


def aligned(estimate: Signal, reference: Signal, rate: int) -> Aligned:
    """Return which frames of two utterances belong together, by the distance of their cepstra.

    Raises:
        Unmeasurable: one of them is silent.
    """
    return _aligned(*(x.astype(np.float64).tobytes() for x in (estimate, reference)), rate)


@functools.lru_cache(maxsize=1)  # several columns of a table come from one alignment
def _aligned(estimate: bytes, reference: bytes, rate: int) -> Aligned:
    named = {"estimate": estimate, "reference": reference}
    heard = [sounding(np.frombuffer(x, np.float64), rate, name) for name, x in named.items()]
    (f0, levels), (f0_two, levels_two) = (analysed(x, rate) for x in heard)
    one, two = cepstra(levels), cepstra(levels_two)
    squares = (one**2).sum(1)[:, None] + (two**2).sum(1) - 2 * one @ two.T
    return Aligned(warp(np.sqrt(np.maximum(squares, 0.0))), (one, two), (f0, f0_two))
