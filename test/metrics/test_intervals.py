from __future__ import annotations

from itertools import product
from statistics import NormalDist

import numpy as np
import pytest

from diffaudio.metrics.intervals import mean_interval, paired, sign_flip_p


def test_normal_data_gives_the_textbook_interval():
    values = np.random.default_rng(0).normal(3.0, 2.0, 2000)
    found = mean_interval(values, resamples=20_000)
    half = 1.959964 * values.std() / np.sqrt(len(values))
    assert found.mean == values.mean()
    assert found.low == pytest.approx(values.mean() - half, abs=0.03 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03 * half)


def test_coverage_is_what_is_claimed():
    rng = np.random.default_rng(1)
    runs = 600
    held = 0
    for run in range(runs):
        found = mean_interval(rng.normal(1.0, 1.0, 60), resamples=800, seed=run)
        held += found.low <= 1.0 <= found.high
    assert 0.92 < held / runs < 0.97  # two standard errors of 600 trials are 0.018


def test_skew_moves_the_interval_as_the_closed_form_says():
    """To first order the ends move by (2 z^2 + 1) / (6 n) skewness, in standard deviations."""
    values = np.random.default_rng(2).exponential(size=400)
    found = mean_interval(values, resamples=60_000)
    z = NormalDist().inv_cdf(0.975)
    skew = ((values - values.mean()) ** 3).mean() / values.std() ** 3
    shift = (2 * z**2 + 1) * skew / (6 * len(values)) * values.std()
    middle = (found.low + found.high) / 2 - values.mean()
    assert middle == pytest.approx(shift, rel=0.25)


def test_shift_and_scale_carry_over_exactly():
    values = np.random.default_rng(3).normal(size=40)
    base = mean_interval(values)
    moved = mean_interval(5.0 * values - 2.0)
    assert (moved.low, moved.high) == pytest.approx((5 * base.low - 2, 5 * base.high - 2))


def test_same_seed_same_interval_and_blocks_do_not_matter(monkeypatch):
    values = np.random.default_rng(4).normal(size=30)
    first = mean_interval(values, resamples=500, seed=7)
    assert mean_interval(values, resamples=500, seed=7) == first
    assert mean_interval(values, resamples=500, seed=8) != first
    monkeypatch.setattr("diffaudio.metrics.intervals._BLOCK", 1000)
    assert mean_interval(values, resamples=500, seed=7) == first


def test_one_value_has_no_interval_and_equal_values_an_empty_one():
    assert np.isnan(mean_interval(np.array([2.0])).low)
    same = mean_interval(np.full(5, 0.1))
    assert same.low == same.high == same.mean == pytest.approx(0.1)


def test_sign_flips_are_counted_exactly_when_few():
    differences = np.random.default_rng(5).normal(0.4, 1.0, 9)
    total = abs(differences.sum())
    counted = [
        abs(np.dot(signs, differences)) >= total - 1e-12 for signs in product((-1, 1), repeat=9)
    ]
    assert sign_flip_p(differences) == pytest.approx(sum(counted) / 2**9)
    assert sign_flip_p(np.ones(10)) == pytest.approx(2 / 2**10)


def test_drawn_sign_flips_agree_with_the_normal_limit():
    differences = np.random.default_rng(6).normal(0.0, 1.0, 400) + 0.09
    z = abs(differences.sum()) / np.sqrt((differences**2).sum())
    expected = 2 * (1 - NormalDist().cdf(z))
    assert sign_flip_p(differences, resamples=40_000) == pytest.approx(expected, abs=0.01)


def test_no_difference_has_p_1_and_a_gain_a_small_one():
    rng = np.random.default_rng(7)
    baseline = rng.normal(2.0, 1.0, 100)
    same = paired(baseline + rng.normal(0, 0.1, 100) * 0, baseline)
    assert same.p == 1.0
    better = paired(baseline + 0.3 + rng.normal(0, 0.1, 100), baseline)
    assert better.difference.low > 0
    assert better.p == pytest.approx(1 / 10_001)
    assert better.difference.mean == pytest.approx(0.3, abs=0.05)


def test_pairs_must_match():
    with pytest.raises(ValueError, match="pairs"):
        paired(np.ones(3), np.ones(4))


def test_a_ratio_is_resampled_as_a_ratio():
    """By hand: draws of utterances, errors over words of each, the ends by Efron's formula."""
    random = np.random.default_rng(5)
    words = random.integers(1, 30, 50).astype(float)
    errors = random.binomial(words.astype(int), 0.1).astype(float)
    found = mean_interval(100 * errors / words, words, resamples=4000, seed=1)
    assert found.mean == pytest.approx(100 * errors.sum() / words.sum())
    drawn = np.random.default_rng(1).integers(50, size=(4000, 50))
    ratios = 100 * errors[drawn].sum(axis=1) / words[drawn].sum(axis=1)
    normal, pulls = NormalDist(), 100 * errors - found.mean * words
    bias = normal.inv_cdf((ratios < found.mean).mean())
    pull = (pulls**3).sum() / (6 * (pulls**2).sum() ** 1.5)
    tails = [bias + normal.inv_cdf(share) for share in (0.025, 0.975)]
    shares = [normal.cdf(bias + z / (1 - pull * z)) for z in tails]
    assert [found.low, found.high] == pytest.approx(
        np.quantile(ratios, shares), rel=1e-3
    )  # two draws tie
    plain = mean_interval(100 * errors / words, resamples=4000)
    assert abs(plain.mean - found.mean) > 1e-6


def test_equal_weights_are_none():
    values = np.random.default_rng(0).normal(2, 1, 30)
    plain, weighted = mean_interval(values), mean_interval(values, np.full(30, 7.0))
    assert (plain.mean, plain.low, plain.high) == pytest.approx(
        (weighted.mean, weighted.low, weighted.high)
    )


def test_a_ratio_is_paired_by_errors():
    """A long utterance with many errors less outweighs short ones with one error more."""
    words = np.array([100.0, *[5.0] * 5])
    ours, theirs = np.array([0.0, *[1.0] * 5]), np.array([20.0, *[0.0] * 5])
    test = paired(100 * ours / words, 100 * theirs / words, words)
    assert test.difference.mean == pytest.approx(100 * (5 - 20) / 125)
    assert test.p == sign_flip_p(100 * (ours - theirs))
