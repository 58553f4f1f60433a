"""Mel-cepstral distortion, and the alignment of frames that comes with it.

Cepstra are of 80 mel bands, Hann windows of 50 ms every 10 ms, silence at both ends left out. What
lies 80 dB below an utterance's loudest band counts as that. Coefficients are those of a minimum
phase filter, as in SPTK: ln|H| = c_0 + sum c_d cos(d w).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from diffaudio.metrics.extent import sounding
from diffaudio.metrics.intervals import Values
from diffaudio.metrics.mel import mel_filters
from diffaudio.metrics.metric import Signal
from diffaudio.metrics.warp import warp

__all__ = ["ORDER", "aligned", "cepstra", "distortion", "hop_of", "mel_cepstra", "mel_distortion"]

ORDER = 13
_BANDS = 80
_WINDOW, _HOP = 0.050, 0.010  # seconds
_RANGE = 80.0  # dB
_TO_DB = 10.0 / np.log(10.0) * np.sqrt(2.0)


def mel_distortion(estimate: Signal, reference: Signal, rate: int) -> float:
    """Return the mean over aligned frames of 10 / ln 10 sqrt(2 sum_d (c_d - c'_d)^2) in dB.

    d is 1 to 13, so that level does not count. It is the root mean square, over the mel axis, of
    the levels' difference, both spectra smoothed to 13 coefficients. Numbers by other cepstra
    (WORLD's envelope, 24 coefficients) or other windows do not compare.

    Args:
        estimate: (n,).
        reference: (m,), the same text.
        rate: in Hz.

    Raises:
        Unmeasurable: one of them is silent.

    Source: Kubichek 1993, "Mel-cepstral distance measure for objective speech quality assessment";
        13 coefficients and alignment as in Skerry-Ryan et al. 2018 (arXiv:1803.09047), section 4.
    """
    path, one, two = aligned(estimate, reference, rate)
    return float(distortion(one[path[:, 0]], two[path[:, 1]]).mean())


def distortion(one: Values, two: Values) -> Values:
    """Return the distortion in dB, (k,), of cepstra (k, d), frame by frame."""
    return _TO_DB * np.sqrt(np.square(one - two).sum(axis=-1))


def aligned(
    estimate: Signal, reference: Signal, rate: int
) -> tuple[npt.NDArray[np.int64], Values, Values]:
    """Return the path (k, 2) of frames that belong together, and the cepstra of both."""
    return _aligned(*(x.astype(np.float64).tobytes() for x in (estimate, reference)), rate)


@functools.lru_cache(maxsize=1)  # several columns of a table come from one alignment
def _aligned(
    estimate: bytes, reference: bytes, rate: int
) -> tuple[npt.NDArray[np.int64], Values, Values]:
    names = {"estimate": estimate, "reference": reference}
    one, two = (
        mel_cepstra(sounding(np.frombuffer(x, np.float64), rate, name), rate)
        for name, x in names.items()
    )
    squares = (one**2).sum(1)[:, None] + (two**2).sum(1) - 2 * one @ two.T
    return warp(np.sqrt(np.maximum(squares, 0.0))), one, two


def mel_cepstra(x: Signal, rate: int) -> Values:
    """Return the cepstra of (n,), not silent: (1 + n // hop, 13), frames centred on k hop."""
    size, hop = round(_WINDOW * rate), hop_of(rate)
    padded = np.pad(x.astype(np.float64), (size // 2, size - size // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[: len(x) + 1 : hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(size))) ** 2
    bands = power @ mel_filters(_BANDS, size, rate).T
    return cepstra(0.5 * np.log(np.maximum(bands, bands.max() * 10 ** (-_RANGE / 10))))


def cepstra(levels: Values) -> Values:
    """Return coefficients 1 to 13, (f, 13), of ln of magnitudes, (f, bands)."""
    bands = levels.shape[1]
    angles = np.pi * (np.arange(bands)[:, None] + 0.5) / bands
    return 2.0 / bands * levels @ np.cos(angles * np.arange(1, ORDER + 1))


def hop_of(rate: int) -> int:
    """Return the samples between two frames."""
    return round(_HOP * rate)
