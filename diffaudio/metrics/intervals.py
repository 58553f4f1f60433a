"""How sure a number is: bootstrap intervals over utterances and a paired test.

Utterances are what is resampled, so an interval speaks of other utterances like these, not of
other speakers, noises or training runs. `holm` corrects p-values for how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = [
    "Estimate",
    "Paired",
    "Statistic",
    "holm",
    "interval",
    "mean_interval",
    "paired",
    "sign_flip_p",
]

Values = npt.NDArray[np.float64]

_BLOCK = 1 << 20  # draws held in memory at once
_EXACT = 14  # up to so many differences all 2^n sign patterns are counted


@dataclass(frozen=True)
class Estimate:
    """A mean and its interval; `low` and `high` are NaN where one value allows no interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Statistic:
    """A number that a whole set has, as a function of how often each of its members counts.

    Args:
        n: members.
        weighted: (r, n) counts, each row n in all, to (r,) values.
    """

    n: int
    weighted: Callable[[Values], Values]


@dataclass(frozen=True)
class Paired:
    """The mean difference of two systems on the same utterances, its interval and p-value."""

    difference: Estimate
    p: float


def mean_interval(
    values: Values,
    weights: Values | None = None,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Estimate:
    """Return the mean with its bias-corrected, accelerated bootstrap interval.

    With weights it is sum(weights values) / sum(weights), and so is that of each resampled set: the
    ratio of two sums over the utterances that were drawn, all errors by all words, say.

    Args:
        values: (n,), one per utterance; n > 0.
        weights: (n,), above 0; None for a plain mean.
        level: the share of intervals that should hold the true mean.
        resamples: how many bootstrap samples are drawn.
        seed: of the draws; the same values and seed give the same interval.

    Source: Efron 1987, "Better bootstrap confidence intervals"; the acceleration of a mean is
        sum d^3 / (6 (sum d^2)^1.5) with d the distances from it, that of a ratio the same with
        its influence function, weight times distance.
    """
    mean = float(np.average(values, weights=weights))
    if len(values) < 2:
        return Estimate(mean, float("nan"), float("nan"))
    distances = values - mean if weights is None else weights * (values - mean)
    spread = float((distances**2).sum())
    if spread <= (1e-12 * mean) ** 2:
        return Estimate(mean, mean, mean)
    means = np.sort(_resampled_means(distances, weights, resamples, seed))
    below = (np.searchsorted(means, 0.0) + np.searchsorted(means, 0.0, side="right")) / 2
    normal = NormalDist()
    bias = normal.inv_cdf(min(max(below / resamples, 0.5 / resamples), 1 - 0.5 / resamples))
    acceleration = float((distances**3).sum()) / (6 * spread**1.5)
    ends = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        z = bias + normal.inv_cdf(tail)
        share = normal.cdf(bias + z / (1 - acceleration * z))
        ends.append(mean + float(np.quantile(means, share)))
    return Estimate(mean, ends[0], ends[1])


def interval(
    statistic: Statistic, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Estimate:
    """Return the value of a statistic (as `mean`) with its bootstrap interval.

    Its ends are quantiles of the resampled values, moved so that their mean is the value: where a
    statistic is biased in small sets, resampling adds the bias once more. So the interval speaks of
    the statistic's expectation at this n.

    Args:
        statistic: of a set.
        level: the share of intervals that should hold it.
        resamples: how many bootstrap samples are drawn.
        seed: of the draws.
    """
    n = statistic.n
    value = float(statistic.weighted(np.ones((1, n)))[0])
    if n < 2:
        return Estimate(value, float("nan"), float("nan"))
    drawn = np.concatenate([statistic.weighted(_counts(d)) for d in _draws(n, resamples, seed)])
    ends = np.quantile(drawn - drawn.mean(), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, value + float(ends[0]), value + float(ends[1]))


def paired(
    system: Values,
    baseline: Values,
    weights: Values | None = None,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Paired:
    """Compare two systems on the same utterances: mean of system - baseline, interval, p-value.

    Args:
        system: (n,), one value per utterance; n > 0.
        baseline: (n,), the same utterances in the same order.
        weights: (n,), of both, as in `mean_interval`; the test then flips errors, not rates.
        level: of the interval.
        resamples: bootstrap samples, and random sign patterns of the test.
        seed: of all draws.

    Raises:
        ValueError: the lengths differ.
    """
    if system.shape != baseline.shape:
        raise ValueError(f"pairs are needed, got {system.shape} and {baseline.shape}")
    differences = system - baseline
    return Paired(
        mean_interval(differences, weights, level=level, resamples=resamples, seed=seed),
        sign_flip_p(
            differences if weights is None else weights * differences,
            resamples=resamples,
            seed=seed,
        ),
    )


def sign_flip_p(differences: Values, *, resamples: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p-value of "the sign of each difference is a coin toss".

    Exact up to 14 utterances; beyond, (1 + patterns at least as extreme) / (1 + patterns drawn).

    Args:
        differences: (n,), one per utterance.
        resamples: random sign patterns drawn where they are too many to count.
        seed: of the draws.

    Source: Fisher's randomisation test for pairs; the added ones follow Phipson and Smyth 2010.
    """
    n = len(differences)
    exact = n <= _EXACT
    total = float(differences.sum())
    # sums of the same numbers in another order differ by rounding: count those as equal
    least = abs(total) - 1e-12 * float(np.abs(differences).sum())
    patterns = _all_signs(n) if exact else _random_signs(n, resamples, seed)
    extreme = drawn = 0
    for positive in patterns:
        sums = 2 * (positive @ differences) - total
        extreme += int((np.abs(sums) >= least).sum())
        drawn += len(sums)
    return extreme / drawn if exact else (extreme + 1) / (drawn + 1)


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values that are corrected for being several, in the same order, at most 1.

    Calling a difference real where the corrected value is below 0.05 calls one that is not real
    with a probability of at most 0.05 in all of them together, however they depend on each other.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    corrected = [1.0] * len(values)
    largest = 0.0
    for done, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, (len(values) - done) * values[place])
        corrected[place] = min(1.0, largest)
    return corrected


def _resampled_means(values: Values, weights: Values | None, resamples: int, seed: int) -> Values:
    """Return sums of what was drawn, divided by how many, or by the sum of their weights."""
    draws = _draws(len(values), resamples, seed)
    if weights is None:
        return np.concatenate([values[drawn].mean(axis=1) for drawn in draws])
    return np.concatenate([values[drawn].sum(1) / weights[drawn].sum(1) for drawn in draws])


def _draws(n: int, resamples: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield blocks of bootstrap samples, (rows, n) places in 0 to n - 1."""
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // n)
    for done in range(0, resamples, rows):
        yield rng.integers(n, size=(min(rows, resamples - done), n))


def _counts(drawn: npt.NDArray[np.int64]) -> Values:
    """Return how often each place occurs in each row, (rows, n)."""
    rows, n = drawn.shape
    flat = drawn + n * np.arange(rows)[:, None]
    return np.bincount(flat.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _all_signs(n: int) -> Iterator[Values]:
    """Yield one block: every pattern of zeros and ones, (2^n, n)."""
    yield ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1).astype(np.float64)


def _random_signs(n: int, resamples: int, seed: int) -> Iterator[Values]:
    """Yield blocks of fair zeros and ones, (rows, n), `resamples` rows in all."""
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // n)
    for done in range(0, resamples, rows):
        shape = (min(rows, resamples - done), -(-n // 8))
        bits = np.unpackbits(rng.integers(256, size=shape, dtype=np.uint8), axis=1, count=n)
        yield bits.astype(np.float64)
