"""A problem whose answer is known: x_0 is normal, what is measured of it is linear.

Then the posterior is normal too, its best denoiser is affine, and so is what a sampler makes of all
its draws of noise: moments are computed exactly, from the answers to unit impulses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from diffaudio.inverse import Clip, Convolve, LowPass, Mask, Measurement, Operator
from diffaudio.process import Marginal

N, STD, RATE = 10, 0.4, 1000
KEPT = torch.tensor([1, 1, 1, 0, 0, 1, 1, 0, 1, 1], dtype=torch.bool)
RESPONSE = torch.tensor([1.0, 0.6, -0.3], dtype=torch.float64)
LINEAR = [Mask(KEPT), LowPass(220.0, RATE), Convolve(RESPONSE)]
OPERATORS = [*LINEAR, Clip(0.5)]


def name(part: object) -> str:
    """Return a short name for a test's list: an operator's, a number."""
    return type(part).__name__ if isinstance(part, Operator) else str(part)


@dataclass(frozen=True)
class Gaussian:
    """x_0 ~ N(mean, cov), a waveform of one channel; called, it is the best denoiser."""

    mean: Tensor
    cov: Tensor

    def gain(self, at: Marginal) -> Tensor:
        """Return the matrix from z - alpha mean to E[x_0 | z] - mean."""
        z_cov = at.alpha**2 * self.cov + at.sigma**2 * torch.eye(len(self.mean)).double()
        return at.alpha * self.cov @ torch.linalg.inv(z_cov)

    def __call__(self, z: Tensor, at: Marginal) -> Tensor:
        """Return E[x_0 | z]."""
        if at.alpha == 0:
            return 0.0 * z + self.mean
        return self.mean + (z - at.alpha * self.mean) @ self.gain(at).T

    def root(self) -> Tensor:
        """Return R with R R^T = cov, which may be singular."""
        values, vectors = torch.linalg.eigh(self.cov)
        return vectors * values.clamp_min(0.0).sqrt()

    def given(self, operator: Operator, y: Tensor, std: float) -> Gaussian:
        """Return the posterior where y = A x_0 + std eps; only the range of A is looked at."""
        matrix = matrix_of(operator, len(self.mean))
        left, values, _ = torch.linalg.svd(matrix)
        left = left[:, values > 1e-9]
        a, y = left.T @ matrix, left.T @ y
        noise = std**2 * torch.eye(len(a)).double()
        gain = self.cov @ a.T @ torch.linalg.inv(a @ self.cov @ a.T + noise)
        return Gaussian(self.mean + gain @ (y - a @ self.mean), self.cov - gain @ a @ self.cov)

    def denoised(self, at: Marginal) -> Tensor:
        """Return the covariance of E[x_0 | z]."""
        return self.gain(at) @ self.cov * at.alpha


def matrix_of(operator: Operator, n: int) -> Tensor:
    """Return A as a matrix, column by column."""
    return operator.measure(torch.eye(n).double()[:, None])[:, 0].T


def prior_of(correlation: float, n: int = N) -> Gaussian:
    """Return a prior whose neighbours are correlated so much."""
    place = torch.arange(n)
    apart = (place[:, None] - place).abs()
    return Gaussian(torch.linspace(-0.5, 0.8, n).double(), STD**2 * correlation ** apart.double())


def observed(prior: Gaussian, operator: Operator, noise: float = 0.0) -> Tensor:
    """Return what is measured of a draw from the prior; noise in units of its deviation."""
    draw = torch.Generator().manual_seed(5)
    x, eps = torch.randn(2, len(prior.mean), generator=draw, dtype=torch.float64)
    clean = (prior.mean + prior.root() @ x).reshape(1, 1, -1)
    return operator.measure(clean)[0, 0] + noise * STD * eps


def known_of(operator: Operator, y: Tensor, batch: int = 1, noise: float = 0.0) -> Measurement:
    """Return the measurement of a batch of equal waveforms that are their own states."""
    measured = y.expand(batch, 1, -1)
    return Measurement(
        operator, measured, lambda z: z.squeeze(2), lambda x: x.unsqueeze(2), noise, STD
    )


def moments(
    run: Callable[[int, Callable[[], Tensor], Tensor], Tensor], n: int = N
) -> tuple[Tensor, Tensor]:
    """Return mean (n,) and covariance (n, n) of what is affine in all draws of noise.

    Args:
        run: of a batch's size, a source of draws and one more draw, each (batch, 1, 1, n).
        n: samples of a state.
    """
    draws = []

    def silence() -> Tensor:
        draws.append(torch.zeros(1, 1, 1, n).double())
        return draws[-1]

    run(1, silence, torch.zeros(1, 1, 1, n).double())
    batch = (len(draws) + 1) * n + 1  # an impulse in every element of every draw; silence is last
    impulses = iter(torch.eye(batch).double().reshape(batch, 1, 1, batch).split(n, -1))
    first = next(impulses)
    result = run(batch, lambda: next(impulses), first).reshape(batch, n)
    gains = result[:-1] - result[-1]
    return result[-1], gains.T @ gains
