import numpy as np
import pytest

from diffaudio.data.mix import Remix, mix_at, power, powers


def db(ratio):
    return 10 * np.log10(ratio)


def noise(seed, scale=0.1, shape=(4000, 1)):
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 17.5])
@pytest.mark.parametrize("shape", [(4000,), (4000, 1), (2000, 2)])
def test_mix_at_gives_the_ratio(snr_db, shape):
    clean, other = noise(0, 0.2, shape), noise(1, 0.01, shape)
    mixed = mix_at(clean, other, snr_db)
    assert mixed.dtype == np.float32
    assert db(power(clean) / power(mixed - clean)) == pytest.approx(snr_db, abs=1e-4)
    added = (mixed - clean).ravel()
    assert np.corrcoef(added, other.ravel())[0, 1] == pytest.approx(1, abs=1e-6)


def test_mix_at_refuses():
    silence = np.zeros((4000, 1), np.float32)
    with pytest.raises(ValueError, match="clean part is silent"):
        mix_at(silence, noise(0), 0.0)
    with pytest.raises(ValueError, match="noise part is silent"):
        mix_at(noise(0), silence, 0.0)
    with pytest.raises(ValueError, match="differ in shape"):
        mix_at(noise(0), noise(1)[:-1], 0.0)
    with pytest.raises(ValueError, match="silent"):
        mix_at(silence[:0], silence[:0], 0.0)


def test_power():
    assert power(np.full((5, 2), 3.0)) == 9.0
    assert power(np.zeros((0, 1))) == 0.0
    clean, added = noise(0), noise(1, 0.3)
    found = powers(clean, clean + added)
    assert found["target"] == pytest.approx(power(clean))
    assert found["noise"] == pytest.approx(power(added), rel=1e-5)


def remixed(remix, seed=0, **changes):
    target, added = noise(1, 0.2), noise(2, 0.05)
    own = {"target": power(target), "noise": power(added)}
    options = {"own": own, "other": own, "random": np.random.default_rng(seed), **changes}
    return target, added, *remix.apply(target, options.pop("noise", added), **options)


def test_remix_of_nothing_changes_nothing():
    target, added, new_target, given = remixed(Remix())
    np.testing.assert_array_equal(new_target, target)
    np.testing.assert_allclose(given, target + added, atol=1e-7)


def test_gain_moves_both():
    gains = []
    for seed in range(200):
        target, added, new_target, given = remixed(Remix(gain_db=(-6.0, 3.0)), seed)
        gain = new_target[0, 0] / target[0, 0]
        np.testing.assert_allclose(given, gain * (target + added), rtol=1e-4, atol=1e-6)
        gains.append(20 * np.log10(gain))
    assert -6 <= min(gains) < -5.8
    assert 2.8 < max(gains) <= 3
    assert np.mean(gains) == pytest.approx(-1.5, abs=0.6)


def test_new_ratios_are_drawn_from_the_range():
    ratios = []
    for seed in range(200):
        _, _, target, given = remixed(Remix(gain_db=(-9.0, 9.0), snr_db=(-5.0, 15.0)), seed)
        ratios.append(db(power(target) / power(given - target)))
    assert -5.01 < min(ratios) < -4.5
    assert 14.5 < max(ratios) < 15.01


def test_foreign_noise_takes_the_wanted_level():
    """Another item's noise, ten times as loud there, comes in at this item's ratio."""
    foreign = noise(3, 0.5)
    other = {"target": 1.0, "noise": power(foreign)}
    target, added, new_target, given = remixed(Remix(swap=1.0), noise=foreign, other=other)
    np.testing.assert_array_equal(new_target, target)
    assert power(given - target) == pytest.approx(power(added), rel=1e-4)
    _, _, new_target, given = remixed(Remix(snr_db=(7.0, 7.0)), noise=foreign, other=other)
    assert db(power(new_target) / power(given - new_target)) == pytest.approx(7, abs=1e-3)


def test_levels_are_those_of_whole_items():
    """A crop in a pause of the speech is not drowned by the ratio of that pause."""
    own = {"target": 0.04, "noise": 0.0025}
    random = np.random.default_rng(0)
    crop, added = noise(1, 1e-4), noise(2, 0.05)
    _, given = Remix(snr_db=(12.04, 12.04)).apply(crop, added, own=own, other=own, random=random)
    assert power(given - crop) == pytest.approx(0.0025, rel=0.02)


def test_silence_stays_finite():
    silent = {"target": 0.0, "noise": 0.0}
    loud = {"target": 0.04, "noise": 0.0025}
    for own, other in ((silent, silent), (loud, silent), (silent, loud)):
        for remix in (Remix(swap=1.0), Remix(snr_db=(0.0, 10.0))):
            random = np.random.default_rng(0)
            new = remix.apply(noise(1), noise(2), own=own, other=other, random=random)
            assert all(np.isfinite(x).all() for x in new)
    noise_only = {"target": 0.0, "noise": 0.0025}
    random = np.random.default_rng(0)
    target, given = Remix(snr_db=(0.0, 10.0)).apply(
        noise(1) * 0, noise(2), own=noise_only, other=noise_only, random=random
    )
    assert power(given) == pytest.approx(power(noise(2)), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"gain_db": (3.0, -3.0)}, "gain_db"),
        ({"snr_db": (15.0, -5.0)}, "snr_db"),
        ({"swap": 1.5}, "swap"),
        ({"swap": -0.1}, "swap"),
    ],
)
def test_refused_options(options, name):
    with pytest.raises(ValueError, match=name):
        Remix(**options)
