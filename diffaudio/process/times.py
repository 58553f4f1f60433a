"""Times: at which times the network is trained, as inverse distribution functions.

The caller draws u in [0, 1); a distribution only says where u lands on the path. Those over noise
levels, sigma / alpha, are the same on every path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from diffaudio.log import Refusal
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
    """log(sigma / alpha) ~ N(mean, std^2), cut to the path. Source: Karras et al., 2022, table 1.

    Args:
        mean: of the logarithm of the noise level.
        std: of the same.
    """

    mean: float = -1.2
    std: float = 1.2

    def __post_init__(self) -> None:
        """Refuse a deviation that is none."""
        refuse_unless_positive(self, "std", self.std)

    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return the times of exp(mean + std n), n normal and cut so that all are on the path."""
        low, high = torch.special.ndtr((_log_levels(path, u) - self.mean) / self.std)
        normal = torch.special.ndtri(low + u.double() * (high - low))
        return _time_of_level(path, self.mean + self.std * normal, u)


@dataclass(frozen=True)
class LogUniform(Times):
    """log(sigma / alpha) uniform: every noise level's magnitude alike, as VE was first trained.

    Source: Song et al., Score-Based Generative Modeling through SDEs, 2021, appendix C.

    Args:
        sigma_min: least sigma / alpha; narrowed to what the path has.
        sigma_max: largest.
    """

    sigma_min: float = 0.01
    sigma_max: float = 100.0

    def __post_init__(self) -> None:
        """Refuse a range that is none."""
        refuse_unless_positive(self, "sigma_min", self.sigma_min)
        refuse_unless_positive(self, "sigma_max - sigma_min", self.sigma_max - self.sigma_min)

    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return the times of noise levels between the ends."""
        ends = torch.tensor([self.sigma_min, self.sigma_max], dtype=torch.float64, device=u.device)
        levels = _log_levels(path, u)
        low, high = torch.log(ends).clamp(levels[0], levels[1])
        return _time_of_level(path, low + u.double() * (high - low), u)


@dataclass(frozen=True)
class Laplace(Times):
    """Half-log-SNR ~ Laplace(mean, scale), cut to the path: most draws near one noise level.

    Source: Hang and Gu, Improved Noise Schedule for Diffusion Training, 2024, table 1; there for
    log-SNR, twice ours.

    Args:
        mean: half-log-SNR that is drawn most.
        scale: mean distance from it.
    """

    mean: float = 0.0
    scale: float = 0.25

    def __post_init__(self) -> None:
        """Refuse a scale that is none."""
        refuse_unless_positive(self, "scale", self.scale)

    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return the times of the distribution's quantiles."""
        ends = (_log_levels(path, u) + self.mean) / self.scale
        low, high = 0.5 * (1.0 + torch.sign(ends) * -torch.expm1(-ends.abs()))
        share = low + u.double() * (high - low)
        level = torch.where(share < 0.5, torch.log(2.0 * share), -torch.log(2.0 - 2.0 * share))
        return _time_of_level(path, self.scale * level - self.mean, u)


@dataclass(frozen=True)
class Piecewise(Times):
    """Half-log-SNR with a density that is constant from one edge to the next, cut to the path.

    With shares that follow the weighted loss seen at each noise level, more is drawn where there is
    more to learn. What is drawn more often also counts for more, as with every distribution here.

    Source: Kingma and Gao, Understanding Diffusion Objectives as the ELBO with Simple Data
    Augmentation, 2023; there the density follows the loss while training, here it is given.

    Args:
        edges: rising half-log-SNR, one more than `shares`.
        shares: how often each piece is drawn, relative to the others.
    """

    edges: Sequence[float]
    shares: Sequence[float]

    def __post_init__(self) -> None:
        """Refuse pieces that are none."""
        if not len(self.edges) == len(self.shares) + 1 >= 2:
            raise Refusal(
                f"Piecewise: {len(self.edges)} edges around {len(self.shares)} shares",
                mend="give one edge more than shares, for example [-5, 0, 5] and [1, 2]",
            )
        for left, right in pairwise(self.edges):
            refuse_unless_positive(self, "distance of edges", right - left)
        for share in self.shares:
            refuse_unless_positive(self, "share", share)

    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return the times of the distribution's quantiles."""
        rising = [-edge for edge in reversed(self.edges)], [0.0, *reversed(self.shares)]
        levels, shares = torch.tensor(rising, dtype=torch.float64, device=u.device)
        below = shares.cumsum(0)
        low, high = _interpolated(_log_levels(path, u).clamp(levels[0], levels[-1]), levels, below)
        level = _interpolated(low + u.double() * (high - low), below, levels)
        return _time_of_level(path, level, u)


@dataclass(frozen=True)
class PathTimes(Times):
    """The noise levels of uniform times on another path: the cosine's, VP's, rectified flow's.

    Args:
        path: whose time is uniform, as far as both paths go.
    """

    path: Path

    def __call__(self, u: Tensor, path: Path) -> Tensor:
        """Return the times at which the path has the other's sigma / alpha."""
        start, end = self.path.time_of(-_log_levels(path, u))
        return _time_of_level(path, -self.path.log_snr(start + u.double() * (end - start)), u)


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

    def __post_init__(self) -> None:
        """Refuse a deviation that is none."""
        refuse_unless_positive(self, "std", self.std)

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


def refuse_unless_positive(who: object, name: str, value: float) -> None:
    """Refuse a value that must be above 0."""
    if not value > 0.0:
        raise Refusal(f"{type(who).__name__}: {name} = {value:g} is not above 0")


def _interpolated(x: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Return, at x within the rising knots, the straight lines between values."""
    right = torch.searchsorted(knots, x, right=True).clamp(1, len(knots) - 1)
    share = (x - knots[right - 1]) / (knots[right] - knots[right - 1])
    return torch.lerp(values[right - 1], values[right], share)


def _log_levels(path: Path, like: Tensor) -> Tensor:
    """Return log(sigma / alpha) at the path's clean and noisy end, float64, like's device."""
    ends = torch.tensor([path.t_min, path.t_max], dtype=torch.float64, device=like.device)
    return -path.log_snr(ends)


def _time_of_level(path: Path, log_level: Tensor, like: Tensor) -> Tensor:
    """Return the times at which log(sigma / alpha) is this, on the path, in like's precision."""
    return path.time_of(-log_level).clamp(path.t_min, path.t_max).to(like.dtype)
