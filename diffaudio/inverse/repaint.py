"""RePaint: at every knot what is known is put into z with fresh noise, and steps are repeated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from diffaudio.inverse.measurement import Measurement
from diffaudio.inverse.methods import Method
from diffaudio.inverse.operator import Linear
from diffaudio.log import Refusal
from diffaudio.process import Denoise, Marginal, Path
from diffaudio.shapes import State
from diffaudio.solve import Memory, Noise, Problem, Sampler, Solver


@dataclass(frozen=True)
class RePaint(Method):
    """Let the known part of z follow the path by itself, and the rest the solver.

    After each step the part of z that is measured is replaced by alpha y + sigma A eps. That part
    does not know what the solver has made of the rest, so the step is taken again, from fresh noise
    on top of its result, until the two agree.

    The known part is put in as audio, so the codec must be linear (a waveform) and so must A. For a
    low pass, taken once, this is ILVR.

    Sources: Lugmayr et al., RePaint, 2022, algorithm 1 (jumps of one step); Choi et al., ILVR,
    2021, algorithm 1.

    Args:
        times: how often each step is taken; the calls grow with it.
    """

    times: int = 5

    def __post_init__(self) -> None:
        """Refuse to take no step."""
        if self.times < 1:
            raise Refusal(f"RePaint: times = {self.times} is not at least 1")

    def run(
        self, sampler: Sampler, prior: Denoise, path: Path, known: Measurement, noise: Noise
    ) -> State:
        """Run the sampler with its solver repeated; of the result the known part is replaced too.

        Raises:
            Refusal: operator or codec is not linear, the measurement is noisy, or guidance looks
                ahead.
        """
        _check(known)
        if sampler.guidance is not None and sampler.guidance.ahead:
            raise Refusal(
                f"RePaint takes steps again from fresh noise: no {type(sampler.guidance).__name__}",
                mend="use ClassifierFree, or another method",
            )
        repainted = replace(sampler, solver=Repainted(sampler.solver, known, self.times))
        return repainted(prior, path, known.guess(), noise)


@dataclass(frozen=True)
class Repainted(Solver):
    """A solver each of whose steps is taken several times, with the known part put in after each.

    Args:
        solver: one without memory.
        known: what was measured.
        times: how often each step is taken.
    """

    solver: Solver
    known: Measurement
    times: int

    @property
    def order(self) -> int:  # type: ignore[override]
        """Return the order: fresh noise leaves the first."""
        return 1

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Return the solver's plan for the calls of each time, each step wrapped."""
        each, rest = divmod(calls - 1, self.times)
        if rest:
            raise Refusal(
                f"RePaint takes every step {self.times} times, which does not divide {calls} calls "
                "less the last",
                mend=f"ask for {(each + 1) * self.times + 1} calls",
            )
        return tuple(replace(self, solver=one) for one in self.solver.plan(each + 1))

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what the solver needs."""
        return self.solver.needs(at)

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Step and put in what is known; go back by fresh noise and do it again."""
        scale = now.alpha / then.alpha
        added = torch.sqrt((now.sigma**2 - (scale * then.sigma) ** 2).clamp_min(0.0))
        for again in range(self.times):
            if again:
                z = scale * z + added * problem.noise()
            z, _ = self.solver.step(problem, z, now, then, memory)
            z = self._put_in(z, then, problem.noise())
        return z, ()

    def finish(self, problem: Problem, z: State, last: Marginal) -> State:
        """Return the last estimate, with what is known in its place."""
        return self.known.nearest(self.solver.finish(problem, z, last), last)

    def _put_in(self, z: State, at: Marginal, eps: State) -> State:
        """Replace the measured part of z by that of alpha x_0 + sigma eps."""
        known, audio = self.known, self.known.decode(z)
        noisy = at.alpha * known.measured + at.sigma * known.operator.measure(known.decode(eps))
        return z + known.encode(known.operator.nearest(audio, noisy) - audio)


def _check(known: Measurement) -> None:
    """Refuse what RePaint cannot do."""
    if not isinstance(known.operator, Linear):
        raise Refusal(
            f"RePaint: {type(known.operator).__name__} is not linear, so noise does not add to it",
            mend="use DPS, PiGDM or Projection",
        )
    if known.noise:
        raise Refusal(
            f"RePaint takes the measurement to be free of noise, but noise = {known.noise:g}",
            mend="use DPS, PiGDM or Projection",
        )
    state = known.guess()
    one, two = known.decode(state), known.decode(2.0 * state)
    if not torch.allclose(two, 2.0 * one, rtol=1e-3, atol=1e-3 * one.abs().max().item()):
        raise Refusal(
            "RePaint puts noisy audio into the state, but this codec is not linear",
            mend="use a model of waveforms, or DPS, PiGDM or Projection",
        )
