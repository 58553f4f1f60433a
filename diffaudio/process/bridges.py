"""Schroedinger bridges: paths that are exactly x_0 at one end and exactly y at the other.

x_t = alpha(t) x_0 + mean(t) y + sigma(t) eps, where sigma is 0 at both ends: sampling starts at y
itself, and everything that divides by sigma or alpha is singular there.
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


@dataclass(frozen=True)
class SchroedingerBridgeVP(Path):
    """Schroedinger bridge over a variance-preserving reference: exactly x_0 at 0, exactly y at 1.

    The reference is dx = -b(t) x / 2 dt + sqrt(c b(t)) dw, b linear from beta_min to beta_max. With
    L its integral, a = exp(-L / 2), r = c (exp(L) - 1), the variance gathered over a^2, and R and
    A for r and a at t = 1:

        alpha = a (R - r) / R        mean = (a / A) r / R        sigma^2 = a^2 r (R - r) / R

    Source: Jukic et al., Interspeech 2024, table 1 (VP); Chen et al., 2023, eq. 9.

    Args:
        beta_min: rate at t = 0, per unit of time.
        beta_max: rate at t = 1.
        c: variance of the reference's noise.
        t_min: least time.
        t_max: time where sampling starts; 1 is y itself, without noise.
    """

    beta_min: float = 0.01
    beta_max: float = 20.0
    c: float = 0.3
    t_min: float = 1e-4
    t_max: float = 1.0
    uses_given: ClassVar[bool] = True

    def alpha(self, t: Tensor) -> Tensor:
        """Return a (R - r) / R."""
        return self._decay(t) * self._left(t)

    def mean(self, t: Tensor) -> Tensor:
        """Return (a / A) r / R."""
        rate, whole = self._rate(t), self._rate(torch.ones_like(t))
        return torch.exp(0.5 * (whole - rate)) * torch.expm1(rate) / torch.expm1(whole)

    def sigma(self, t: Tensor) -> Tensor:
        """Return a sqrt(r (R - r) / R)."""
        gathered = self.c * torch.expm1(self._rate(t))
        return self._decay(t) * torch.sqrt(gathered * self._left(t))

    def log_snr(self, t: Tensor) -> Tensor:
        """Return log((R - r) / R / r) / 2, the same where alpha / sigma is 0 / 0 at t = 1."""
        return 0.5 * torch.log(self._left(t) / (self.c * torch.expm1(self._rate(t))))

    def _rate(self, t: Tensor) -> Tensor:
        """Return L."""
        return integrated_rate(t, self.beta_min, self.beta_max)

    def _decay(self, t: Tensor) -> Tensor:
        """Return a."""
        return torch.exp(-0.5 * self._rate(t))

    def _left(self, t: Tensor) -> Tensor:
        """Return (R - r) / R, without cancellation near 1: L(1) - L(t) has a factor 1 - t."""
        slope = 0.5 * (self.beta_max - self.beta_min)
        rest = (1.0 - t) * (self.beta_min + slope * (1.0 + t))
        return (
            torch.exp(self._rate(t))
            * torch.expm1(rest)
            / torch.expm1(self._rate(torch.ones_like(t)))
        )
