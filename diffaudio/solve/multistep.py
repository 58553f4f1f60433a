"""Solvers that remember: the answers of earlier steps bend the present one, at no extra call.

They differ in what they average, clean estimates or noises, in the variable in which they draw a
polynomial through the answers, and in whether they correct.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.exponential import (
    MASSES,
    NODES,
    combined,
    flow_shares,
    lagrange,
    mean_answer,
    mean_shares,
    weights,
)
from diffaudio.solve.onestep import check_share
from diffaudio.solve.problem import Problem
from diffaudio.solve.singlestep import Predict, answer_needs, check_order
from diffaudio.solve.solver import Memory, Past, Solver
from diffaudio.solve.update import flow, held_noise, rate, update, x0_of


@dataclass(frozen=True)
class DPMSolverMultistep(Solver):
    """DPM-Solver and DPM-Solver++ over steps: 2M and 3M, and with noise 2M SDE and 3M SDE.

    The step takes the mean of the polynomial in half-log-SNR through the last answers. The first
    step has no earlier one and is DDIM.

    Sources: Lu et al., DPM-Solver++, 2022, algorithm 2 (order 2, "x0"; the leading term of the
    weight, all of it is taken here); Zhang and Chen, DEIS, 2022 ("eps", polynomials in the
    logarithm of the noise level).

    Args:
        order: answers in the polynomial, 1 to 3.
        predict: which answers are averaged: clean estimates or noises.
        eta: share of fresh noise, 0 to 1; above 0 with estimates only.
        noisy_start: as in DDIM.
    """

    order: int = 2
    predict: Predict = "x0"
    eta: float = 0.0
    noisy_start: bool = True

    def __post_init__(self) -> None:
        """Refuse what is not offered."""
        check_order(self, self.order, (1, 2, 3))
        check_share(self, self.eta)
        if self.eta and self.predict == "eps":
            raise Refusal(f"DPMSolverMultistep: eta = {self.eta:g} needs predict x0, not eps")

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what noises are made of, where noises are averaged."""
        return answer_needs(at, self.predict)

    @property
    def steady(self) -> bool:
        """Return whether there is no fresh noise."""
        return not self.eta

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Denoise, take the mean over the step, update."""
        x0 = problem.x0(z, now)
        memory = remembered(z, x0, now, memory, self.predict, self.order)
        if self.predict == "eps":
            return by_noise(memory[0], then, memory), memory
        bent = mean_answer(said(memory), now, then, rate(now, then, self.eta))
        eps = held_noise(z, bent, now, problem.noise, noisy_start=self.noisy_start)
        return update(bent, eps, now, then, problem.noise, eta=self.eta), memory


@dataclass(frozen=True)
class UniPC(Solver):
    """DPM-Solver multistep, each step taken again once the network has answered at its end.

    The answer at the predicted state is the newest point of the polynomial that corrects the step
    just made, and a point of the next prediction. So the correction costs no call, and it raises
    the order by one. (The first step is corrected to the second order, which is what keeps the
    whole at the third.)

    Source: Zhao et al., UniPC, 2023, algorithms 5 and 7 (multistep). Their B(h) only matters where
    a weight is replaced by its leading term; all of each is taken here. Their polynomials are those
    over log_snr; test/bench/solvers.py has the figures that made ours the default.

    Args:
        answers: points of the prediction, 1 to 3; the correction has one more. By default 2 for up
            to ten calls and 3 for more: high orders need small steps.
        predict: which answers are averaged: clean estimates or noises.
        over: the variable of the polynomials: rectified flow's time, or half-log-SNR; by default
            the former for estimates, the latter for noises.
    """

    answers: int | None = None
    predict: Predict = "x0"
    over: Literal["flow", "log_snr"] | None = None

    def __post_init__(self) -> None:
        """Refuse what is not offered."""
        check_order(self, self._answers, (1, 2, 3))
        if (self.predict, self.over) == ("eps", "flow"):
            raise Refusal("UniPC: noises are averaged over log_snr only, not over flow")

    @property
    def _answers(self) -> int:
        return 2 if self.answers is None else self.answers

    @property
    def order(self) -> int:  # type: ignore[override]
        """Return the order of the corrected steps; of a whole run at most 3, the first one's."""
        return self._answers + 1

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Take every step with as many answers as the number of calls deserves."""
        answers = self.answers or (2 if calls <= 10 else 3)
        return (replace(self, answers=answers),) * (calls - 1)

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what noises are made of, where noises are averaged."""
        return answer_needs(at, self.predict)

    @property
    def steady(self) -> bool:
        """Return True."""
        return True

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Denoise, correct the step that led here, predict the next one."""
        x0 = problem.x0(z, now)
        points = remembered(z, x0, now, memory, self.predict, self._answers + 1)
        if memory and memory[0].at.sigma > 0:
            z = self._along(memory[0], now, points)
            points = (points[0]._replace(z=z), *points[1:])
        if now.sigma > 0:
            return self._along(points[0], then, points[: self._answers]), points
        return then.z(x0, problem.noise()), points

    def _along(self, start: Past, then: Marginal, points: Sequence[Past]) -> State:
        """Return z at `then`, gone from `start` along the mean of the answers at `points`."""
        if self.predict == "eps":
            return by_noise(start, then, points)
        places, answers = [past.at for past in points], [past.answer for past in points]
        find = mean_shares if self.over == "log_snr" else flow_shares
        kept, gained = flow(start.at, then)
        shares = [gained * share for share in find(places, start.at, then)]
        return combined([kept, *shares], [start.z, *answers])


@dataclass(frozen=True)
class LMS(Solver):
    """Linear multistep: Adams and Bashforth's polynomial through the last noises.

    Over sigma / alpha, z / alpha moves by the noise that it holds, so nothing exponential is left:
    on VE this is the method of k-diffusion, elsewhere DEIS with polynomials in the noise level.

    Source: Katherine Crowson, k-diffusion (LMS); Zhang and Chen, DEIS, 2022, section 3.3 (rho AB).

    Args:
        order: noises in the polynomial, 1 to 4.
    """

    order: int = 4

    def __post_init__(self) -> None:
        """Refuse what is not offered."""
        check_order(self, self.order, (1, 2, 3, 4))

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what noises are made of."""
        return answer_needs(at, "eps")

    @property
    def steady(self) -> bool:
        """Return True."""
        return True

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Denoise, take the mean of the polynomial, move along it."""
        memory = remembered(z, problem.x0(z, now), now, memory, "eps", self.order)
        start, end = noise_level(now), noise_level(then)
        places = [(noise_level(past.at) - start) / (end - start) for past in memory]
        eps = combined(weights(places, 0.0), [past.answer for past in memory])
        return then.z(x0_of(z, eps, now), eps), memory


@dataclass(frozen=True)
class DEIS(Solver):
    """Exponential integrator with polynomials in time through the last noises (tAB-DEIS).

    The weight of each noise is an integral over the step of its Lagrange polynomial in t, taken by
    Gauss and Legendre's rule.

    Source: Zhang and Chen, Fast Sampling of Diffusion Models with Exponential Integrator, 2022,
    eqs. 14 and 15.

    Args:
        order: noises in the polynomial, 1 to 4.
    """

    order: int = 3

    def __post_init__(self) -> None:
        """Refuse what is not offered."""
        check_order(self, self.order, (1, 2, 3, 4))

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what noises are made of."""
        return answer_needs(at, "eps")

    @property
    def steady(self) -> bool:
        """Return True."""
        return True

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Denoise, weigh the noises, move along their mean."""
        memory = remembered(z, problem.x0(z, now), now, memory, "eps", self.order)
        x, w = torch.tensor([NODES, MASSES], dtype=torch.float64)
        t = now.t + (then.t - now.t) * (0.5 + 0.5 * x)
        inner = problem.path.at(t)
        speed = (inner.d_sigma - inner.drift * inner.sigma) / inner.alpha  # of sigma / alpha
        mass = w * speed
        basis = lagrange([past.at.t.item() for past in memory], t)
        shares = [(mass * one).sum().item() / mass.sum().item() for one in basis]
        eps = combined(shares, [past.answer for past in memory])
        return then.z(x0_of(z, eps, now), eps), memory


def remembered(
    z: State, x0: State, now: Marginal, memory: Memory, predict: Predict, length: int
) -> Memory:
    """Return the memory with the network's answer at `now` put first."""
    answer = x0 if predict == "x0" else now.eps(z, x0)
    return (Past(now, z, answer), *memory)[:length]


def said(points: Sequence[Past]) -> list[tuple[Marginal, State]]:
    """Return where the network was called and what it said."""
    return [(past.at, past.answer) for past in points]


def by_noise(start: Past, then: Marginal, points: Sequence[Past]) -> State:
    """Return z at `then`, gone from `start` along the mean of the noises at `points`."""
    eps = mean_answer(said(points), start.at, then, -1.0)
    return then.z(x0_of(start.z, eps, start.at), eps)


def noise_level(at: Marginal) -> float:
    """Return sigma / alpha."""
    return (at.sigma / at.alpha).item()
