"""Each metric of a set against a closed form, and its intervals against repeated sampling."""

from __future__ import annotations

import numpy as np
import pytest

from diffaudio.log import Refusal
from diffaudio.metrics.distribution import (
    am_score,
    frechet_distance,
    inception_score,
    kernel_distance,
    modified_inception_score,
)
from diffaudio.metrics.intervals import Statistic, interval


def value(statistic):
    return statistic.weighted(np.ones((1, statistic.n)))[0]


def with_moments(n, mean, covariance, seed=0):
    """Return (n, d) whose sample mean and covariance are exactly these."""
    x = np.random.default_rng(seed).normal(size=(n, len(mean)))
    x -= x.mean(axis=0)
    white = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    return white @ np.linalg.cholesky(covariance).T + mean


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def one_hot(classes, k):
    return np.where(np.arange(k) == np.array(classes)[:, None], 0.0, -800.0)


def kernel_truth(reference, mean):
    """Return the distance of N(mean, 1) from fixed clips: Gaussian integrals in closed form."""
    m, d = reference.shape
    squares = ((reference[:, None] - reference) ** 2).sum(axis=2)
    s2 = np.median(np.sqrt(squares[np.triu_indices(m, 1)])) ** 2
    real = (np.exp(-squares / (2 * s2)).sum() - m) / (m * (m - 1))
    within = (s2 / (s2 + 2)) ** (d / 2)
    away = ((reference - mean) ** 2).sum(axis=1)
    cross = (s2 / (s2 + 1)) ** (d / 2) * np.exp(-away / (2 * (s2 + 1))).mean()
    return 1000 * (real + within - 2 * cross)


def test_frechet_distance_of_two_gaussians_is_the_closed_form():
    """With covariances that commute the trace is sum (sqrt a - sqrt b)^2 over their axes."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    one, two = np.array([1.0, 4.0, 0.25]), np.array([2.0, 1.0, 0.5])
    x = with_moments(40, np.array([1.0, -2.0, 0.5]), turn @ np.diag(one) @ turn.T, seed=1)
    y = with_moments(60, np.array([0.0, 0.0, 1.0]), turn @ np.diag(two) @ turn.T, seed=2)
    wanted = 1 + 4 + 0.25 + ((np.sqrt(one) - np.sqrt(two)) ** 2).sum()
    assert value(frechet_distance(x, y)) == pytest.approx(wanted)
    assert value(frechet_distance(y, x)) == pytest.approx(wanted)
    assert value(frechet_distance(y, y)) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_covariances_that_do_not_commute():
    """Two by two, the trace of a root of P is sqrt(tr P + 2 sqrt det P)."""
    one, two = np.array([[2.0, 0.8], [0.8, 1.0]]), np.array([[1.0, -0.6], [-0.6, 3.0]])
    x = with_moments(30, np.zeros(2), one, seed=1)
    y = with_moments(30, np.zeros(2), two, seed=2)
    product = one @ two
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    assert value(frechet_distance(x, y)) == pytest.approx(np.trace(one + two) - 2 * root)


@pytest.mark.parametrize(("n", "m"), [(29, 30), (30, 29)])
def test_frechet_distance_of_too_few_clips_is_refused(n, m):
    x = np.random.default_rng(0).normal(size=(30, 3))
    with pytest.raises(Refusal, match=rf"{n} generated and {m} real clips are too few for 3"):
        frechet_distance(x[:n], x[:m])


def test_kernel_distance_is_the_unbiased_estimate():
    """By plain loops over pairs, no clip with itself."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(6, 3)) + 0.5
    s = np.median([np.linalg.norm(y[i] - y[j]) for i in range(6) for j in range(i)])

    def mean(one, two, same):
        pairs = [(a, b) for i, a in enumerate(one) for j, b in enumerate(two) if not same or i != j]
        return np.mean([np.exp(-((a - b) @ (a - b)) / (2 * s**2)) for a, b in pairs])

    wanted = 1000 * (mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False))
    assert value(kernel_distance(x, y)) == pytest.approx(wanted)
    assert value(kernel_distance(4 * x + 1, 4 * y + 1)) == pytest.approx(wanted)  # the bandwidth


def test_kernel_distance_of_equal_distributions_is_zero_on_average():
    rng = np.random.default_rng(1)
    found = [
        value(kernel_distance(rng.normal(size=(40, 3)), rng.normal(size=(60, 3))))
        for _ in range(200)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(200)
    assert min(found) < 0
    far = value(kernel_distance(rng.normal(size=(40, 3)) + 1, rng.normal(size=(60, 3))))
    assert far > 10 * np.std(found)


@pytest.mark.parametrize(("shift", "least", "most"), [(0.3, 0.91, 0.99), (0.0, 0.93, 1.0)])
def test_intervals_of_the_kernel_distance_hold_the_true_one(shift, least, most):
    """Where both distributions are one the intervals are said to be too wide, never too narrow."""
    rng = np.random.default_rng(2)
    reference = rng.normal(size=(80, 3))
    truth, held, runs = kernel_truth(reference, shift), 0, 200
    for run in range(runs):
        x = rng.normal(size=(60, 3)) + shift
        found = interval(kernel_distance(x, reference), resamples=200, seed=run)
        held += found.low <= truth <= found.high
    assert least <= held / runs <= most


def test_resampling_does_not_count_a_clip_against_itself():
    """Without that, resampled distances would lie higher by about 1000 / n."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(50, 3))
    statistic = kernel_distance(x, y)
    counts = rng.multinomial(30, np.full(30, 1 / 30), size=20_000).astype(float)
    drawn = statistic.weighted(counts)
    assert drawn.mean() == pytest.approx(value(statistic), abs=4 * drawn.std() / np.sqrt(20_000))
    assert drawn.std() < 1000 / 30


@pytest.mark.parametrize("sets", [(np.zeros((1, 2)), np.eye(2)), (np.eye(2), np.zeros((5, 2)))])
def test_a_kernel_distance_that_does_not_exist_is_refused(sets):
    with pytest.raises(Refusal, match="kernel distance"):
        kernel_distance(*sets)


def test_certain_and_even_predictions_score_the_number_of_classes():
    classes = [0, 1, 2, 3, 4] * 3
    assert value(inception_score(one_hot(classes, 5))) == pytest.approx(5)
    assert value(inception_score(one_hot([2] * 9, 5))) == pytest.approx(1)
    assert value(inception_score(np.full((9, 5), -np.log(5)))) == pytest.approx(1)
    prior = np.full(5, 0.2)
    assert value(am_score(one_hot(classes, 5), prior)) == pytest.approx(0)
    assert value(am_score(np.full((9, 5), -np.log(5)), prior)) == pytest.approx(np.log(5))


def test_am_score_by_hand():
    p = np.array([[0.9, 0.1], [0.6, 0.4]])
    prior = np.array([0.3, 0.7])
    apart = 0.3 * np.log(0.3 / 0.75) + 0.7 * np.log(0.7 / 0.25)
    entropy = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1) + 0.6 * np.log(0.6) + 0.4 * np.log(0.4)) / 2
    assert value(am_score(np.log(p), prior)) == pytest.approx(apart + entropy)
    none_of_two = value(am_score(one_hot([0, 0], 2), prior))
    assert np.isfinite(none_of_two)
    assert none_of_two > 100


def test_modified_inception_score_by_hand():
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    wanted = np.exp(np.mean([(p[i] * np.log(p[i] / p[j])).sum() for i, j in pairs]))
    assert value(modified_inception_score(np.log(p))) == pytest.approx(wanted)
    assert value(modified_inception_score(np.log(p[[1, 1]]))) == pytest.approx(1)


def test_one_clip_has_no_pairs():
    with pytest.raises(Refusal, match="modified inception score: 1 clips"):
        modified_inception_score(np.log([[0.9, 0.1]]))


@pytest.mark.parametrize("score", [inception_score, modified_inception_score])
def test_a_logarithm_that_is_not_finite_is_no_probability(score):
    with pytest.raises(ValueError, match="finite"):
        score(np.array([[0.0, -np.inf], [0.0, -1.0]]))


@pytest.mark.parametrize(
    "score",
    [
        inception_score,
        lambda log_probs: am_score(log_probs, np.full(4, 0.25)),
        lambda log_probs: frechet_distance(log_probs, np.eye(4)[np.arange(80) % 4]),
    ],
)
def test_intervals_hold_the_expectation_at_this_size(score):
    rng = np.random.default_rng(4)

    def sample():
        return log_softmax(rng.normal(size=(60, 4)) + 3 * np.eye(4)[rng.integers(4, size=60)])

    expected = np.mean([value(score(sample())) for _ in range(1000)])
    runs = [interval(score(sample()), resamples=150, seed=run) for run in range(150)]
    held = np.mean([found.low <= expected <= found.high for found in runs])
    assert 0.89 <= held <= 0.99


def test_an_interval_is_the_same_in_blocks_and_for_one_seed(monkeypatch):
    statistic = inception_score(log_softmax(np.random.default_rng(5).normal(size=(30, 4))))
    first = interval(statistic, resamples=500, seed=1)
    assert first.low < first.mean < first.high
    assert first != interval(statistic, resamples=500, seed=2)
    monkeypatch.setattr("diffaudio.metrics.intervals._BLOCK", 1000)
    again = interval(statistic, resamples=500, seed=1)
    assert (again.low, again.high) == pytest.approx((first.low, first.high))


def test_a_set_of_one_has_no_interval():
    found = interval(Statistic(1, lambda counts: counts[:, 0]))
    assert found.mean == 1
    assert np.isnan(found.low)
