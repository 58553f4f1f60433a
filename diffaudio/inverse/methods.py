"""Methods that turn a prior's denoiser into one that knows a measurement; solvers see no other.

By Tweedie's formula the score of z is (alpha D - z) / sigma^2, so a likelihood's score is added to
the prior's by changing the estimate:

    D' = D + (sigma^2 / alpha) grad_z log p(y | z) = D + C s        s = d log p(y | D) / dD

where C = (sigma^2 / alpha) J^T, with J = dD / dz, is the covariance of x_0 given z. Three answers:

    Projection   C = r^2 I    s = (nearest - D) / r^2, so D' = the nearest state that agrees with y
    PiGDM        C as above   s the same, which for a linear A is A^T (r^2 A A^T + v I)^-1 (y - A D)
    DPS          C as above   s = step sqrt(m) / r times the unit vector against grad |y - A D|

with r^2 the variance of x_0 given z for normal, independent x_0, for which PiGDM is exact and J
needs no network. Other x_0 have another variance along s, and C is scaled by it. Where z holds
hardly any signal J falls with alpha and its error does not; there, as on a bridge's first knot, C
is r^2 I in all three.

Sources: Wang, Yu and Zhang, Zero-Shot Image Restoration Using Denoising Diffusion Null-Space Model,
2023 (projection); Song, Vahdat, Mardani and Kautz, Pseudoinverse-Guided Diffusion Models for
Inverse Problems, 2023 (PiGDM, r^2); Chung et al., Diffusion Posterior Sampling for General Noisy
Inverse Problems, 2023, algorithm 1; Boys et al., Tweedie Moment Projected Diffusions, 2023 (C).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from diffaudio.inverse.measurement import TINY, Measurement
from diffaudio.inverse.operator import Operator
from diffaudio.log import Refusal
from diffaudio.process import Denoise, Marginal, Path
from diffaudio.shapes import State, Tensor
from diffaudio.solve import Noise, Sampler

LEAST_SIGNAL = 1e-3  # least signal-to-noise power ratio of z at which J is asked for


class Method(ABC):
    """How a measurement and a prior are brought together."""

    @abstractmethod
    def run(
        self, sampler: Sampler, prior: Denoise, path: Path, known: Measurement, noise: Noise
    ) -> State:
        """Return a clean state that agrees with the measurement.

        Args:
            sampler: how the prior would be sampled.
            prior: the network with everything bound.
            path: the path that the network was trained on.
            known: what was measured.
            noise: source of standard normal states; no draw is used twice.
        """


@dataclass(frozen=True)
class Restoration:
    """What happened to the audio, and how it is undone.

    Args:
        operator: what became of the audio before it was measured.
        method: how measurement and prior are brought together.
        noise: standard deviation of the measurement's noise, in units of the audio's own.
    """

    operator: Operator
    method: Method
    noise: float = 0.0


class Corrected(Method):
    """A method that is a denoiser made from a denoiser; a leaf states which."""

    @abstractmethod
    def denoise(self, prior: Denoise, known: Measurement) -> Denoise:
        """Return the denoiser that knows the measurement."""

    def run(
        self, sampler: Sampler, prior: Denoise, path: Path, known: Measurement, noise: Noise
    ) -> State:
        """Run the sampler, as it is, on the corrected denoiser."""
        return sampler(self.denoise(prior, known), path, known.guess(), noise)


@dataclass(frozen=True)
class Projection(Corrected):
    """Replace what the measurement knows of each estimate; the cheapest, without a backward pass.

    Without noise the result agrees with the measurement exactly. What is not measured hears of
    it only through the next call.
    """

    def denoise(self, prior: Denoise, known: Measurement) -> Denoise:
        """Return the estimate's nearest state that agrees."""
        return lambda z, at: known.nearest(prior(z, at), at)


@dataclass(frozen=True)
class PiGDM(Corrected):
    """Projection, but what is not measured moves along: as the network's Jacobian says."""

    def denoise(self, prior: Denoise, known: Measurement) -> Denoise:
        """Return D + C (nearest - D) / r^2."""

        def denoise(z: State, at: Marginal) -> State:
            linear = Linearised(prior, z, at, known)
            score = (known.nearest(linear.x0, at) - linear.x0) / known.variance(at)
            return linear.x0 + linear.change(score)

        return denoise


@dataclass(frozen=True)
class DPS(Corrected):
    """Follow the gradient of the residual's norm; needs no inverse of A, so A may be anything.

    The paper steps along grad |y - A D|^2 by a constant over |y - A D|: always as far, however
    large the residual is, and how far is found by trial for each task and number of steps. Here the
    length is the one that it should have: of m numbers each is about r off if D is right.

    Args:
        step: factor on the length; 1 is right for a linear A with A A^T = I.
    """

    step: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a step that goes the wrong way."""
        if not self.step > 0.0:
            raise Refusal(f"DPS: step = {self.step:g} is not above 0")

    def denoise(self, prior: Denoise, known: Measurement) -> Denoise:
        """Return D - C step sqrt(m) / r grad |y - A D|, the gradient to unit norm."""

        def denoise(z: State, at: Marginal) -> State:
            linear = Linearised(prior, z, at, known)
            length = self.step * torch.sqrt(known.numbers() / known.variance(at))
            return linear.x0 + linear.change(length * known.descent(linear.x0))

        return denoise


class Linearised:
    """The prior at z: its estimate, and its covariance as a linear map.

    Attributes:
        x0: the estimate D, without gradient.
    """

    def __init__(self, prior: Denoise, z: State, at: Marginal, known: Measurement) -> None:
        self.at, self.variance = at, known.variance(at)
        self.z, self.graph = z, None
        if known.signal(at) < LEAST_SIGNAL:
            self.x0 = prior(z, at)
            return
        with torch.enable_grad():
            self.z = z.detach().requires_grad_()
            self.graph = prior(self.z, at)
        self.x0 = self.graph.detach()

    def covariance(self, score: State) -> State:
        """Return C s: one backward pass."""
        if self.graph is None:
            return self.variance * score
        (pulled,) = torch.autograd.grad(self.graph, self.z, score)
        return self.at.sigma**2 / self.at.alpha * pulled

    def change(self, score: State) -> State:
        """Return C s, C scaled to have the variance r^2 along s that s was made for.

        What is measured of sound hangs together, so that C is far larger along a residual than r^2,
        and C s would go many times too far. It is the first step length of conjugate gradients on
        A C A^T, and with a single number measured the exact answer for any normal x_0.
        """
        found = self.covariance(score)
        along = _dot(score, found) / (self.variance * _dot(score, score)).clamp_min(TINY)
        return torch.where(along > TINY, found / along.clamp_min(TINY), self.variance * score)


def _dot(x: State, y: State) -> Tensor:
    """Return the inner product of each item, with axes of one kept."""
    return (x * y).sum((1, 2, 3), keepdim=True)
