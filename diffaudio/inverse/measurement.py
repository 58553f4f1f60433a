"""Measurement: what is known of the audio, for methods that see states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from diffaudio.inverse.operator import Operator
from diffaudio.inverse.operators import Mask
from diffaudio.log import Refusal
from diffaudio.process import Marginal
from diffaudio.shapes import Audio, State, Tensor

TINY = 1e-12  # the gradient where there is none has no direction
PROBES = 8  # sounds that agree; of fewer, some numbers are alike by chance
SAME = 0.05  # of the states' deviation: what moves less than this does not hang on what was lost


@dataclass(frozen=True, eq=False)
class Measurement:
    """y = A decode(x_0) + noise. What of y no audio could have given is dropped at the start.

    Args:
        operator: A.
        measured: y (b, a, n).
        decode: state to audio; it can be differentiated.
        encode: audio to state.
        noise: standard deviation of the noise, in units of the audio's own.
        deviation: standard deviation of the states x_0.

    Raises:
        Refusal: a sample is not finite, or a deviation is not one.
    """

    operator: Operator
    measured: Audio
    decode: Callable[[State], Audio]
    encode: Callable[[Audio], State]
    noise: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        """Keep what A can give: of a filter, say, the band that passes."""
        if not (self.noise >= 0.0 and self.deviation > 0.0):
            raise Refusal(
                f"a measurement's noise = {self.noise:g} must be at least 0 and the states' "
                f"deviation = {self.deviation:g} above 0"
            )
        object.__setattr__(self, "measured", possible(self.operator, self.measured))

    def guess(self) -> State:
        """Return the least state that agrees: the pseudo-inverse of what was measured."""
        return self.encode(least(self.operator, self.measured))

    def variance(self, at: Marginal) -> Tensor:
        """Return r^2 = d^2 sigma^2 / (sigma^2 + d^2 alpha^2), d the states' deviation.

        It is the variance of x_0 given z for normal, independent x_0, and finite on every path,
        where alpha = 0 and at a bridge's start too. Source: Song et al., 2023 (d = 1).
        """
        return self.deviation**2 / (1.0 + self.signal(at))

    def signal(self, at: Marginal) -> Tensor:
        """Return the signal-to-noise power ratio of z, (alpha d / sigma)^2."""
        return self.deviation**2 * torch.exp(2.0 * at.log_snr)

    def nearest(self, x0: State, at: Marginal) -> State:
        """Return the state nearest to x0 that agrees, where x_0 is known to be r from x0."""
        ratio = self.noise**2 * (1.0 + self.signal(at)) if self.noise else 0.0
        return self.encode(self.operator.nearest(self.decode(x0), self.measured, ratio))

    def descent(self, x0: State) -> State:
        """Return which way |y - A decode(x0)| falls fastest: minus its gradient, to unit norm.

        It is 0 where there is no residual, or no gradient, as in samples that are clipped.
        """
        with torch.enable_grad():
            x0 = x0.detach().requires_grad_()
            residual = self.measured - self.operator.measure(self.decode(x0))
            (slope,) = torch.autograd.grad(-_norm(residual).sum(), x0)
        return slope / _norm(slope).clamp_min(TINY)

    def numbers(self) -> int:
        """Return how many independent numbers are measured of one item."""
        return self.measured.shape[1] * self.operator.rank(self.measured)


def least(operator: Operator, measured: Audio) -> Audio:
    """Return the least audio of those that come nearest to what was measured."""
    return operator.nearest(torch.zeros_like(measured), measured)


def possible(operator: Operator, measured: Audio) -> Audio:
    """Return what was measured without what no audio could have given.

    Raises:
        Refusal: a sample is not finite.
    """
    found = operator.measure(least(operator, measured))
    if not found.isfinite().all():
        raise Refusal("the measured audio holds samples that are not numbers")
    return found


def of_states(
    operator: Operator, measured: Audio, encode: Callable[[Audio], State], deviation: float = 1.0
) -> Measurement:
    """Return what was measured of one sound as a measurement of its state, by itself.

    It is for states that hold a part of the audio only, so that no audio made from one agrees with
    what was measured. Those numbers of the state are known that hang on nothing that was lost: all
    sounds that agree with what was measured, with one noise or another about as loud as speech of
    this peak in the place of the rest, have them in common.

    Args:
        operator: what happened to the audio; without noise.
        measured: (1, a, n).
        encode: audio to state.
        deviation: standard deviation of the states.

    Raises:
        Refusal: no number of the state is known, or as `Measurement`.
    """
    random = torch.Generator().manual_seed(0)
    loud = (0.25 * measured.abs().amax()).clamp_min(TINY)  # the peak does not fall with the gaps
    noises = [torch.randn(measured.shape, generator=random).to(measured) for _ in range(PROBES)]
    found = torch.stack([encode(operator.nearest(loud * noise, measured)) for noise in noises])
    kept = (found.amax(0) - found.amin(0) < SAME * deviation).all(0).all(0)
    if not kept.any():
        raise Refusal("too little is known of the sound: no part of its spectrogram is")
    return Measurement(Mask(kept), found[0], _itself, _itself, 0.0, deviation)


def _itself(state: State) -> State:
    return state


def _norm(values: Tensor) -> Tensor:
    """Return the norm of each item, with axes of one kept."""
    norms = torch.linalg.vector_norm(values.flatten(1), dim=1)
    return norms.reshape(-1, *[1] * (values.ndim - 1))
