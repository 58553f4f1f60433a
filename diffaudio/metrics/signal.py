"""Metrics that are a formula: scale-invariant signal-to-distortion ratio, log-spectral distance."""

from __future__ import annotations

import numpy as np

from diffaudio.metrics.metric import Signal, Unmeasurable

__all__ = ["log_spectral_distance", "si_sdr"]

_WINDOW, _HOP = 0.032, 0.008  # seconds, of the log-spectral distance
_RANGE = 80.0  # dB below the loudest bin of the reference, where spectra end
_FLOOR = 1e-10  # of the energy of the target: an estimate without error counts as 100 dB


def si_sdr(estimate: Signal, reference: Signal, rate: int) -> float:  # noqa: ARG001 (one signature)
    """Return the scale-invariant signal-to-distortion ratio in dB, at most 100.

    The mean of both signals is removed first. With a = <estimate, reference> / |reference|^2 the
    ratio is |a reference|^2 / |a reference - estimate|^2.

    Args:
        estimate: (n,), any scale.
        reference: (n,).
        rate: in Hz; does not matter here.

    Raises:
        Unmeasurable: one of the signals is constant, so that no ratio exists.

    Source: Le Roux et al. 2019, equation 3 (arXiv:1811.02508).
    """
    heard, wanted = (x.astype(np.float64) - x.mean(dtype=np.float64) for x in (estimate, reference))
    energy = float(wanted @ wanted)
    if energy == 0.0:
        raise Unmeasurable("the reference is silent")
    if not heard.any():
        raise Unmeasurable("the estimate is silent")
    target = (heard @ wanted / energy) * wanted
    error = target - heard
    signal, distortion = float(target @ target), float(error @ error)
    if signal == 0.0:
        raise Unmeasurable("the estimate holds nothing of the reference")
    return float(10.0 * np.log10(signal / max(distortion, _FLOOR * signal)))


def log_spectral_distance(estimate: Signal, reference: Signal, rate: int) -> float:
    """Return the mean over frames of the root mean square, over bins, of the levels' difference.

    Levels of power in dB, Hann windows of 32 ms every 8 ms; what lies more than 80 dB below the
    loudest bin of the reference counts as that. Phases do not matter. Papers that take log10 of
    power, and no factor 10, print a tenth of this.

    Args:
        estimate: (n,).
        reference: (n,).
        rate: in Hz.

    Raises:
        Unmeasurable: the reference is silent.

    Source: Gray and Markel 1976, equation 4, at p = 2.
    """
    powers = [_power(x, rate) for x in (estimate, reference)]
    loudest = powers[1].max()
    if loudest == 0.0:
        raise Unmeasurable("the reference is silent")
    heard, wanted = (np.log10(np.maximum(x, loudest * 10 ** (-_RANGE / 10))) for x in powers)
    return float(np.sqrt(np.square(10.0 * (heard - wanted)).mean(axis=1)).mean())


def _power(x: Signal, rate: int) -> Signal:
    """Return the power spectrogram, (frames, bins); silence follows the signal."""
    size, hop = round(_WINDOW * rate), round(_HOP * rate)
    padded = np.pad(x.astype(np.float64), (size // 2, size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[: len(x) : hop]
    return np.abs(np.fft.rfft(frames * np.hanning(size))) ** 2
