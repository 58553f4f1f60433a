"""Solver: the contract of one step from noisier to cleaner, and the counting of network calls.

Solvers see z only, and the path only as scalars at the knots of the grid. What y is, which
conditions the network gets and how it is guided is bound into `denoise` before a solver runs, so
that none of it can be lost between two calls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeAlias

from torch import Tensor

from diffaudio.process import Marginal
from diffaudio.shapes import Scalar, State

Denoise: TypeAlias = Callable[[State, Scalar], State]  # (z, t) to the estimate of x_0
Noise: TypeAlias = Callable[[], State]  # the next standard normal draw
Memory: TypeAlias = tuple[tuple[Tensor, State], ...]  # earlier (half-log-SNR, estimate) pairs


class Solver(ABC):
    """How z moves from one knot to the next. Leaves are frozen dataclasses without state.

    Attributes:
        order: the error falls as the number of steps to the power -order, on smooth problems.
    """

    order: ClassVar[int]

    def plan(self, calls: int) -> tuple[Solver, ...]:
        """Spend a budget of network calls: the steps it buys, less the call of `finish`.

        Args:
            calls: network calls to be made in all, at least 1.

        Returns:
            who takes each step, in order; the grid has one knot more than that.

        Raises:
            Refusal: the budget cannot be spent exactly.
        """
        return (self,) * (calls - 1)

    def needs(self, at: Marginal) -> dict[str, Tensor]:
        """Return the numbers, by name, that must be finite at every knot."""
        return {"alpha": at.alpha, "sigma": at.sigma}

    @abstractmethod
    def step(
        self,
        denoise: Denoise,
        z: State,
        now: Marginal,
        then: Marginal,
        memory: Memory,
        noise: Noise,
    ) -> tuple[State, Memory]:
        """Take one step.

        Args:
            denoise: the network with everything bound.
            z: state at `now`.
            now: the path at the knot where z is; scalars.
            then: the path at the next knot.
            memory: what the steps before have left; empty at the first.
            noise: called once for each fresh draw.

        Returns:
            z at `then`, and what the next step may need.
        """

    def finish(self, denoise: Denoise, z: State, last: Marginal, noise: Noise) -> State:  # noqa: ARG002
        """Return the result: the clean estimate at the last knot, one call."""
        return denoise(z, last.t)


class Counter:
    """A denoiser that counts how often the network is called.

    Args:
        denoise: the denoiser to call.
    """

    def __init__(self, denoise: Denoise) -> None:
        self.denoise, self.calls = denoise, 0

    def __call__(self, z: State, t: Scalar) -> State:
        """Call the denoiser, and count."""
        self.calls += 1
        return self.denoise(z, t)
