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
class SchroedingerBridgeVE(Path):
    """Schroedinger bridge over a variance-exploding reference: exactly x_0 at 0, exactly y at 1.

    With r(t) = c (k^(2t) - 1) / (2 log k), the variance of the reference dx = sqrt(c) k^t dw, and
    R = r(1):

        alpha = (R - r) / R        mean = r / R        sigma^2 = r (R - r) / R

    R - r is computed as c k^(2t) (k^(2(1 - t)) - 1) / (2 log k), so nothing cancels near 1.

    Source: Jukic, Korostik, Balam and Ginsburg, Schroedinger Bridge for Generative Speech
    Enhancement, Interspeech 2024, table 1 (VE); Chen et al., Schroedinger Bridges Beat Diffusion
    Models on Text-to-Speech Synthesis, 2023.

    Args:
        k: growth of the reference's diffusion per unit of time.
        c: its variance rate at t = 0.
        t_min: least time.
        t_max: time where sampling starts; 1 is y itself, without noise.
    """

    k: float = 2.6
    c: float = 0.4
    t_min: float = 1e-4
    t_max: float = 1.0
    uses_given: ClassVar[bool] = True

    def alpha(self, t: Tensor) -> Tensor:
        """Return (R - r) / R."""
        rate = 2.0 * math.log(self.k)
        return torch.exp(rate * t) * torch.expm1(rate * (1.0 - t)) / math.expm1(rate)

    def mean(self, t: Tensor) -> Tensor:
        """Return r / R."""
        rate = 2.0 * math.log(self.k)
        return torch.expm1(rate * t) / math.expm1(rate)

    def sigma(self, t: Tensor) -> Tensor:
        """Return sqrt(r (R - r) / R)."""
        return torch.sqrt(self.reference_variance(t) * self.alpha(t))

    def log_snr(self, t: Tensor) -> Tensor:
        """Return log(alpha / r) / 2, the same where alpha / sigma is 0 / 0 at t = 1."""
        return 0.5 * torch.log(self.alpha(t) / self.reference_variance(t))

    def reference_variance(self, t: Tensor) -> Tensor:
        """Return r(t), the variance that the reference diffusion has gathered by t."""
        rate = 2.0 * math.log(self.k)
        return self.c * torch.expm1(rate * t) / rate
