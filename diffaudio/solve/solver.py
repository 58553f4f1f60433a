"""Solver: the contract of one step from noisier to cleaner.

A solver moves z between two knots of a grid; how many network calls that takes is its own affair,
as long as its plan says so beforehand. Solvers know the path as scalars at the knots.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from torch import Tensor

from diffaudio.process import Marginal
from diffaudio.shapes import State
from diffaudio.solve.problem import Problem

Aim: TypeAlias = Literal["here", "next", "clean"]


class Past(NamedTuple):
    """What a step leaves for the next ones.

    Attributes:
        at: the path where the network was called.
        z: the state there.
        answer: what it said, as an estimate or as a noise.
    """

    at: Marginal
    z: State
    answer: State


Memory: TypeAlias = tuple[Past, ...]  # the newest first


class Solver(ABC):
    """How z moves from one knot to the next. Leaves are frozen dataclasses without state.

    Attributes:
        order: the error falls as the number of steps to the power -order, on smooth problems.
        adaptive: it chooses its steps itself, from the first knot to the last; the calls asked for
            are the most that it may make.
        aim: which estimate it wants of a network that can be told: the expected clean state here;
            the one with which DDIM's update lands on the next knot; or the clean end itself.
    """

    order: int
    adaptive: ClassVar[bool] = False

    @property
    def steady(self) -> bool:
        """Return whether it calls the network once a step, at its first knot, and adds no noise."""
        return False

    @property
    def aim(self) -> Aim:
        """Return `here`: what every denoiser says."""
        return "here"

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
        self, problem: Problem, z: State, now: Marginal, then: Marginal, memory: Memory
    ) -> tuple[State, Memory]:
        """Take one step.

        Args:
            problem: denoiser, path and noise.
            z: state at `now`.
            now: the path at the knot where z is; scalars.
            then: the path at the next knot.
            memory: what the steps before have left; empty at the first.

        Returns:
            z at `then`, and what the next step may need.
        """

    def finish(self, problem: Problem, z: State, last: Marginal) -> State:
        """Return the result: the clean estimate at the last knot, one call."""
        return problem.x0(z, last)
