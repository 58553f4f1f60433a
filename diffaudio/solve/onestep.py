"""Solvers without memory or inner calls: DDIM (deterministic to ancestral), Euler."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.exponential import combined
from diffaudio.solve.problem import Problem
from diffaudio.solve.solver import Aim, Memory, Solver
from diffaudio.solve.update import flow, held_noise, update


@dataclass(frozen=True)
class DDIM(Solver):
    """One update, one call. eta = 0 is deterministic (exponential Euler), eta = 1 ancestral.

    Source: Song et al., Denoising Diffusion Implicit Models, 2021. On a Schroedinger bridge these
    are the ODE (eta = 0, noisy_start false) and SDE (eta = 1) samplers of Jukic et al., 2024. On VE
    it is Euler's method, and with eta its ancestral form.

    Args:
        eta: share of fresh noise in each step, 0 to 1.
        noisy_start: on a bridge that starts at y itself, draw the noise of the first step, so that
            the result is a draw from the posterior. False is the published ODE: the result is the
            posterior's mean, with half a draw's mean square error and no spread at all.
    """

    eta: float = 0.0
    noisy_start: bool = True
    order: int = field(default=1, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse an eta that is no share."""
        check_share(self, self.eta)

    @property
    def aim(self) -> Aim:
        """Return `next` without fresh noise: then a network that is told of it makes no error."""
        return "here" if self.eta else "next"

    @property
    def steady(self) -> bool:
        """Return whether there is no fresh noise."""
        return not self.eta

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Denoise, then add back what noise the next knot has."""
        x0 = problem.x0(z, now)
        if self.eta == 0.0 and now.sigma > 0:
            return combined(flow(now, then), [z, x0]), memory
        eps = held_noise(z, x0, now, problem.noise, noisy_start=self.noisy_start)
        return update(x0, eps, now, then, problem.noise, eta=self.eta), memory


@dataclass(frozen=True)
class Renoise(Solver):
    """The estimate with noise that is all new: how consistency models take more than one call.

    Source: Song et al., Consistency Models, 2023, algorithm 1. With a model that was trained to
    denoise it is a coarse form of ancestral sampling: each call forgets the noise of the last.
    """

    order: int = field(default=1, init=False, repr=False)

    @property
    def aim(self) -> Aim:
        """Return `clean`: all that it keeps of an estimate is the clean state."""
        return "clean"

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Denoise, then add the next knot's noise."""
        return then.z(problem.x0(z, now), problem.noise()), memory


@dataclass(frozen=True)
class Euler(Solver):
    """The straight line along the velocity dz/dt of the probability flow, one call a step.

    The flow-matching sampler. Where alpha and sigma are linear in t it is DDIM; elsewhere it takes
    them to be linear over a step, which DDIM does not.
    """

    order: int = field(default=1, init=False, repr=False)

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what a velocity is made of."""
        return velocity_needs(at)

    @property
    def steady(self) -> bool:
        """Return True."""
        return True

    def step(
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Return z + (u - t) dz/dt."""
        step, of_noise = then.t.item() - now.t.item(), now.d_sigma.item() / now.sigma.item()
        kept = 1.0 + step * of_noise
        gained = step * (now.d_alpha.item() - now.alpha.item() * of_noise)
        x0 = problem.x0(z, now)
        return (kept * z).add_(x0, alpha=gained), memory


def velocity_needs(at: Marginal) -> dict[str, Tensor]:
    """Return what dz/dt is made of."""
    return {"alpha'": at.d_alpha, "sigma'": at.d_sigma, "1 / sigma": 1.0 / at.sigma}


def check_share(solver: Solver, eta: float) -> None:
    """Refuse an eta that is not between 0 and 1."""
    if not 0.0 <= eta <= 1.0:
        raise Refusal(f"{type(solver).__name__}: eta = {eta:g} is not between 0 and 1")
