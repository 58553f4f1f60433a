"""Metrics of sets by name, and what a network says of the clips of a set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from diffaudio.metrics.distribution import (
    am_score,
    frechet_distance,
    inception_score,
    kernel_distance,
    modified_inception_score,
)
from diffaudio.metrics.intervals import Statistic, Values

__all__ = ["SETS", "Classes", "Embedding", "Measured", "SetMetric"]

Classes: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Embedding:
    """What a network says of n clips.

    Args:
        features: (n, d).
        answers: (n,) number of the class that it hears, -1 for none of them.
        log_probs: (n, k) of the classes, finite; None from a network that gives none.
    """

    features: Values
    answers: Classes
    log_probs: Values | None = None

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Embedding:
        """Return what is said of some of the clips."""
        log_probs = None if self.log_probs is None else self.log_probs[rows]
        return Embedding(self.features[rows], self.answers[rows], log_probs)


@dataclass(frozen=True)
class Measured:
    """A set, and what it is measured against.

    Args:
        said: of its n clips.
        asked: (n,) number of the class that each clip should be.
        reference: what is said of the real clips; None where the set is these clips themselves.
        prior: (k,) shares of the classes in the training set.
    """

    said: Embedding
    asked: Classes
    reference: Embedding | None
    prior: Values


@dataclass(frozen=True, kw_only=True)
class SetMetric:
    """One column of a table of sets.

    Args:
        name: how YAML, tables and result files call it.
        unit: the unit or the scale, for people.
        better: the side on which a value is better.
        needs: the part of an embedding without which there is no value.
        function: to the statistic of a set; raises a Refusal where there is none.
        against: whether it compares with a reference.
        decimals: worth printing.
        version: raised by hand when the same set would give another value.
    """

    name: str
    unit: str
    better: Literal["higher", "lower"]
    needs: Literal["answers", "features", "log_probs"]
    function: Callable[[Measured], Statistic]
    against: bool = False
    decimals: int = 2
    version: int = 1


def _accuracy(case: Measured) -> Statistic:
    right = (case.said.answers == case.asked).astype(np.float64)
    return Statistic(len(right), lambda counts: counts @ right / len(right))


def _against(distance: Callable[[Values, Values], Statistic]) -> Callable[[Measured], Statistic]:
    def function(case: Measured) -> Statistic:
        assert case.reference is not None  # nothing is measured against itself
        return distance(case.said.features, case.reference.features)

    return function


def _certain(score: Callable[[Values], Statistic]) -> Callable[[Measured], Statistic]:
    return lambda case: score(_log_probs(case))


def _log_probs(case: Measured) -> Values:
    assert case.said.log_probs is not None  # as `needs` says
    return case.said.log_probs


SETS: dict[str, SetMetric] = {
    metric.name: metric
    for metric in (
        SetMetric(
            name="accuracy",
            unit="share recognised as asked for",
            better="higher",
            needs="answers",
            function=_accuracy,
            decimals=3,
        ),
        SetMetric(
            name="KAD",
            unit="1000 x squared MMD, 0 between equals",
            better="lower",
            needs="features",
            function=_against(kernel_distance),
            against=True,
            decimals=1,
        ),
        SetMetric(
            name="FD",
            unit="Frechet distance, 0 between equals",
            better="lower",
            needs="features",
            function=_against(frechet_distance),
            against=True,
        ),
        SetMetric(
            name="IS",
            unit="1 to the number of classes",
            better="higher",
            needs="log_probs",
            function=_certain(inception_score),
        ),
        SetMetric(
            name="mIS",
            unit="from 1, no upper end",
            better="higher",
            needs="log_probs",
            function=_certain(modified_inception_score),
            decimals=1,
        ),
        SetMetric(
            name="AM",
            unit="nats, 0 at best",
            better="lower",
            needs="log_probs",
            function=lambda case: am_score(_log_probs(case), case.prior),
        ),
    )
}
"""Every metric of sets by its name."""
