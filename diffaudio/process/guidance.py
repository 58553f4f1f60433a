"""Guidance: a denoiser made from a network's answers to several conditions, or from two networks.

All of it is linear in the estimate of x_0, so it is the same for every target and path, and solvers
see one denoiser. Answers to several conditions come from one network call on a larger batch.

    D = D_other + scale (D_wanted - D_other)

Sources: Ho & Salimans 2022 (arXiv:2207.12598), classifier-free; Kynkaanniemi et al. 2024
(arXiv:2404.07724), only within an interval of noise levels; Lin et al. 2023 (arXiv:2305.08891,
eqs. 15 and 16), rescaled; Liu et al. 2022 (arXiv:2206.01714, eq. 11), several conditions; Chung et
al. 2024 (arXiv:2406.08070), CFG++; Karras et al. 2024 (arXiv:2406.02507), autoguidance.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import torch

from diffaudio.log import Refusal
from diffaudio.process.path import Marginal
from diffaudio.shapes import State

__all__ = [
    "Answers",
    "Autoguidance",
    "CFGPlusPlus",
    "ClassifierFree",
    "Composed",
    "Denoise",
    "Guidance",
]

Denoise: TypeAlias = Callable[[State, Marginal], State]  # z at the path's place to x_0's estimate
Answers: TypeAlias = Callable[[State, Marginal, int], Sequence[State]]
"""x_0's estimates for the first so many of the conditions that are bound, the wanted one first."""


class Guidance(ABC):
    """How the answers to several conditions become one.

    Attributes:
        weaker: whether the answers after the first come from a weaker model, not from another
            condition.
        ahead: whether it has to know where a step leads: then the solver must call the network once
            a step, and add no noise.
    """

    weaker: bool = False
    ahead: bool = False

    @property
    @abstractmethod
    def others(self) -> tuple[Mapping[str, Any] | None, ...]:
        """What the answers after the first are conditioned on: None is nothing.

        A mapping replaces the values of the manifest's fields that it names.
        """

    @abstractmethod
    def guide(self, answers: Answers, knots: Sequence[Marginal]) -> Denoise:
        """Return the denoiser that a solver sees.

        Args:
            answers: the network, everything bound.
            knots: where on the path the sampler steps, noise first.
        """


@dataclass(frozen=True)
class ClassifierFree(Guidance):
    """Away from what the network answers when it is told nothing, or something unwanted.

    Args:
        scale: 1 is the plain conditional answer, and costs no second one.
        low: least noise level sigma / alpha at which it guides; it does above it.
        high: largest one.
        rescale: share in which the guided estimate gets back the root mean square of the plain
            one; scales far above 1 make it too loud otherwise.
        negative: fields of the condition to lead away from, {label: seven}; by default nothing.
    """

    scale: float
    low: float = 0.0
    high: float = math.inf
    rescale: float = 0.0
    negative: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse an interval or share that is none."""
        _refuse_interval(self, self.low, self.high)
        if not 0.0 <= self.rescale <= 1.0:
            raise Refusal(f"ClassifierFree: rescale = {self.rescale:g} is not between 0 and 1")

    @property
    def others(self) -> tuple[Mapping[str, Any] | None, ...]:
        """The one to lead away from."""
        return (self.negative,)

    def guide(self, answers: Answers, knots: Sequence[Marginal]) -> Denoise:
        """Return D_other + scale (D_wanted - D_other), rescaled."""
        del knots

        def denoise(z: State, at: Marginal) -> State:
            if self.scale == 1.0 or not _inside(at, self.low, self.high):
                return answers(z, at, 1)[0]
            wanted, other = answers(z, at, 2)
            guided = torch.lerp(other, wanted, self.scale)
            if not self.rescale:
                return guided
            # Of zero-mean states this is the paper's deviation; padding, being zero, cancels.
            power = [x.square().sum((1, 2, 3), keepdim=True) for x in (wanted, guided)]
            loudness = (power[0] / power[1].clamp_min(1e-20)).sqrt()
            return guided * (1.0 + self.rescale * (loudness - 1.0))

        return denoise


@dataclass(frozen=True)
class Composed(Guidance):
    """Towards several conditions at once: D_none + sum of scale_i (D_i - D_none).

    Args:
        scale: of the utterance's own condition.
        conditions: fields of the further ones, [{label: seven}].
        scales: one each.
        low: least noise level sigma / alpha at which it guides.
        high: largest one.
    """

    scale: float
    conditions: list[dict[str, Any]]
    scales: list[float]
    low: float = 0.0
    high: float = math.inf

    def __post_init__(self) -> None:
        """Refuse scales that are not one each."""
        _refuse_interval(self, self.low, self.high)
        if len(self.scales) != len(self.conditions):
            raise Refusal(
                f"Composed: {len(self.scales)} scales for {len(self.conditions)} conditions"
            )

    @property
    def others(self) -> tuple[Mapping[str, Any] | None, ...]:
        """Nothing, then the further conditions."""
        return (None, *self.conditions)

    def guide(self, answers: Answers, knots: Sequence[Marginal]) -> Denoise:
        """Return the weighted sum."""
        del knots

        def denoise(z: State, at: Marginal) -> State:
            if not _inside(at, self.low, self.high):
                return answers(z, at, 1)[0]
            wanted, nothing, *further = answers(z, at, 2 + len(self.conditions))
            guided = nothing + self.scale * (wanted - nothing)
            for scale, one in zip(self.scales, further, strict=True):
                guided = guided + scale * (one - nothing)
            return guided

        return denoise


@dataclass(frozen=True)
class CFGPlusPlus(Guidance):
    """CFG++: the guided estimate of x_0, but the noise that the network finds when told nothing.

    One step of DDIM from (alpha, sigma) to (A, S) is then A D + S eps_nothing, D guided by `scale`.
    That is the same step with one estimate, guided by scale / (1 - S alpha / (A sigma)): little
    at first, more as steps become short. It needs to know the next knot, so the solver must call
    the network at knots only, once a step, and add no noise.

    Args:
        scale: 0 is unconditional, 1 the plain conditional estimate.
    """

    scale: float
    ahead = True

    def __post_init__(self) -> None:
        """Refuse what would extrapolate: the method interpolates."""
        if not 0.0 <= self.scale <= 1.0:
            raise Refusal(
                f"CFGPlusPlus: scale = {self.scale:g} is not between 0 and 1",
                mend="scales above 1 are those of ClassifierFree; about 0.6 does what 7.5 does",
            )

    @property
    def others(self) -> tuple[Mapping[str, Any] | None, ...]:
        """Nothing."""
        return (None,)

    def guide(self, answers: Answers, knots: Sequence[Marginal]) -> Denoise:
        """Return the denoiser whose scale depends on the step."""
        scales = {knots[-1].t.item(): self.scale}  # the last estimate is the result
        for now, then in pairwise(knots):
            start = not now.sigma  # a bridge's: no noise yet, so the estimate alone counts
            kept = 0.0 if start else float(then.sigma * now.alpha / (then.alpha * now.sigma))
            scales[now.t.item()] = self.scale / (1.0 - kept)

        def denoise(z: State, at: Marginal) -> State:
            scale = scales.get(at.t.item())
            if scale is None:
                raise Refusal(
                    f"CFGPlusPlus: the solver calls the network at t = {at.t:g}, between knots",
                    mend="use DDIM or a multistep solver",
                )
            wanted, nothing = answers(z, at, 2)
            return torch.lerp(nothing, wanted, scale)

        return denoise


@dataclass(frozen=True)
class Autoguidance(Guidance):
    """Away from what a weaker model answers to the same condition: decode.weaker names it.

    Args:
        scale: 1 is the model's own answer.
        low: least noise level sigma / alpha at which it guides.
        high: largest one.
    """

    scale: float
    low: float = 0.0
    high: float = math.inf
    weaker = True

    def __post_init__(self) -> None:
        """Refuse an interval that is none."""
        _refuse_interval(self, self.low, self.high)

    @property
    def others(self) -> tuple[Mapping[str, Any] | None, ...]:
        """No other condition."""
        return ()

    def guide(self, answers: Answers, knots: Sequence[Marginal]) -> Denoise:
        """Return D_weaker + scale (D - D_weaker)."""
        return ClassifierFree(self.scale, self.low, self.high).guide(answers, knots)


def _refuse_interval(who: object, low: float, high: float) -> None:
    if not 0.0 <= low < high:
        raise Refusal(
            f"{type(who).__name__}: low = {low:g} and high = {high:g} hold no noise level",
            mend="they are noise levels sigma / alpha: 0 <= low < high",
        )


def _inside(at: Marginal, low: float, high: float) -> bool:
    """Say whether sigma / alpha is above low and at most high; at alpha = 0 it is infinite."""
    return bool(low * at.alpha < at.sigma) and bool(math.isinf(high) or at.sigma <= high * at.alpha)
