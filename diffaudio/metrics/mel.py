"""Triangles on the mel scale: from bins of a spectrum to bands of hearing."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

__all__ = ["mel_filters"]


@functools.cache
def mel_filters(bands: int, size: int, rate: int) -> npt.NDArray[np.float64]:
    """Return triangles of unit area from 0 Hz to half the rate, Slaney's mel scale.

    Args:
        bands: how many.
        size: of the frames that are transformed.
        rate: in Hz, above 2000.

    Returns:
        (bands, size // 2 + 1), to be multiplied by powers.
    """
    step = np.log(6.4) / 27  # linear to 1 kHz (15 mel), then 27 steps for a factor of 6.4
    mel = np.linspace(0, 15 + np.log(rate / 2000) / step, bands + 2)
    edges = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(step * (mel - 15)))
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bins = np.fft.rfftfreq(size, 1 / rate)
    rise, fall = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.maximum(0, np.minimum(rise, fall)) * 2 / (high - low)
