"""Grids: at which times the network is called. One convention for all of them.

A grid of n knots starts at path.t_max and falls to a last knot t_last > 0; a solver calls the
network at every knot, and what the call at the last one returns is the result. Time 0 is never a
knot: there z is x_0 already, so a call would say nothing new. n = 1 is the start alone.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import Path


class Grid(ABC):
    """The times of the calls."""

    @abstractmethod
    def times(self, path: Path, n: int) -> Tensor:
        """Return n times, float64 on the processor, falling strictly from path.t_max.

        Args:
            path: whose ends bound the times.
            n: knots, at least 1.
        """


@dataclass(frozen=True)
class UniformGrid(Grid):
    """Equal steps in t.

    Args:
        t_last: last knot. By default one equal step above 0, but not below path.t_min.
    """

    t_last: float | None = None

    def times(self, path: Path, n: int) -> Tensor:
        """Return n equal steps from t_max to the last knot."""
        last = max(path.t_min, path.t_max / n) if self.t_last is None else self.t_last
        if not max(path.t_min, math.ulp(0.0)) <= last <= path.t_max:
            raise Refusal(
                f"UniformGrid: t_last = {last:g} is outside {path}",
                mend=f"choose it above 0, from {path.t_min:g} to {path.t_max:g}, or leave it out",
            )
        return torch.linspace(path.t_max, last, n, dtype=torch.float64)


@dataclass(frozen=True)
class KarrasGrid(Grid):
    """Equal steps in (sigma / alpha)^(1 / rho): the larger rho, the more knots at little noise.

    Source: Karras et al., 2022, eq. 5; there alpha = 1 and sigma = t.

    Args:
        rho: bend; 7 in the paper.
        sigma_min: least sigma / alpha; narrowed to what the path has.
        sigma_max: largest sigma / alpha; narrowed to what the path has.
    """

    rho: float = 7.0
    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def times(self, path: Path, n: int) -> Tensor:
        """Return n knots, spaced in the rho-th root of sigma / alpha."""
        low, high = _log_snr_ends(path, self.sigma_min, self.sigma_max)
        ends = math.exp(-low / self.rho), math.exp(-high / self.rho)
        roots = torch.linspace(*ends, n, dtype=torch.float64)
        return _from_t_max(path, -self.rho * torch.log(roots))


@dataclass(frozen=True)
class LogSNRGrid(Grid):
    """Equal steps in log(alpha / sigma), the natural time of DPM-Solver++.

    Source: Lu et al., DPM-Solver, 2022, appendix D.4.

    Args:
        sigma_min: least sigma / alpha; narrowed to what the path has.
        sigma_max: largest sigma / alpha; narrowed to what the path has.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def times(self, path: Path, n: int) -> Tensor:
        """Return n knots, spaced in half-log-SNR."""
        low, high = _log_snr_ends(path, self.sigma_min, self.sigma_max)
        return _from_t_max(path, torch.linspace(low, high, n, dtype=torch.float64))


def _log_snr_ends(path: Path, sigma_min: float, sigma_max: float) -> tuple[float, float]:
    """Return the half-log-SNR at the noisy and at the clean end of a grid."""
    ends = path.log_snr(torch.tensor([path.t_max, path.t_min], dtype=torch.float64)).tolist()
    return max(ends[0], -math.log(sigma_max)), min(ends[1], -math.log(sigma_min))


def _from_t_max(path: Path, log_snr: Tensor) -> Tensor:
    """Return the times of rising half-log-SNRs; the first is t_max, where the start lies."""
    times = path.time_of(log_snr)
    times[0] = path.t_max
    return times
