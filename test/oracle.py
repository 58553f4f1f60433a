"""A problem with a closed-form answer for every path: x_0 given y is a mixture of two Gaussians.

The elements of a state are independent, so the probability flow moves each along its own quantile:
where it leads is known exactly although the denoiser is far from linear. A single Gaussian serves
for stochastic solvers: then a result is an affine function of all draws of noise.

    python test/oracle.py      prints the measured order of every solver on every path
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import lru_cache

import family
import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import (
    VE,
    X0,
    Denoise,
    Marginal,
    Path,
    SchroedingerBridgeVE,
    SchroedingerBridgeVP,
    Target,
)
from diffaudio.solve import (
    DDIM,
    DEIS,
    LMS,
    Churn,
    DPMSolverMultistep,
    DPMSolverSinglestep,
    Euler,
    Heun,
    LogSNRGrid,
    Problem,
    Sampler,
    Solver,
    UniformGrid,
    UniPC,
)

Y = torch.linspace(-1.2, 1.4, 48, dtype=torch.float64).reshape(1, 2, 4, 6)
EPS = torch.cos(7.0 * Y)  # the one draw of noise of deterministic tests

PATHS = [  # where a solver can start: not in the Dirac at y, nor with all of VE's noise
    {
        VE: VE(t_max=20.0),
        SchroedingerBridgeVE: SchroedingerBridgeVE(t_max=0.98),
        SchroedingerBridgeVP: SchroedingerBridgeVP(t_max=0.98),
    }.get(type(path), path)
    for path in family.PATHS
]
TARGETS = family.TARGETS
SOLVERS = [
    DDIM(),
    Euler(),
    Heun(),
    Heun(0.5),
    Heun(2 / 3),
    DPMSolverSinglestep(2),
    DPMSolverSinglestep(3),
    DPMSolverSinglestep(2, "eps"),
    DPMSolverSinglestep(3, "eps"),
    DPMSolverMultistep(2),
    DPMSolverMultistep(3),
    DPMSolverMultistep(2, "eps"),
    DPMSolverMultistep(3, "eps"),
    UniPC(1),
    UniPC(2),
    UniPC(3),
    UniPC(3, over="log_snr"),
    UniPC(2, "eps"),
    UniPC(3, "eps"),
    LMS(2),
    LMS(3),
    LMS(4),
    DEIS(2),
    DEIS(3),
    DEIS(4),
    Churn(Heun(), 0.0),
]


@dataclass(frozen=True)
class Mixture:
    """x_0 given y: 0.4 y + 0.2 - gap with weight 0.4, + gap with 0.6, each of deviation std."""

    gap: float = 0.5
    std: float = 0.4

    def parts(self, at: Path, t: Tensor, y: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the means of z at t, of both parts, and their common variance."""
        middle = 0.4 * y + 0.2
        means = [at.alpha(t) * (middle - self.gap), at.alpha(t) * (middle + self.gap)]
        return means, (at.alpha(t) * self.std) ** 2 + at.sigma(t) ** 2

    def denoise(self, path: Path, z: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """Return E[x_0 | z]."""
        middle, alpha = 0.4 * y + 0.2, path.alpha(t)
        means, variance = self.parts(path, t, y)
        if variance == 0:
            return middle + 0.2 * self.gap
        logits = [
            math.log(weight) - (z - mean) ** 2 / (2 * variance)
            for weight, mean in zip((0.4, 0.6), means, strict=True)
        ]
        share = torch.softmax(torch.stack(logits), 0)
        gain = alpha * self.std**2 / variance
        parts = [
            middle + side * self.gap + gain * (z - mean)
            for side, mean in zip((-1, 1), means, strict=True)
        ]
        return share[0] * parts[0] + share[1] * parts[1]

    def quantile(self, path: Path, z: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """Return P(z_t <= z)."""
        means, variance = self.parts(path, t, y)
        low, high = (torch.special.ndtr((z - mean) / variance.sqrt()) for mean in means)
        return 0.4 * low + 0.6 * high

    def flow(self, path: Path, start: Tensor, t: Tensor, y: Tensor) -> Tensor:
        """Return where the probability flow leads at t from `start` at t_max."""
        end = torch.tensor(path.t_max, dtype=torch.float64)
        noisy = path.sigma(end) > 0
        place = self.quantile(path, start, end, y) if noisy else torch.special.ndtr(EPS)
        low, high = torch.full_like(y, -60.0), torch.full_like(y, 60.0)
        for _ in range(64):
            middle = 0.5 * (low + high)
            below = self.quantile(path, middle, t, y) < place
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return 0.5 * (low + high)


def network(problem: Mixture, path: Path, target: Target) -> Denoise:
    """Return a denoiser whose network answers in the target's words, its expectation exactly."""

    def denoise(z, at):
        x0 = problem.denoise(path, z, at.t, Y)
        if at.sigma == 0:  # only X0 is asked there
            return target.x0(z, x0, at)
        return target.x0(z, target.of(x0, at.eps(z, x0), at), at)

    return denoise


def error(solver: Solver, path: Path, target: Target, grid, calls: int) -> tuple[float, int]:
    """Return the root mean square error of the result, and the steps taken."""
    problem, steps = Mixture(), len(solver.plan(calls))
    result = Sampler(solver, grid, calls)(network(problem, path, target), path, Y, lambda: EPS)
    last = grid.times(path, steps + 1)[-1]
    right = problem.flow(path, family.noise_end(path).start(EPS, Y), last, Y)
    return (result - problem.denoise(path, right, last, Y)).square().mean().sqrt().item(), steps


def grid_of(path: Path):
    """Return a grid all of whose steps shrink as there are more: log-SNR, or time where that ends.

    Where a path starts at pure noise, its first step in log-SNR is infinite at any number of steps.
    """
    if path.alpha(torch.tensor(path.t_max, dtype=torch.float64)) > 0:
        return LogSNRGrid(sigma_min=0.05, sigma_max=1e6)
    return UniformGrid(t_last=0.05)


def order(solver: Solver, path: Path, target: Target, calls=(31, 121)) -> float:
    """Return the slope of the error over the steps."""
    grid = grid_of(path)
    (one, few), (other, many) = (error(solver, path, target, grid, n) for n in calls)
    return math.log(one / other) / math.log(many / few)


def local_order(solver: Solver, path: Path, h: float = 0.03) -> float:
    """Return the order of one step from an exact state with exact answers in memory.

    Its error is h^(order + 1), whatever the first steps of a whole run cost.

    Args:
        solver: a deterministic one.
        path: on which the step starts at half-log-SNR 0.6.
        h: half-log-SNR of the longer of the two steps compared.
    """
    errors = [_one_step(solver, path, size) for size in (h, 0.5 * h)]
    return math.log2(errors[0] / errors[1]) - 1.0


def _one_step(solver: Solver, path: Path, h: float) -> float:
    """Return the error of one step; of UniPC that of the step once corrected."""
    problem = Problem(network(Mixture(), path, X0()), path, lambda: EPS, 99)
    knots, flow = _exact(path, h)
    memory, wanted = (), flow[-1]
    for knot, z in zip(knots[:4], flow[:4], strict=True):
        _, memory = solver.step(problem, z, knot, knots[4], memory)
        if memory:
            memory = (memory[0]._replace(z=z), *memory[1:])  # a corrector has moved it
    z, after = solver.step(problem, flow[4], knots[4], knots[5], memory)
    if isinstance(solver, UniPC):  # from the exact state before to here, and then correct
        z, after = solver.step(problem, flow[3], knots[3], knots[4], memory[1:])
        _, after = solver.step(problem, z, knots[4], knots[5], after)
        z, wanted = after[0].z, flow[4]
    return (z - wanted).square().mean().sqrt().item()


@lru_cache
def _exact(path: Path, h: float) -> tuple[list[Marginal], list[Tensor]]:
    """Return knots around half-log-SNR 0.6, and where the flow is at each.

    The last two are h apart, those before unequally: a step must not take its past to be even.
    """
    places = torch.tensor([-4.4, -3.1, -2.2, -0.8, 0.0, 1.0], dtype=torch.float64)
    times = path.time_of(0.6 + h * places)
    start = family.noise_end(path).start(EPS, Y)
    return path.at(times).knots(), [Mixture().flow(path, start, t, Y) for t in times]


def main() -> None:
    """Print a table: solver, path, its order, that of a step and that of a whole run."""
    for solver in SOLVERS:
        for path in PATHS:
            try:
                found = f"{local_order(solver, path):6.2f} {order(solver, path, X0()):6.2f}"
            except Refusal as refusal:
                found = str(refusal).partition(": ")[2]
            sys.stdout.write(f"{solver!s:62.62} {path!s:50.50} {solver.order} {found}\n")


if __name__ == "__main__":
    main()
