"""Paths that lead from the clean state to a given one: noisy speech, a mixture, a first guess.

x_t = alpha(t) x_0 + mean(t) y + sigma(t) eps, where mean grows as alpha falls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from diffaudio.process.path import Path
from diffaudio.process.to_noise import integrated_rate


@dataclass(frozen=True)
class FlowSE(Path):
    """The straight line to y with growing noise: x_t = (1 - t) x_0 + t y + sigma_max t eps.

    Source: Lee, Cheong, Han and Shin, FlowSE: Flow Matching-based Speech Enhancement, ICASSP 2025.

    Args:
        sigma_max: noise at t = 1.
        t_min: least time.
        t_max: time where sampling starts.
    """

    sigma_max: float = 0.487
    t_min: float = 0.03
    t_max: float = 1.0
    uses_given: ClassVar[bool] = True

    def alpha(self, t: Tensor) -> Tensor:
        """Return 1 - t."""
        return 1.0 - t

    def mean(self, t: Tensor) -> Tensor:
        """Return t."""
        return t.clone()

    def sigma(self, t: Tensor) -> Tensor:
        """Return sigma_max t."""
        return self.sigma_max * t

    def slopes(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return -1 and sigma_max."""
        return torch.full_like(t, -1.0), torch.full_like(t, self.sigma_max)


@dataclass(frozen=True)
class OUVE(Path):
    """Ornstein-Uhlenbeck with exploding variance: x is pulled towards y while noise grows.

    The diffusion dx = stiffness (y - x) dt + g dw with
    g = sigma_min (sigma_max / sigma_min)^t sqrt(2 log(sigma_max / sigma_min)); with
    l = log(sigma_max / sigma_min) and s for the stiffness its solution is

        alpha = exp(-s t)        mean = 1 - alpha
        sigma^2 = sigma_min^2 alpha^2 (exp(2 (s + l) t) - 1) l / (s + l)

    Source: Richter et al., Speech Enhancement and Dereverberation with Diffusion-Based Generative
    Models, 2023 (SGMSE+), eqs. 3 to 7. Sampling starts at y + sigma eps although a clean rest
    exp(-s) of x_0 should still be there: the paper's prior mismatch.

    Args:
        stiffness: pull towards y, per unit of time.
        sigma_min: scale of the diffusion at t = 0.
        sigma_max: scale of the diffusion at t = 1.
        t_min: least time.
        t_max: time where sampling starts.
    """

    stiffness: float = 1.5
    sigma_min: float = 0.05
    sigma_max: float = 0.5
    t_min: float = 0.03
    t_max: float = 1.0
    uses_given: ClassVar[bool] = True

    def alpha(self, t: Tensor) -> Tensor:
        """Return exp(-stiffness t)."""
        return torch.exp(-self.stiffness * t)

    def mean(self, t: Tensor) -> Tensor:
        """Return 1 - exp(-stiffness t)."""
        return -torch.expm1(-self.stiffness * t)

    def sigma(self, t: Tensor) -> Tensor:
        """Return sigma, the closed form above."""
        growth = math.log(self.sigma_max / self.sigma_min)
        total = self.stiffness + growth
        variance = torch.expm1(2.0 * total * t) * (growth / total)
        return self.sigma_min * self.alpha(t) * torch.sqrt(variance)


@dataclass(frozen=True)
class GradTTS(Path):
    """Variance preserving towards y: from speech to noise around the text's mean, N(y, I) at last.

    With L as in VP: alpha = exp(-L / 2), mean = 1 - alpha, sigma^2 = 1 - exp(-L).

    Source: Popov et al., Grad-TTS, 2021, eqs. 8 to 10 with the identity as covariance; the rates
    are its section 4.

    Args:
        beta_min: noise rate at t = 0, per unit of time.
        beta_max: noise rate at t = 1.
        t_min: least time.
        t_max: time where sampling starts.
    """

    beta_min: float = 0.05
    beta_max: float = 20.0
    t_min: float = 1e-5
    t_max: float = 1.0
    uses_given: ClassVar[bool] = True

    def alpha(self, t: Tensor) -> Tensor:
        """Return exp(-L / 2)."""
        return torch.exp(-0.5 * integrated_rate(t, self.beta_min, self.beta_max))

    def mean(self, t: Tensor) -> Tensor:
        """Return 1 - exp(-L / 2)."""
        return -torch.expm1(-0.5 * integrated_rate(t, self.beta_min, self.beta_max))

    def sigma(self, t: Tensor) -> Tensor:
        """Return sqrt(1 - exp(-L))."""
        return torch.sqrt(-torch.expm1(-integrated_rate(t, self.beta_min, self.beta_max)))


@dataclass(frozen=True)
class BBED(Path):
    """Brownian bridge with exploding diffusion: a straight line to y, noise that comes and goes.

    The diffusion dx = (y - x) / (1 - t) dt + sqrt(c) k^t dw has alpha = 1 - t, mean = t and

        sigma^2 = c alpha^2 int_0^t k^(2 s) / (1 - s)^2 ds
                = c alpha (k^(2 t) - alpha - a k^2 alpha (E1(a alpha) - E1(a))),    a = 2 log k

    E1 is the exponential integral; the difference of two is log(1 / alpha) and a series that needs
    no more than thirty terms, so that everything here can be differentiated.

    Source: Lay, Welker, Richter and Gerkmann, Reducing the Prior Mismatch of Stochastic
    Differential Equations for Diffusion-based Speech Enhancement, Interspeech 2023; k, c and the
    ends are those of its code.

    Args:
        k: growth of the diffusion per unit of time.
        c: its variance rate at t = 0.
        t_min: least time.
        t_max: time where sampling starts, below 1: there only y is left.
    """

    k: float = 2.6
    c: float = 0.51
    t_min: float = 0.03
    t_max: float = 0.999
    uses_given: ClassVar[bool] = True

    def alpha(self, t: Tensor) -> Tensor:
        """Return 1 - t."""
        return 1.0 - t

    def mean(self, t: Tensor) -> Tensor:
        """Return t."""
        return t.clone()

    def sigma(self, t: Tensor) -> Tensor:
        """Return sigma, the closed form above."""
        alpha, a = 1.0 - t, 2.0 * math.log(self.k)
        n = torch.arange(1, 31, dtype=t.dtype, device=t.device)
        series = (1.0 - alpha[..., None] ** n) * torch.cumprod(-a / n, 0) / n
        gap = series.sum(-1) - torch.log1p(-t)  # E1(a alpha) - E1(a)
        bridge = torch.exp(a * t) - alpha - a * self.k**2 * alpha * gap
        return torch.sqrt(self.c * alpha * bridge)
