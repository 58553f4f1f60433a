"""Sampler: solver, grid and budget in one hand, and the one loop from noise to clean."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from diffaudio.log import Refusal
from diffaudio.process import Denoise, Guidance, Marginal, Path
from diffaudio.process.path import refuse_singular
from diffaudio.shapes import State
from diffaudio.solve.grid import Grid
from diffaudio.solve.problem import Noise, Problem
from diffaudio.solve.solver import Memory, Solver


@dataclass(frozen=True)
class Sampler:
    """How a trained model is run.

    Args:
        solver: of the ODE or SDE: what moves z from knot to knot.
        grid: the time steps, where the knots are.
        calls: network calls for one result, the number of function evaluations (NFE); exactly so
            many are made (an adaptive solver may make fewer). Guidance that needs several answers
            gets them in one call.
        guidance: how a model's answers to several conditions become one; null takes the plain one.
        start: time at which sampling starts, from a guess with the path's noise there; by default
            the path's end. The earlier, the more of the guess is kept: SDEdit, or a warm start
            from another system's output. Source: Meng et al., SDEdit, 2022, algorithm 1.
        temperature: factor of the noise at the start. Below 1 results are more like each other,
            and smoother: voices are customarily sampled so. Source: Kim et al., Glow-TTS, 2020.
    """

    solver: Solver
    grid: Grid
    calls: int
    guidance: Guidance | None = None
    start: float | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be run, before a model is loaded."""
        if self.calls < 1:
            raise Refusal(f"sampler: calls = {self.calls} is not at least 1")
        if not 0 <= self.temperature < math.inf:
            raise Refusal(f"sampler: temperature = {self.temperature:g} is not a number from 0")
        self.solver.plan(self.calls)
        if self.guidance is not None and self.guidance.ahead and not self.solver.steady:
            raise Refusal(
                f"sampler: {type(self.guidance).__name__} with {self.solver}, which calls the "
                "network more than once a step or adds noise",
                mend="use DDIM, Euler or a multistep solver, all with eta 0",
            )

    def shortened(self, path: Path) -> Path:
        """Return the path as far as `start`: grid, noise and solver follow from it."""
        return path if self.start is None else path.until(self.start)

    def knots(self, path: Path) -> list[Marginal]:
        """Return the places on the path where the solver steps, noise first.

        Raises:
            Refusal: the solver does not work on this path.
        """
        steps, path = self.solver.plan(self.calls), self.shortened(path)
        times = self.grid.times(path, self.calls if self.solver.adaptive else len(steps) + 1)
        at = path.at(times[[0, -1]] if self.solver.adaptive else times)
        refuse_singular(str(self.solver), path, at, self.solver.needs(at))
        return at.knots()

    def jump(self, path: Path) -> Callable[[Marginal], float]:
        """Return how far an estimate has to lead, 0 to 1, from each place: see the solver's aim."""
        aim = self.solver.aim
        places = [knot.place.item() for knot in self.knots(path)] if aim == "next" else []

        def jump(at: Marginal) -> float:
            if aim != "next":
                return float(aim == "clean")
            here = at.place.item()
            then = max((place for place in places if place < here), default=0.0)
            return 1.0 - then / here

        return jump

    def __call__(self, denoise: Denoise, path: Path, guess: State | None, noise: Noise) -> State:
        """Run from noise to the clean state.

        The first draw of noise makes the start; the call at the last knot makes the result.

        Args:
            denoise: the network with everything bound.
            path: the path that the network was trained on.
            guess: what x_0 is taken to be at the start: y where there is one, else None.
            noise: source of standard normal states; no draw is used twice.

        Raises:
            Refusal: the solver does not work on this path, or it starts where there is no guess.
        """
        steps, knots = self.solver.plan(self.calls), self.knots(path)
        if self.start is not None and guess is None:
            raise Refusal(
                f"sampler: start = {self.start:g}, but there is nothing to start from",
                mend="leave start out, or give a guess",
            )
        problem = Problem(denoise, self.shortened(path), noise, self.calls)
        z = knots[0].start(self.temperature * noise(), guess)
        memory: Memory = ()
        for solver, (now, then) in zip(steps, pairwise(knots), strict=True):
            z, memory = solver.step(problem, z, now, then, memory)
        clean = self.solver.finish(problem, z, knots[-1])
        if problem.calls != self.calls and not self.solver.adaptive:
            raise RuntimeError(f"{self} made {problem.calls} calls: its plan is wrong")
        return clean
