"""Solvers that look ahead within a step: Heun and its family, single-step DPM-Solver, DPM++ SDE."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.exponential import mean_answer
from diffaudio.solve.onestep import DDIM, check_share, velocity_needs
from diffaudio.solve.problem import Problem
from diffaudio.solve.solver import Memory, Solver
from diffaudio.solve.update import held_noise, rate, shares, x0_of

Predict = Literal["x0", "eps"]


@dataclass(frozen=True)
class Heun(Solver):
    """Second-order Runge-Kutta on dz/dt, two calls a step: the trapezoid, or its relatives.

    With d the velocity at t and d' the one at t + share h, reached along d,

        z' = z + h ((1 - 1 / (2 share)) d + 1 / (2 share) d')

    share = 1 is Heun's trapezoid, 1/2 the midpoint method, 2/3 Ralston's. The result takes one
    call, so an odd budget of 2 m + 1 calls is m steps. An even one has a call to spare, which DDIM
    takes as the first step. One step of first order leaves the order of the whole at two; as the
    last step it doubled the error on straight paths.

    Source: Karras et al., 2022, algorithms 1 and 3 (their alpha is the share); there too a step to
    noise 0 takes one call.

    Args:
        share: how far into the step the second call is, above 0 and up to 1.
    """

    share: float = 1.0
    order: int = field(default=2, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a share outside the step."""
        if not 0.0 < self.share <= 1.0:
            raise Refusal(f"Heun: share = {self.share:g} is not above 0 and at most 1")

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Return one DDIM step if a call is to spare, then steps of two calls."""
        steps, spare = divmod(calls - 1, 2)
        return (DDIM(),) * spare + (self,) * steps

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what a velocity is made of."""
        return velocity_needs(at)

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Return the state along the mean of both velocities."""
        h = then.t - now.t
        inner = then if self.share == 1.0 else problem.path.at(now.t + self.share * h)
        early = now.velocity(z, problem.x0(z, now))
        ahead = z + self.share * h * early
        late = inner.velocity(ahead, problem.x0(ahead, inner))
        weight = 0.5 / self.share
        return z + h * ((1.0 - weight) * early + weight * late), memory


@dataclass(frozen=True)
class DPMSolverSinglestep(Solver):
    """DPM-Solver and DPM-Solver++ within a step: 2S and 3S, as many calls a step as its order.

    The second order calls half way in half-log-SNR, the third at one and two thirds, and each takes
    the weighted mean of the line through its first and its last answer. With eta = 1 the second
    order is DPM++ SDE: noise is drawn for the half step and for the whole one, and the two belong
    to one course of the diffusion.

    Calls that are left over make the first step one of lower order; with the third order, one
    left over makes the first two steps of second order, so that the order stays.

    Sources: Lu et al., DPM-Solver, 2022, algorithms 1 and 2 (noises, "eps"); DPM-Solver++, 2022,
    algorithm 1 (estimates, "x0"). Where a line is averaged they take the leading term of the
    weight, we take all of it.

    Args:
        order: 2 or 3.
        predict: which answers are averaged: clean estimates or noises.
        eta: share of fresh noise, 0 to 1; above 0 for the second order with estimates only.
        noisy_start: as in DDIM.
    """

    order: int = 2
    predict: Predict = "x0"
    eta: float = 0.0
    noisy_start: bool = True

    def __post_init__(self) -> None:
        """Refuse what is not offered."""
        check_order(self, self.order, (2, 3))
        check_share(self, self.eta)
        if self.eta and (self.order, self.predict) != (2, "x0"):
            raise Refusal(
                f"DPMSolverSinglestep: eta = {self.eta:g} needs order 2 and predict x0, "
                f"not {self.order} and {self.predict}"
            )

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Return steps of lower order for the calls left over, then steps of the order asked."""
        steps, spare = divmod(calls - 1, self.order)
        if not spare:
            return (self,) * steps
        first = DDIM(self.eta, self.noisy_start)
        if self.order == 2:
            return (first,) + (self,) * steps
        second = DPMSolverSinglestep(2, self.predict, 0.0, self.noisy_start)
        if spare == 2:
            return (second,) + (self,) * steps
        return (second, second) + (self,) * (steps - 1) if steps else (first,)

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what noises are made of, where noises are averaged."""
        return answer_needs(at, self.predict)

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Call at the start and within the step, then take all of it at once."""
        x0 = problem.x0(z, now)
        held = held_noise(z, x0, now, problem.noise, noisy_start=self.noisy_start)
        if self.eta:
            return self._stochastic(problem, z, x0, held, now, then), memory
        answers = [(now, x0 if self.predict == "x0" else held)]
        inner = now
        for k in range(1, self.order):
            inner = problem.between(now, then, k / self.order)
            ahead = self._take(z, held, now, inner, [answers[0], *answers[1:][-1:]])
            estimate = problem.x0(ahead, inner)
            spoken = estimate if self.predict == "x0" else inner.eps(ahead, estimate)
            answers.append((inner, spoken))
        return self._take(z, held, now, then, [answers[0], answers[-1]]), memory

    def _take(
        self,
        z: State,
        held: State,
        now: Marginal,
        then: Marginal,
        answers: list[tuple[Marginal, State]],
    ) -> State:
        """Go from z at `now` to `then` by the mean of these answers."""
        if self.predict == "eps":
            eps = mean_answer(answers, now, then, -1.0)
            return then.z(x0_of(z, eps, now), eps)
        x0 = mean_answer(answers, now, then, 1.0)
        return then.z(x0, now.eps(z, x0) if now.sigma > 0 else held)

    def _stochastic(
        self, problem: Problem, z: State, x0: State, held: State, now: Marginal, then: Marginal
    ) -> State:
        """DPM++ SDE: the whole step's noise is what became of the half step's, and some more."""
        inner = problem.between(now, then, 0.5)
        kept, fresh = shares(now, inner, self.eta)
        early = fresh * problem.noise()
        ahead = inner.alpha * x0 + kept * held + early
        answers = [(now, x0), (inner, problem.x0(ahead, inner))]
        x0 = mean_answer(answers, now, then, rate(now, then, self.eta))
        eps = now.eps(z, x0) if now.sigma > 0 else held
        carried = shares(inner, then, self.eta)[0] / inner.sigma
        kept, whole = shares(now, then, self.eta)
        late = torch.sqrt(whole**2 - (carried * fresh) ** 2)
        return then.alpha * x0 + kept * eps + carried * early + late * problem.noise()


def check_order(solver: Solver, order: int, orders: tuple[int, ...]) -> None:
    """Refuse an order that a solver does not have."""
    if order not in orders:
        raise Refusal(f"{type(solver).__name__}: order = {order} is not one of {orders}")


def answer_needs(at: Marginal, predict: Predict) -> dict[str, Tensor]:
    """Return the numbers that must be finite where estimates, or noises, are averaged."""
    if predict == "x0":
        return {"alpha": at.alpha, "sigma": at.sigma}
    return {"1 / alpha": 1.0 / at.alpha, "1 / sigma": 1.0 / at.sigma}
