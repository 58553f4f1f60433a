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
        end = path.t_max if n > 1 else math.inf  # one knot alone is t_max itself
        if not (last > 0.0 and path.t_min <= last < end):
            raise Refusal(
                f"{self}: t_last = {last:g} is outside {path}",
                mend=f"choose it above 0, from {path.t_min:g} to below {path.t_max:g}, or none",
            )
        return torch.linspace(path.t_max, last, n, dtype=torch.float64)


@dataclass(frozen=True)
class ShiftGrid(Grid):
    """Equal steps in u, with t / t_max = shift u / (1 + (shift - 1) u): more knots at much noise.

    Larger states keep more of their shape under the same noise, so they are sampled, and trained,
    as if there were more of it. The last knot is at u = 1 / n.

    Source: Esser et al., Scaling Rectified Flow Transformers, 2024, eq. 23.

    Args:
        shift: above 1 for more knots at much noise, 1 for equal steps.
    """

    shift: float = 3.0

    def __post_init__(self) -> None:
        """Refuse a shift that would turn time around."""
        if not self.shift > 0.0:
            raise Refusal(f"ShiftGrid: shift = {self.shift:g} is not above 0")

    def times(self, path: Path, n: int) -> Tensor:
        """Return n knots, equally spaced before the shift."""
        u = _equal_steps(n)
        return _at_least_t_min(path, path.t_max * self.shift * u / (1.0 + (self.shift - 1.0) * u))


@dataclass(frozen=True)
class SwayGrid(Grid):
    """Equal steps in u, with 1 - t / t_max = v + sway (cos(pi v / 2) - 1 + v), v = 1 - u.

    Sway sampling leans towards much noise where the coefficient is below 0. The last knot is at
    u = 1 / n.

    Source: Chen et al., F5-TTS, 2024, eq. 7; their time is 1 - t.

    Args:
        sway: coefficient, -1 to 2 / (pi - 2) = 1.75.
    """

    sway: float = -1.0

    def __post_init__(self) -> None:
        """Refuse a coefficient that would turn time around."""
        if not -1.0 <= self.sway <= 2.0 / (math.pi - 2.0):
            raise Refusal(f"SwayGrid: sway = {self.sway:g} is not between -1 and 1.75")

    def times(self, path: Path, n: int) -> Tensor:
        """Return n knots, equally spaced before the sway."""
        v = 1.0 - _equal_steps(n)
        passed = v + self.sway * (torch.cos(0.5 * math.pi * v) - 1.0 + v)
        return _at_least_t_min(path, path.t_max * (1.0 - passed))


@dataclass(frozen=True)
class PathGrid(Grid):
    """The noise levels of equal steps in the time of another path.

    The grid of VP, of the cosine, of rectified flow, for a network that was trained on any path.

    Args:
        path: whose time is divided, as far as both paths go, and down to one step above 0.
        finer_from: with more calls than this the last knot falls as their square, not their number:
            solvers of high order gain from it, the others do not.
    """

    path: Path
    finer_from: float = math.inf

    def times(self, path: Path, n: int) -> Tensor:
        """Return the times at which the path has the other's sigma / alpha."""
        start, end = path.t_max, path.t_min
        if path != self.path:
            ends = torch.tensor([start, end], dtype=torch.float64)
            start, end = self.path.time_of(path.log_snr(ends)).tolist()
        last = max(end, start / n * min(1.0, self.finer_from / n), self.path.t_min)
        times = torch.linspace(start, last, n, dtype=torch.float64)
        if path == self.path:
            return times
        return _from_t_max(path, self.path.log_snr(times))


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

    def __post_init__(self) -> None:
        """Refuse a bend that turns time around."""
        if not self.rho > 0.0:
            raise Refusal(f"KarrasGrid: rho = {self.rho:g} is not above 0")

    def times(self, path: Path, n: int) -> Tensor:
        """Return n knots, spaced in the rho-th root of sigma / alpha."""
        most, least = _noise_levels(path, self.sigma_max, self.sigma_min)
        ends = most ** (1.0 / self.rho), least ** (1.0 / self.rho)
        roots = torch.linspace(*ends, n, dtype=torch.float64)
        return _from_t_max(path, -self.rho * torch.log(roots))


@dataclass(frozen=True)
class LogSNRGrid(Grid):
    """Equal steps in log(alpha / sigma), the natural time of DPM-Solver++; geometric on VE.

    Source: Lu et al., DPM-Solver, 2022, appendix D.4.

    Args:
        sigma_min: least sigma / alpha; narrowed to what the path has.
        sigma_max: largest sigma / alpha; narrowed to what the path has.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def times(self, path: Path, n: int) -> Tensor:
        """Return n knots, spaced in half-log-SNR."""
        most, least = _noise_levels(path, self.sigma_max, self.sigma_min)
        ends = -math.log(most), -math.log(least)
        return _from_t_max(path, torch.linspace(*ends, n, dtype=torch.float64))


def _equal_steps(n: int) -> Tensor:
    """Return 1, 1 - 1 / n, ..., 1 / n."""
    return torch.arange(n, 0, -1, dtype=torch.float64) / n


def _at_least_t_min(path: Path, times: Tensor) -> Tensor:
    """Return times that fall strictly from t_max to t_min or above."""
    above = path.t_min + (times - times[-1]) * (path.t_max - path.t_min) / (path.t_max - times[-1])
    return times if len(times) == 1 or times[-1] >= path.t_min else above


def _noise_levels(path: Path, sigma_max: float, sigma_min: float) -> tuple[float, float]:
    """Return the largest and the least sigma / alpha of a grid, narrowed to what the path has."""
    ends = torch.tensor([path.t_max, path.t_min], dtype=torch.float64)
    noisy, clean = torch.exp(-path.log_snr(ends)).tolist()
    most, least = min(sigma_max, noisy), max(sigma_min, clean)
    if not most > least > 0.0:
        raise Refusal(
            f"sigma_min = {sigma_min:g} and sigma_max = {sigma_max:g} leave a grid no knots on "
            f"{path}, where sigma / alpha is {clean:g} to {noisy:g}",
            mend="choose sigma_min below sigma_max, both above 0, around some of that range",
        )
    return most, least


def _from_t_max(path: Path, log_snr: Tensor) -> Tensor:
    """Return the times of rising half-log-SNRs; the first is t_max, where the start lies."""
    times = path.time_of(log_snr)
    times[0] = path.t_max
    return times
