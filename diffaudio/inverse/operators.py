"""The operators: gaps, a narrow band, reverberation, clipping.

The linear ones are diagonal in time or in frequency, so all their inverses are exact and cost no
more than an FFT. Filters are periodic over the audio: what leaves at its end comes in at its start.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch

from diffaudio.inverse.operator import Linear, Operator
from diffaudio.log import Refusal
from diffaudio.shapes import Audio, Tensor


@dataclass(frozen=True, eq=False)
class Mask(Linear):
    """Samples that are known, and gaps between them: inpainting.

    Args:
        kept: (n,), true where a sample is known; of states (f, l), where a bin of a frame is.
    """

    kept: Tensor

    def __post_init__(self) -> None:
        """Refuse what is no mask, and a mask that leaves nothing to start from."""
        if self.kept.dtype != torch.bool or self.kept.ndim not in {1, 2} or not self.kept.any():
            raise Refusal(
                f"Mask: kept is {self.kept.dtype} of shape {tuple(self.kept.shape)}, "
                f"{int(self.kept.sum())} of it true",
                mend="give one boolean for each sample, true where it is known",
            )

    def measure(self, audio: Audio) -> Audio:
        """Return x where it is known, 0 in the gaps, whatever stands there."""
        there = audio.shape[-self.kept.ndim :]
        if there != self.kept.shape:
            wanted, found = (" x ".join(map(str, shape)) for shape in (self.kept.shape, there))
            raise Refusal(f"Mask: of {wanted} samples, but the audio has {found}")
        return torch.where(self.kept.to(audio.device), audio, 0.0)

    def adjoint(self, measured: Audio) -> Audio:
        """Return the same: A is a projection, A = A^T = A A."""
        return self.measure(measured)

    def gram_inverse(self, measured: Audio, ratio: Tensor | float) -> Audio:
        """Return y / (1 + ratio)."""
        return self.measure(measured) / (1.0 + ratio)

    def rank(self, audio: Audio) -> int:
        """Return the number of samples that are known."""
        return int(self.measure(torch.ones_like(audio[0, 0])).sum())


class Filter(Linear):
    """A periodic filter, diagonal in frequency; a leaf states its transfer function."""

    @abstractmethod
    def transfer(self, audio: Audio) -> Tensor:
        """Return H at the n // 2 + 1 frequencies of the FFT of such audio, real or complex."""

    def measure(self, audio: Audio) -> Audio:
        """Return the audio filtered by H."""
        return _filtered(audio, self.transfer(audio))

    def adjoint(self, measured: Audio) -> Audio:
        """Return it filtered by the conjugate of H."""
        return _filtered(measured, self.transfer(measured).conj())

    def gram_inverse(self, measured: Audio, ratio: Tensor | float) -> Audio:
        """Return it filtered by 1 / (|H|^2 + ratio): Wiener's filter, but for the conjugate."""
        power = self.transfer(measured).abs().square()
        return _filtered(measured, torch.where(_passed(power), 1.0 / (power + ratio), 0.0))

    def rank(self, audio: Audio) -> int:
        """Return twice the number of frequencies that pass; the first and last are real, once."""
        passed = _passed(self.transfer(audio).abs().square())
        real = [passed[0], passed[-1]] if audio.shape[-1] % 2 == 0 else [passed[0]]
        return 2 * int(passed.sum()) - int(sum(real))


@dataclass(frozen=True)
class LowPass(Filter):
    """An ideal low pass: bandwidth extension. What real filters leave above it is not looked at.

    Args:
        cutoff: highest frequency that is known, in Hz; choose it where the measured audio's own
            filter has not set in yet.
        rate: of the audio, in Hz.
    """

    cutoff: float
    rate: int

    def __post_init__(self) -> None:
        """Refuse a band that holds nothing or everything."""
        if not 0.0 < self.cutoff < 0.5 * self.rate:
            raise Refusal(
                f"LowPass: cutoff = {self.cutoff:g} Hz is not between 0 and half of the rate, "
                f"{0.5 * self.rate:g} Hz"
            )

    def transfer(self, audio: Audio) -> Tensor:
        """Return 1 up to the cutoff, 0 above."""
        frequencies = torch.fft.rfftfreq(audio.shape[-1], 1.0 / self.rate, device=audio.device)
        return (frequencies <= self.cutoff).to(audio.dtype)


@dataclass(frozen=True, eq=False)
class Convolve(Filter):
    """Convolution with a known impulse response: dereverberation, or any known filter.

    What sounds on after the end would come in at the start: let the audio end in as much silence as
    the response is long.

    Args:
        response: (k,), its first sample is the one without delay.
    """

    response: Tensor

    def __post_init__(self) -> None:
        """Refuse a response that lets nothing through."""
        if self.response.ndim != 1 or not self.response.isfinite().all() or not self.response.any():
            raise Refusal(
                f"Convolve: a response of shape {tuple(self.response.shape)} that is not finite, "
                "or 0 throughout, or not one channel"
            )

    def transfer(self, audio: Audio) -> Tensor:
        """Return the response's spectrum."""
        if audio.shape[-1] < len(self.response):
            raise Refusal(
                f"Convolve: the response has {len(self.response)} samples, the audio only "
                f"{audio.shape[-1]}",
                mend="cut the response, or put silence after the audio",
            )
        return torch.fft.rfft(self.response.to(audio), audio.shape[-1])


@dataclass(frozen=True)
class Clip(Operator):
    """Samples beyond a level were cut off there: declipping. It is not linear.

    Args:
        level: largest value that was kept, full scale 1.
    """

    level: float

    def __post_init__(self) -> None:
        """Refuse a level that leaves no sample."""
        if not self.level > 0.0:
            raise Refusal(f"Clip: level = {self.level:g} is not above 0")

    def measure(self, audio: Audio) -> Audio:
        """Return the audio cut off at both levels."""
        return audio.clamp(-self.level, self.level)

    def nearest(self, audio: Audio, measured: Audio, ratio: Tensor | float = 0.0) -> Audio:
        """Return y where it was not cut off; elsewhere the guess, or the level if that is more."""
        y = self.measure(measured)
        low = torch.where(y <= -self.level, -math.inf, y)
        high = torch.where(y >= self.level, math.inf, y)
        return audio + (audio.clamp(low, high) - audio) / (1.0 + ratio)

    def rank(self, audio: Audio) -> int:
        """Return the number of samples: each says something."""
        return audio.shape[-1]


def _filtered(audio: Audio, transfer: Tensor) -> Audio:
    """Multiply the spectrum."""
    samples = audio.shape[-1]
    return torch.fft.irfft(torch.fft.rfft(audio) * transfer, samples)


def _passed(power: Tensor) -> Tensor:
    """Tell where a filter lets more through than rounding does, as for any pseudo-inverse."""
    least = torch.finfo(power.dtype).eps * len(power)
    return power > least**2 * power.max()
