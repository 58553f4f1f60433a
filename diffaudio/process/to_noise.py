"""Paths that lead from the clean state to noise alone: variance exploding, rectified flow.

A given sound can still be a network's condition; it is no part of these paths.
"""

from __future__ import annotations

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
