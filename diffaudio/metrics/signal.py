"""Metrics that are a formula: scale-invariant signal-to-distortion ratio."""

from __future__ import annotations

import numpy as np

from diffaudio.metrics.metric import Signal, Unmeasurable

__all__ = ["si_sdr"]

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
