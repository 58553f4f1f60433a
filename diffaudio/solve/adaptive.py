"""The adaptive solver: steps as long as an estimate of their error allows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.exponential import combined
from diffaudio.solve.onestep import velocity_needs
from diffaudio.solve.problem import Problem
from diffaudio.solve.solver import Memory, Solver

_NODES = (0.2, 0.3, 0.8, 8 / 9, 1.0, 1.0)  # of the step, after its start
_ROWS = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)  # the last row is the fifth-order result itself
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
_SAFETY, _LEAST, _MOST = 0.9, 0.2, 5.0  # of the next step, over this one


@dataclass(frozen=True)
class RK45(Solver):
    """Dormand and Prince's pair of orders 5 and 4 on dz/dt; the number of calls is its own choice.

    A sampler's `calls` are the most that it may make. The largest error of any item decides on the
    step, so an item's result can depend, within the tolerance, on the batch it is in.

    Source: Dormand and Prince, A Family of Embedded Runge-Kutta Formulae, 1980; step control as
    in Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 1993, section II.4.
    Song et al., 2021, sample with it.

    Args:
        rtol: error of a step, relative to the state's root mean square.
        atol: error besides.
    """

    rtol: float = 1e-3
    atol: float = 1e-4
    order: int = field(default=5, init=False, repr=False)
    adaptive: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse tolerances that are none."""
        if not (self.rtol >= 0.0 and self.atol > 0.0):
            raise Refusal(
                f"RK45: rtol = {self.rtol:g} must be at least 0, atol = {self.atol:g} above 0"
            )

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Return one step from the first knot to the last: the steps between are its own."""
        if calls < 8:
            raise Refusal(f"RK45 needs 8 calls at the least, not {calls}")
        return (self,)

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what a velocity is made of."""
        return velocity_needs(at)

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Go from `now` to `then` in steps that keep the tolerance."""
        h, slope = 0.05 * (then.t - now.t), now.velocity(z, problem.x0(z, now))
        t = now.t
        while t > then.t:
            h = torch.maximum(h, then.t - t)  # both are negative: not past the end
            ahead, slopes = self._try(problem, z, t, h, slope)
            error = self._error(z, ahead, h * combined(_ERROR, slopes))
            if math.isnan(error):
                raise Refusal(
                    f"{self}: the network's answers near t = {t.item():g} are no numbers",
                    mend="look at the model's losses, or decode in fp32",
                )
            if error <= 1.0:
                z, t, slope = ahead, t + h, slopes[-1]
            h = h * min(max(_SAFETY * max(error, 1e-10) ** -0.2, _LEAST), _MOST)
        return z, memory

    def _try(
        self, problem: Problem, z: State, t: Tensor, h: Tensor, slope: State
    ) -> tuple[State, list[State]]:
        """Return the state a step ahead, and the seven slopes on the way."""
        slopes, ahead = [slope], z
        for node, row in zip(_NODES, _ROWS, strict=True):
            ahead = z + h * combined(row, slopes)
            at = problem.path.at(t + node * h)
            slopes.append(at.velocity(ahead, problem.x0(ahead, at)))
        return ahead, slopes

    def _error(self, z: State, ahead: State, error: State) -> float:
        """Return the largest of the items' errors, in units of the tolerance."""
        sizes = [one.square().flatten(1).mean(1).sqrt() for one in (z, ahead, error)]
        allowed = self.atol + self.rtol * torch.maximum(sizes[0], sizes[1])
        return (sizes[2] / allowed).max().item()
