"""Paths that lead from the clean state to noise alone: VE, VP, cosine, rectified flow.

A given sound can still be a network's condition; it is no part of these paths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from diffaudio.process.path import Path


@dataclass(frozen=True)
class VE(Path):
    """Variance exploding, with time measured in noise: x_t = x_0 + t eps.

    Source: Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models,
    2022 (EDM), sigma(t) = t and s(t) = 1; the default ends are its table 1.

    Args:
        t_min: least noise, in units of the state.
        t_max: largest noise.
    """

    t_min: float = 0.002
    t_max: float = 80.0

    def alpha(self, t: Tensor) -> Tensor:
        """Return 1."""
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        """Return t."""
        return t.clone()

    def slopes(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return 0 and 1."""
        return torch.zeros_like(t), torch.ones_like(t)

    def clock(self, t: Tensor) -> Tensor:
        """Return log(t) / 4, c_noise of the paper's table 1: -1.6 to 1.1 at the default ends."""
        return 0.25 * torch.log(t)


@dataclass(frozen=True)
class RectifiedFlow(Path):
    """The straight line to noise: x_t = (1 - t) x_0 + (t + (1 - t) sigma_min) eps.

    Source: Liu et al., Flow Straight and Fast, 2022 (sigma_min = 0); Lipman et al., Flow Matching
    for Generative Modeling, 2022, eq. 20 (optimal-transport path, their time is 1 - t).

    Args:
        sigma_min: noise left at t = 0.
        t_min: least time.
        t_max: time where sampling starts.
    """

    sigma_min: float = 0.0
    t_min: float = 0.0
    t_max: float = 1.0

    def alpha(self, t: Tensor) -> Tensor:
        """Return 1 - t."""
        return 1.0 - t

    def sigma(self, t: Tensor) -> Tensor:
        """Return t + (1 - t) sigma_min."""
        return t + (1.0 - t) * self.sigma_min

    def slopes(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return -1 and 1 - sigma_min."""
        return torch.full_like(t, -1.0), torch.full_like(t, 1.0 - self.sigma_min)


@dataclass(frozen=True)
class VP(Path):
    """Variance preserving, with a noise rate that grows linearly from beta_min to beta_max.

    With L = beta_min t + (beta_max - beta_min) t^2 / 2: alpha = exp(-L / 2), sigma^2 = 1 - exp(-L).

    Source: Ho et al., Denoising Diffusion Probabilistic Models, 2020; in continuous time Song et
    al., Score-Based Generative Modeling through SDEs, 2021, eqs. 29 and 33.

    Args:
        beta_min: rate at t = 0, per unit of time.
        beta_max: rate at t = 1.
        t_min: least time.
        t_max: time where sampling starts.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0
    t_min: float = 1e-5
    t_max: float = 1.0

    def alpha(self, t: Tensor) -> Tensor:
        """Return exp(-L / 2)."""
        return torch.exp(-0.5 * integrated_rate(t, self.beta_min, self.beta_max))

    def sigma(self, t: Tensor) -> Tensor:
        """Return sqrt(1 - exp(-L))."""
        return torch.sqrt(-torch.expm1(-integrated_rate(t, self.beta_min, self.beta_max)))


@dataclass(frozen=True)
class Cosine(Path):
    """Variance preserving, a quarter of a circle: alpha = cos(pi t / 2), sigma = sin(pi t / 2).

    The shift is added to half-log-SNR: below 0 for more noise, as larger states need it. Training
    with v-prediction is the EDM target with sigma_data = 1 on this path.

    Source: Nichol and Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021; Salimans
    and Ho, 2022 (v); Hoogeboom et al., Simple Diffusion, 2023, eq. 4 (shift). The default ends are
    half-log-SNRs of about 7.5 and -7.5 where there is no shift.

    Args:
        shift: added to half-log-SNR.
        t_min: least time.
        t_max: time where sampling starts.
    """

    shift: float = 0.0
    t_min: float = 0.00035
    t_max: float = 0.99965

    def alpha(self, t: Tensor) -> Tensor:
        """Return the square root of SNR / (1 + SNR): cos(pi t / 2) without a shift."""
        return torch.sqrt(torch.sigmoid(2.0 * self.log_snr(t)))

    def sigma(self, t: Tensor) -> Tensor:
        """Return the square root of 1 / (1 + SNR): sin(pi t / 2) without a shift."""
        return torch.sqrt(torch.sigmoid(-2.0 * self.log_snr(t)))

    def log_snr(self, t: Tensor) -> Tensor:
        """Return shift - log(tan(pi t / 2))."""
        return self.shift - torch.log(torch.tan(0.5 * math.pi * t))


def integrated_rate(t: Tensor, beta_min: float, beta_max: float) -> Tensor:
    """Return the integral from 0 to t of a rate that is linear from beta_min to beta_max at 1."""
    return beta_min * t + 0.5 * (beta_max - beta_min) * t.square()
