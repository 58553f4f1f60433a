"""A problem with a closed-form answer for every path: x_0 given y is a mixture of two Gaussians.

The elements of a state are independent, so the probability flow moves each along its own quantile:
where it leads is known exactly although the denoiser is far from linear. A single Gaussian serves
for stochastic solvers: then a result is an affine function of all draws of noise.

    python test/solve/oracle.py      prints the measured order of every solver, path and target
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import (
    BBED,
    EDM,
    OUVE,
    VE,
    VP,
    X0,
    Cosine,
    Epsilon,
    FlowSE,
    GradTTS,
    Path,
    RectifiedFlow,
    SchroedingerBridgeVE,
    SchroedingerBridgeVP,
    Target,
    Velocity,
    check_pair,
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
    KarrasGrid,
    LogSNRGrid,
    Sampler,
    Solver,
    UniPC,
)

Y = torch.linspace(-1.2, 1.4, 12, dtype=torch.float64).reshape(1, 2, 2, 3)
EPS = torch.cos(7.0 * Y)  # the one draw of noise of deterministic tests

PATHS = [
    VE(t_max=20.0),
    VP(),
    Cosine(),
    Cosine(shift=-0.5),
    RectifiedFlow(),
    RectifiedFlow(0.01),
    FlowSE(),
    GradTTS(),
    OUVE(),
    BBED(),
    SchroedingerBridgeVE(),
    SchroedingerBridgeVP(),
]
TARGETS = [X0(), Epsilon(), Velocity(), EDM(0.4)]
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
    UniPC(2, "eps"),
    UniPC(3, "eps"),
    LMS(2),
    LMS(3),
    LMS(4),
    DEIS(2),
    DEIS(3),
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
        low, high = torch.full_like(y, -400.0), torch.full_like(y, 400.0)
        for _ in range(90):
            middle = 0.5 * (low + high)
            below = self.quantile(path, middle, t, y) < place
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return 0.5 * (low + high)


def network(problem: Mixture, path: Path, target: Target):
    """Return a denoiser whose network answers in the target's words, its expectation exactly."""

    def denoise(z, at):
        x0 = problem.denoise(path, z, at.t, Y)
        if at.sigma == 0:  # only X0 is asked there
            return target.x0(z, x0, at)
        return target.x0(z, target.of(x0, at.eps(z, x0), at), at)

    return denoise


def error(solver: Solver, path: Path, target: Target, grid, calls: int) -> tuple[float, int]:
    """Return the largest error of the result, and the steps taken."""
    problem, steps = Mixture(), len(solver.plan(calls))
    result = Sampler(solver, grid, calls)(network(problem, path, target), path, Y, lambda: EPS)
    last = grid.times(path, steps + 1)[-1]
    right = problem.flow(path, path.start(EPS, Y), last, Y)
    return (result - problem.denoise(path, right, last, Y)).abs().max().item(), steps


def grid_of(path: Path):
    """Return a grid whose first step shrinks with the others, where a path allows one."""
    return LogSNRGrid(sigma_min=0.05) if path.alpha(torch.tensor(path.t_max)) > 0 else KarrasGrid(rho=3.0, sigma_min=0.05, sigma_max=20.0)


def order(solver: Solver, path: Path, target: Target, calls=(61, 121)) -> float:
    """Return the slope of the error over the steps."""
    grid = grid_of(path)
    (one, few), (other, many) = (error(solver, path, target, grid, n) for n in calls)
    return math.log(one / other) / math.log(many / few)


def main() -> None:
    """Print a table."""
    for solver in SOLVERS:
        for path in PATHS:
            row = []
            for target in TARGETS:
                try:
                    check_pair(path, target)
                    row.append(f"{order(solver, path, target):6.2f}")
                except Refusal:
                    row.append("     -")
            e = "" 
            try: e=f"{error(solver,path,X0(),grid_of(path),121)[0]:.0e}"
            except Refusal: pass
            sys.stdout.write(f"{solver!s:50.50} {solver.order} {path!s:40.40} {' '.join(row)} {e}\n")


if __name__ == "__main__":
    main()
