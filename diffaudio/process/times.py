"""Times: at which times the network is trained, as inverse distribution functions.

The caller draws u in [0, 1): keyed by item, stratified over a batch, or evenly spaced for a
validation loss that does not jump. A distribution only says where u lands on the path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from diffaudio.process.path import Path


class Times(ABC):
    """A distribution of training times over a path."""

    @abstractmethod
    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return times in [path.t_min, path.t_max], shape and precision of u.

        Args:
            u: uniform draws in [0, 1), any shape.
            path: whose ends bound the times.
        """


@dataclass(frozen=True)
class Uniform(Times):
    """Uniform over the path's time."""

    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return t_min + u (t_max - t_min)."""
        return path.t_min + u * (path.t_max - path.t_min)


@dataclass(frozen=True)
class LogNormal(Times):
    """log t ~ N(mean, std^2), cut to the path. Source: Karras et al., 2022, table 1 (for VE).

    Args:
        mean: of log t.
        std: of log t.
    """

    mean: float = -1.2
    std: float = 1.2

    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return exp(mean + std n), n normal and cut so that no time lies outside the path."""
        ends = torch.tensor([path.t_min, path.t_max], dtype=torch.float64, device=u.device)
        low, high = torch.special.ndtr((torch.log(ends) - self.mean) / self.std)
        normal = torch.special.ndtri(low + u.double() * (high - low))
        times = torch.exp(self.mean + self.std * normal)
        return times.clamp(path.t_min, path.t_max).to(u.dtype)


@dataclass(frozen=True)
class LogitNormal(Times):
    """logit of the time's place on the path ~ N(mean, std^2): most draws in the middle.

    Source: Esser et al., Scaling Rectified Flow Transformers, 2024, eq. 19.

    Args:
        mean: of the logit; above 0 leans towards noise.
        std: of the logit.
    """

    mean: float = 0.0
    std: float = 1.0

    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return t_min + sigmoid(mean + std n) (t_max - t_min)."""
        normal = torch.special.ndtri(u.double())
        place = torch.sigmoid(self.mean + self.std * normal)
        return (path.t_min + place * (path.t_max - path.t_min)).to(u.dtype)


@dataclass(frozen=True)
class AtEnd(Times):
    """Always t_max: with the X0 target and one call, plain regression by the same network."""

    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return t_max."""
        return torch.full_like(u, path.t_max)
