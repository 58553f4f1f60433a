"""Where speech begins and ends, and how long it is beside a recording of the same text."""

from __future__ import annotations

import numpy as np

from diffaudio.metrics.metric import Signal, Unmeasurable

__all__ = ["duration_ratio", "sounding"]

_WINDOW, _HOP = 0.025, 0.010  # seconds
_RANGE = 40.0  # dB below the loudest window, where sound ends; rooms of read speech are quieter


def sounding(x: Signal, rate: int, what: str) -> Signal:
    """Return (n,) without the silence before its first sound and after its last.

    A window of 25 ms sounds if its level is within 40 dB of that of the loudest one.

    Args:
        x: (n,).
        rate: in Hz.
        what: it is, for the reason.

    Raises:
        Unmeasurable: it is silent.
    """
    size, hop = round(_WINDOW * rate), round(_HOP * rate)
    padded = np.pad(x.astype(np.float64), (0, max(0, size - len(x))))
    sums = np.concatenate([[0.0], np.cumsum(padded**2)])
    starts = np.arange(0, len(padded) - size + 1, hop)
    power = sums[starts + size] - sums[starts]
    if power.max() <= 0.0:
        raise Unmeasurable(f"the {what} is silent")
    loud = starts[power > power.max() * 10 ** (-_RANGE / 10)]
    return x[loud[0] : loud[-1] + size]


def duration_ratio(estimate: Signal, reference: Signal, rate: int) -> float:
    """Return how long the estimate is beside the recording, silence at both ends of each left out.

    Args:
        estimate: (n,).
        reference: (m,).
        rate: in Hz.

    Raises:
        Unmeasurable: one of them is silent.
    """
    return len(sounding(estimate, rate, "estimate")) / len(sounding(reference, rate, "reference"))
