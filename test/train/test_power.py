"""Profiles against their definition, by numerical integration."""

import numpy as np
import pytest

from diffaudio.log import Refusal
from diffaudio.train.power import LONGEST, Profile, fit, gamma, inner

SIGMAS = [0.01, 0.05, 0.075, 0.1, 0.15, 0.2, 0.28]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)
TIMES, STEPS = (NODES + 1) / 2, WEIGHTS / 2  # on [0, 1]


def shape(profile, times):
    """Return the profile's density."""
    power = gamma(profile.sigma_rel)
    density = (power + 1) * times**power / float(profile.end) ** (power + 1)
    return np.where(times <= profile.end, density, 0.0)


@pytest.mark.parametrize("sigma_rel", SIGMAS)
def test_sigma_rel_is_the_standard_deviation_of_the_profile(sigma_rel):
    density = STEPS * shape(Profile(sigma_rel, 1), TIMES)
    mean = (density * TIMES).sum()
    assert density.sum() == pytest.approx(1, rel=1e-6)
    assert ((density * (TIMES - mean) ** 2).sum()) ** 0.5 == pytest.approx(sigma_rel, rel=1e-6)


def test_the_exponents_of_the_paper_and_of_the_plain_mean():
    assert gamma(0.05) == pytest.approx(16.97, abs=5e-3)
    assert gamma(0.1) == pytest.approx(6.94, abs=5e-3)
    assert gamma(LONGEST) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("wrong", [0.0, -0.1, 0.29, float("nan")])
def test_lengths_that_no_profile_has_are_refused(wrong):
    with pytest.raises(Refusal, match="sigma_rel: .* is not above 0"):
        gamma(wrong)


def test_inner_products_are_integrals():
    some = [Profile(0.05, 30), Profile(0.2, 100)]
    others = [Profile(0.1, 30), Profile(0.05, 70), Profile(0.15, 100)]
    for row, one in zip(inner(some, others), some, strict=True):
        for found, other in zip(row, others, strict=True):
            shared = min(one.end, other.end)
            times = shared * TIMES
            right = shared * (STEPS * shape(one, times) * shape(other, times)).sum()
            assert found == pytest.approx(right, rel=1e-9)


def test_the_mix_is_the_nearest_that_leaves_constants_alone():
    """A change of the shares that keeps their sum makes the distance larger, whatever it is."""
    wanted = Profile(0.15, 320)
    stored = [Profile(s, end) for s in (0.05, 0.1) for end in range(40, 321, 40)]
    shares, left = fit(wanted, stored)
    assert shares.sum() == pytest.approx(1, abs=1e-12)

    def distance(shares):
        mixed = sum(
            share * shape(profile, grid) for share, profile in zip(shares, stored, strict=True)
        )
        return ((mixed - whole) ** 2).mean() / (whole**2).mean()

    grid = 320 * (np.arange(64000) + 0.5) / 64000
    whole = shape(wanted, grid)
    least = distance(shares)
    assert left == pytest.approx(least**0.5, rel=1e-3)
    for change in np.random.default_rng(0).standard_normal((20, len(stored))):
        change -= change.mean()
        assert distance(shares + 1e-3 * change) > least


def test_a_stored_profile_is_found_again_even_beside_its_double():
    stored = [Profile(0.05, 50), Profile(0.05, 100), Profile(0.1, 100), Profile(0.1, 100)]
    shares, left = fit(Profile(0.1, 100), stored)
    np.testing.assert_allclose(shares, [0, 0, 0.5, 0.5], atol=1e-9)
    assert left < 1e-6


def test_more_snapshots_get_nearer():
    missed = []
    for count in (8, 16, 32, 64):
        ends = [3200 * (n + 1) // count for n in range(count)]
        stored = [Profile(s, end) for s in (0.05, 0.1) for end in ends]
        missed.append(fit(Profile(0.15, 3200), stored)[1])
    assert (np.array(missed[:-1]) > 2 * np.array(missed[1:])).all()
