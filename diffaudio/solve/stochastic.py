"""Noise for solvers that have none: ancestral steps, churn, restarts. Each wraps a solver."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.onestep import check_share
from diffaudio.solve.problem import Problem
from diffaudio.solve.solver import Memory, Solver
from diffaudio.solve.update import shares

_MOST_CHURN = math.sqrt(2.0) - 1.0  # of the noise level in one step; Karras et al., algorithm 2


@dataclass(frozen=True)
class Ancestral(Solver):
    """Solve past the next knot, to less noise than it has, and draw what is missing.

    How much is drawn is DDIM's eta: with 1 each step ends like a draw from the posterior. Around
    DPMSolverSinglestep it is DPM++ 2S ancestral, around DDIM it is DDIM(eta) itself.

    Source: Katherine Crowson, k-diffusion (ancestral samplers); Song et al., 2021, eq. 16 (eta).

    Args:
        solver: one without memory.
        eta: share of fresh noise in each step, 0 to 1.
    """

    solver: Solver
    eta: float = 1.0

    def __post_init__(self) -> None:
        """Refuse an eta that is no share."""
        check_share(self, self.eta)

    @property
    def order(self) -> int:  # type: ignore[override]
        """Return the order: fresh noise leaves the first."""
        return self.solver.order if self.eta == 0.0 else 1

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Return the solver's own plan, each step wrapped."""
        return tuple(replace(self, solver=one) for one in self.solver.plan(calls))

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what the solver needs."""
        return self.solver.needs(at)

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Step to less noise, scale to the knot, add noise."""
        kept, fresh = shares(now, then, self.eta)
        least = problem.path.log_snr(torch.tensor(problem.path.t_min, dtype=torch.float64))
        below = problem.at_log_snr(torch.minimum(torch.log(then.alpha / kept), least).item())
        z, _ = self.solver.step(problem, z, now, below, memory)
        scale = then.alpha / below.alpha
        drawn = torch.sqrt((then.sigma**2 - (scale * below.sigma) ** 2).clamp_min(0.0))
        return scale * z + drawn * problem.noise(), ()


@dataclass(frozen=True)
class Churn(Solver):
    """Add a little noise before each step, which then starts from more than the knot has.

    Source: Karras et al., 2022, algorithm 2; their values for images are 40 of 256 steps, noise
    1.003, low 0.05 and high 50.

    Args:
        solver: one without memory.
        churn: sum of the relative rises of the noise level over all steps.
        noise: standard deviation of what is added, in units of what would keep the marginal.
        low: least sigma / alpha at which noise is added.
        high: largest.
    """

    solver: Solver
    churn: float = 40.0
    noise: float = 1.0
    low: float = 0.05
    high: float = 50.0

    def __post_init__(self) -> None:
        """Refuse a churn that takes noise away."""
        if not (self.churn >= 0.0 and self.noise > 0.0 and self.low < self.high):
            raise Refusal(
                f"Churn: churn = {self.churn:g} must be at least 0, noise = {self.noise:g} above 0 "
                f"and low = {self.low:g} below high = {self.high:g}"
            )

    @property
    def order(self) -> int:  # type: ignore[override]
        """Return the order: fresh noise leaves the first."""
        return self.solver.order if self.churn == 0.0 else 1

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Return the solver's own plan, each step with its part of the churn."""
        steps = self.solver.plan(calls)
        part = self.churn / max(len(steps), 1)
        return tuple(replace(self, solver=one, churn=part) for one in steps)

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what the solver needs."""
        return self.solver.needs(at)

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Raise the noise by `churn` of its level, all of it in this step; then solve."""
        level = (now.sigma / now.alpha).item()
        rise = min(self.churn, _MOST_CHURN) if self.low <= level <= self.high else 0.0
        if rise > 0.0:
            raised = problem.at_log_snr(now.log_snr.item() - math.log1p(rise))
            scale = raised.alpha / now.alpha
            added = torch.sqrt(raised.sigma**2 - (scale * now.sigma) ** 2)
            z, now = scale * z + self.noise * added * problem.noise(), raised
        return self.solver.step(problem, z, now, then, memory)


@dataclass(frozen=True)
class Restart(Solver):
    """At one noise level, go back to much noise and come down again, a few times.

    Fresh noise there contracts the errors that earlier steps have gathered, while all other steps
    stay deterministic.

    Source: Xu et al., Restart Sampling for Improving Generative Processes, 2023, algorithm 1.

    Args:
        solver: takes all steps.
        times: how often it goes back.
        calls: network calls of each way down again.
        low: sigma / alpha from which it goes back: at the first knot below it, else at the last.
        high: sigma / alpha to which it goes.
    """

    solver: Solver
    times: int = 1
    calls: int = 3
    low: float = 0.1
    high: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a way back that is none."""
        if not (self.times >= 1 and self.calls >= 1 and 0.0 < self.low < self.high):
            raise Refusal(
                f"Restart: times = {self.times} and calls = {self.calls} must be at least 1, "
                f"low = {self.low:g} above 0 and below high = {self.high:g}"
            )

    @property
    def order(self) -> int:  # type: ignore[override]
        """Return the order of the solver."""
        return self.solver.order

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Return the solver's plan for what is left after all restarts, each step wrapped."""
        again = self.times * self.calls
        if calls <= again + 1:
            raise Refusal(
                f"Restart: {self.times} times {self.calls} calls leave none of {calls} for the way "
                "there",
                mend=f"ask for {again + 2} calls or more",
            )
        return tuple(replace(self, solver=one) for one in self.solver.plan(calls - again))

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what the solver needs."""
        return self.solver.needs(at)

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Step; where that passes `low`, restart."""
        z, memory = self.solver.step(problem, z, now, then, memory)
        if now.log_snr < -math.log(self.low) <= then.log_snr:
            return self._again(problem, z, then), ()
        return z, memory

    def finish(self, problem: Problem, z: State, last: Marginal) -> State:
        """Restart if no knot was below `low`; then the estimate at the last one."""
        if last.log_snr < -math.log(self.low):
            z = self._again(problem, z, last)
        return self.solver.finish(problem, z, last)

    def _again(self, problem: Problem, z: State, low: Marginal) -> State:
        """Go back to `high` and come down to where z is, as often as asked."""
        high = problem.at_log_snr(-math.log(self.high))
        if low.log_snr <= high.log_snr:
            raise Refusal(
                f"Restart: goes back to sigma / alpha = {self.high:g}, but the last knot is at "
                f"{(low.sigma / low.alpha).item():g} already",
                mend="ask for more calls, or raise high",
            )
        steps = self.solver.plan(self.calls + 1)
        knots = [problem.between(high, low, k / len(steps)) for k in range(len(steps))]
        for _ in range(self.times):
            scale = high.alpha / low.alpha
            memory: Memory = ()
            added = torch.sqrt((high.sigma**2 - (scale * low.sigma) ** 2).clamp_min(0.0))
            z = scale * z + added * problem.noise()
            for solver, (early, late) in zip(steps, pairwise([*knots, low]), strict=True):
                z, memory = solver.step(problem, z, early, late, memory)
        return z
