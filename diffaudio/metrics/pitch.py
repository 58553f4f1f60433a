"""How far the melody of an utterance is from that of a recording: the error of ln F0."""

from __future__ import annotations

import numpy as np

from diffaudio.metrics.cepstrum import aligned
from diffaudio.metrics.metric import Signal, Unmeasurable

__all__ = ["log_f0_error"]

_FEWEST = 10  # frames; a tenth of a second


def log_f0_error(estimate: Signal, reference: Signal, rate: int) -> float:
    """Return the root mean square of the difference of ln F0; times 1731 in cents.

    Frames are paired by the alignment of their mel-cepstra; those count that are voiced in both.

    Args:
        estimate: (n,).
        reference: (m,), the same text.
        rate: in Hz.

    Raises:
        Unmeasurable: one of them is silent, or fewer than 10 pairs of frames are voiced.

    Source: the definition of ESPnet2-TTS (Hayashi et al. 2021, arXiv:2110.07840), which pairs
        frames by cepstra of another order.
    """
    path, _, (one, two) = aligned(estimate, reference, rate)
    one, two = one[path[:, 0]], two[path[:, 1]]
    voiced = (one > 0) & (two > 0)
    if voiced.sum() < _FEWEST:
        raise Unmeasurable(f"{int(voiced.sum())} frames are voiced in both, it takes {_FEWEST}")
    return float(np.sqrt(np.square(np.log(one[voiced] / two[voiced])).mean()))
