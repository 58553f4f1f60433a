"""Problem: what a solver is given. The denoiser with everything bound, the path, and noise.

Solvers see z only. What y is, which conditions the network gets and how it is guided is bound into
`denoise` before a solver runs, so that none of it can be lost between two calls; every call goes
through one door, where it is counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch

from diffaudio.log import Refusal
from diffaudio.process import Denoise, Marginal, Path
from diffaudio.shapes import State

Noise: TypeAlias = Callable[[], State]  # the next standard normal draw


class Problem:
    """A reverse process to be solved.

    Args:
        denoise: the network with everything bound; places on the path come as float64 scalars on
            the processor, whatever the device of z.
        path: the path that the network was trained on.
        noise: source of standard normal states; no draw is used twice.
        budget: the most calls that may be made.

    Attributes:
        calls: how often the network has been called.
    """

    def __init__(self, denoise: Denoise, path: Path, noise: Noise, budget: int) -> None:
        self.denoise, self.path, self.noise, self.budget = denoise, path, noise, budget
        self.calls = 0

    def x0(self, z: State, at: Marginal) -> State:
        """Return the estimate of the clean state: one network call.

        Raises:
            Refusal: the budget is spent.
        """
        if self.calls == self.budget:
            raise Refusal(
                f"the sampler has spent its {self.budget} network calls at t = {at.t:g}",
                mend="raise calls, or the tolerance of an adaptive solver",
            )
        self.calls += 1
        return self.denoise(z, at)

    def between(self, now: Marginal, then: Marginal, share: float) -> Marginal:
        """Return the path at a share of the way in half-log-SNR.

        From pure noise that way is infinite; then the share is one of alpha / sigma.
        """
        low, high = now.log_snr.item(), then.log_snr.item()
        if low == -math.inf:
            return self.at_log_snr(high + math.log(share))
        return self.at_log_snr(low + share * (high - low))

    def at_log_snr(self, log_snr: float) -> Marginal:
        """Return the path where its half-log-SNR is nearest to the one asked for."""
        return self.path.at(self.path.time_of(torch.tensor(log_snr, dtype=torch.float64)))
