"""Solvers without memory: DDIM (deterministic to ancestral), Euler, Heun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from diffaudio.log import Refusal
from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.solver import Denoise, Memory, Noise, Solver
from diffaudio.solve.update import held_noise, update


@dataclass(frozen=True)
class DDIM(Solver):
    """One update, one call. eta = 0 is deterministic (exponential Euler), eta = 1 ancestral.

    Source: Song et al., Denoising Diffusion Implicit Models, 2021. On a Schroedinger bridge these
    are the ODE (eta = 0, noisy_start false) and SDE (eta = 1) samplers of Jukic et al., 2024.

    Args:
        eta: share of fresh noise in each step, 0 to 1.
        noisy_start: on a bridge that starts at y itself, draw the noise of the first step, so that
            the result is a draw from the posterior. False is the published ODE: the result is the
            posterior's mean, with half a draw's mean square error and no spread at all.
    """

    eta: float = 0.0
    noisy_start: bool = True
    order: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse an eta that is no share."""
        if not 0.0 <= self.eta <= 1.0:
            raise Refusal(f"DDIM: eta = {self.eta:g} is not between 0 and 1")

    def step(
        self,
        denoise: Denoise,
        z: State,
        now: Marginal,
        then: Marginal,
        memory: Memory,
        noise: Noise,
    ) -> tuple[State, Memory]:
        """Denoise, then add back what noise the next knot has."""
        x0 = denoise(z, now.t)
        eps = held_noise(z, x0, now, noise, noisy_start=self.noisy_start)
        return update(x0, eps, now, then, noise, eta=self.eta), memory


@dataclass(frozen=True)
class Euler(Solver):
    """The straight line along the velocity dz/dt of the probability flow, one call a step.

    The flow-matching sampler. Where alpha and sigma are linear in t it is DDIM; elsewhere it takes
    them to be linear over a step, which DDIM does not.
    """

    order: ClassVar[int] = 1

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what a velocity is made of."""
        return {"alpha'": at.d_alpha, "sigma'": at.d_sigma, "1 / sigma": 1.0 / at.sigma}

    def step(
        self,
        denoise: Denoise,
        z: State,
        now: Marginal,
        then: Marginal,
        memory: Memory,
        noise: Noise,  # noqa: ARG002
    ) -> tuple[State, Memory]:
        """Return z + (u - t) dz/dt."""
        return z + (then.t - now.t) * now.velocity(z, denoise(z, now.t)), memory


@dataclass(frozen=True)
class Heun(Solver):
    """The trapezoid: the mean of the velocities at both ends of a step, two calls a step.

    The result takes one call, so an odd budget of 2 m + 1 calls is m trapezoids. An even one has a
    call to spare, which DDIM takes as the first step. One step of first order leaves the order of
    the whole at two; as the last step it doubled the error on straight paths.

    Source: Karras et al., 2022, algorithm 1; there too a step to noise 0 takes one call.
    """

    order: ClassVar[int] = 2

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Return one DDIM step if a call is to spare, then trapezoids."""
        trapezoids, spare = divmod(calls - 1, 2)
        return (DDIM(),) * spare + (self,) * trapezoids

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return what a velocity is made of."""
        return Euler().needs(at)

    def step(
        self,
        denoise: Denoise,
        z: State,
        now: Marginal,
        then: Marginal,
        memory: Memory,
        noise: Noise,  # noqa: ARG002
    ) -> tuple[State, Memory]:
        """Return z + (u - t) (dz/dt at t + dz/dt at u) / 2."""
        h = then.t - now.t
        early = now.velocity(z, denoise(z, now.t))
        ahead = z + h * early
        late = then.velocity(ahead, denoise(ahead, then.t))
        return z + 0.5 * h * (early + late), memory
