"""Metrics of a set of clips as a whole: how its distribution compares with that of real clips.

A set is what some network says of its clips: features (n, d), or log-probabilities (n, k) of
classes. Each function here returns a `Statistic`, from which `intervals.interval` takes value and
interval. The reference set is held fixed: intervals are over other generated sets of this size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from diffaudio.log import Refusal
from diffaudio.metrics.intervals import Statistic, Values

__all__ = [
    "Points",
    "am_score",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "modified_inception_score",
    "squared_distances",
]

Points: TypeAlias = npt.NDArray[np.floating]

_PER_DIMENSION = 10  # clips; below, the covariance is mostly the error of its estimation
_SCALE = 1000.0  # of the kernel distance; its authors' toolkit kadtk prints a tenth of this


def kernel_distance(generated: Values, reference: Values) -> Statistic:
    """Return 1000 times the unbiased squared maximum mean discrepancy, "KAD"; 0 between equals.

    The kernel is exp(-|x - y|^2 / (2 s^2)), s the median distance within the reference. Unbiased
    means that it is negative about half of the time where both sets have the same distribution.

    A clip drawn twice is at distance 0 from its copy, which no two generated clips are: resampled
    sets leave out the pairs of a clip with itself. Close to 0 intervals are too wide rather than
    too narrow (by up to a factor of 1.7).

    Args:
        generated: (n, d) features.
        reference: (m, d) features.

    Raises:
        Refusal: there are fewer than two clips in a set, or half of the reference is one clip.

    Source: Chung et al. 2025 (arXiv:2502.15602); the estimate is Gretton et al. 2012, equation 3.
    """
    n, m = len(generated), len(reference)
    if min(n, m) < 2:
        raise Refusal(f"kernel distance: {n} generated and {m} real clips, it takes 2 of each")
    within = squared_distances(reference, reference)
    median = float(np.median(np.sqrt(within[np.triu_indices(m, 1)])))
    if median == 0.0:
        raise Refusal("kernel distance: most real clips have the same features")
    kernel = _gaussian(within, median)
    real = (kernel.sum() - m) / (m * (m - 1))
    cross = _gaussian(squared_distances(generated, reference), median).mean(axis=1)
    # one function of pairs of generated clips, whose mean is the distance (Gretton's h)
    pairs = (
        _gaussian(squared_distances(generated, generated), median) - cross - cross[:, None] + real
    )
    np.fill_diagonal(pairs, 0.0)

    def weighted(counts: Values) -> Values:
        total = ((counts @ pairs) * counts).sum(axis=1)
        return _SCALE * total / (n**2 - (counts**2).sum(axis=1))

    return Statistic(n, weighted)


def frechet_distance(generated: Values, reference: Values) -> Statistic:
    """Return the Frechet distance between Gaussians of the moments of both sets.

    |m - r|^2 + tr C + tr R - 2 tr (R^(1/2) C R^(1/2))^(1/2). It is biased upwards by an amount
    that falls with n, which intervals do not take out: compare sets of one size only.

    Args:
        generated: (n, d) features.
        reference: (m, d) features.

    Raises:
        Refusal: a set has fewer than ten clips per dimension of the features.

    Source: Heusel et al. 2017, equation 6 (arXiv:1706.08500).
    """
    (n, width), m = generated.shape, len(reference)
    if min(n, m) < _PER_DIMENSION * width:
        raise Refusal(
            f"Frechet distance: {n} generated and {m} real clips are too few for {width} features",
            mend=f"take at least {_PER_DIMENSION * width} of each, or use the kernel distance",
        )
    centre = reference.mean(axis=0)
    moved = generated - centre  # changes nothing but rounding
    spread = np.cov(reference, rowvar=False).reshape(width, width)
    values, vectors = np.linalg.eigh(spread)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T

    def one(counts: Values) -> float:
        mean = counts @ moved / n
        apart = (moved - mean) * np.sqrt(counts)[:, None]
        covariance = apart.T @ apart / (n - 1)
        shared = np.linalg.eigvalsh(root @ covariance @ root)
        overlap = np.sqrt(np.maximum(shared, 0.0)).sum()
        return float(mean @ mean + np.trace(covariance) + values.sum() - 2 * overlap)

    return Statistic(n, lambda counts: np.array([one(row) for row in counts]))


def inception_score(log_probs: Values) -> Statistic:
    """Return exp E KL(p(y|x) || p(y)): 1 at worst, the number of classes at best.

    Args:
        log_probs: (n, k), finite.

    Source: Salimans et al. 2016 (arXiv:1606.03498).
    """
    probs, certainty = _told(log_probs)

    def score(means: Values) -> Values:
        return np.exp(means[:, 0] - _plogp(means[:, 1:]))

    return _of_means(np.column_stack([certainty, probs]), score)


def modified_inception_score(log_probs: Values) -> Statistic:
    """Return exp E KL(p(y|x) || p(y|x')) over pairs of two clips; higher is better.

    All pairs count, of the same class too, as in the tables of SC09 (DiffWave and after); those who
    proposed it took the pairs within a class. It has no bound: it grows with how sure a classifier
    is, so that only figures by the same one compare.

    Args:
        log_probs: (n, k), finite.

    Raises:
        Refusal: there are fewer than two clips.

    Source: Gurumurthy et al. 2017, section 5 (arXiv:1706.02071); Kong et al. 2021
        (arXiv:2009.09761), appendix C.
    """
    n, k = log_probs.shape
    if n < 2:
        raise Refusal(f"modified inception score: {n} clips, it takes pairs")
    probs, certainty = _told(log_probs)

    def score(means: Values) -> Values:
        sure, mean, mean_log = means[:, 0], means[:, 1 : 1 + k], means[:, 1 + k :]
        return np.exp((sure - (mean * mean_log).sum(axis=1)) * n / (n - 1))

    return _of_means(np.column_stack([certainty, probs, log_probs]), score)


def am_score(log_probs: Values, prior: Values) -> Statistic:
    """Return KL(prior || E p(y|x)) + E H(p(y|x)) in nats: 0 at best, lower is better.

    Args:
        log_probs: (n, k), finite.
        prior: (k,) shares of the classes in the training set.

    Source: Zhou et al. 2018, section 5.2 (arXiv:1703.02000).
    """
    probs, certainty = _told(log_probs)
    known = -float(_plogp(prior[None])[0])

    def score(means: Values) -> Values:
        return -known - _log(means[:, 1:]) @ prior - means[:, 0]

    return _of_means(np.column_stack([certainty, probs]), score)


def squared_distances(x: Points, y: Points) -> Points:
    """Return |x_i - y_j|^2 of (n, d) and (m, d), (n, m), in their precision."""
    found = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * x @ y.T
    return np.maximum(found, 0.0)


def _of_means(columns: Values, function: Callable[[Values], Values]) -> Statistic:
    """Return the statistic that is a function (r, k) -> (r,) of the means of (n, k)."""
    return Statistic(len(columns), lambda counts: function(counts @ columns / len(columns)))


def _told(log_probs: Values) -> tuple[Values, Values]:
    """Return the probabilities, and the negative entropy of each row.

    Raises:
        ValueError: a logarithm is not finite.
    """
    if not np.isfinite(log_probs).all():
        raise ValueError("log-probabilities have to be finite")
    probs = np.exp(log_probs)
    return probs, (probs * log_probs).sum(axis=1)


def _plogp(probs: Values) -> Values:
    return (probs * _log(probs)).sum(axis=-1)


def _log(probs: Values) -> Values:
    """Return the logarithm; of 0 a finite one, so that a class that never came has a price."""
    return np.log(np.maximum(probs, np.finfo(np.float64).tiny))


def _gaussian(squares: Points, bandwidth: float) -> Values:
    return np.exp(-squares / (2 * bandwidth**2))
