from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics import METRICS, Unmeasurable
from diffaudio.metrics.signal import log_spectral_distance, si_sdr


@pytest.fixture
def signals():
    rng = np.random.default_rng(1)
    return rng.standard_normal((2, 4000))


def test_orthogonal_noise_gives_the_planted_ratio(signals):
    reference, noise = signals - signals.mean(axis=1, keepdims=True)
    noise -= (noise @ reference) / (reference @ reference) * reference
    noise *= np.linalg.norm(reference) / np.linalg.norm(noise) / 10 ** (12.5 / 20)
    assert si_sdr(reference + noise, reference, 16000) == pytest.approx(12.5, abs=1e-9)


def test_equals_the_correlation_form(signals):
    reference, noise = signals
    estimate = reference + 0.3 * noise
    rho = np.corrcoef(estimate, reference)[0, 1]
    expected = 10 * np.log10(rho**2 / (1 - rho**2))
    assert si_sdr(estimate, reference, 8000) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("gain", [-1.0, 1e-3, 50.0])
def test_scale_and_offset_do_not_matter(signals, gain):
    reference, noise = signals
    estimate = reference + 0.3 * noise
    changed = si_sdr(gain * estimate + 0.7, 3 * reference - 0.2, 16000)
    assert changed == pytest.approx(si_sdr(estimate, reference, 16000), abs=1e-8)


def test_a_perfect_estimate_counts_as_100_db(signals):
    assert si_sdr(2 * signals[0], signals[0], 16000) == pytest.approx(100.0)


def test_silence_is_unmeasurable_and_says_which_side(signals):
    silence = np.zeros(4000)
    with pytest.raises(Unmeasurable, match="estimate is silent"):
        si_sdr(silence, signals[0], 16000)
    with pytest.raises(Unmeasurable, match="reference is silent"):
        si_sdr(signals[0], silence + 0.5, 16000)


def test_float32_input_is_computed_in_double(signals):
    reference, noise = signals.astype(np.float32)
    estimate = reference + np.float32(1e-3) * noise
    exact = si_sdr(estimate.astype(np.float64), reference.astype(np.float64), 16000)
    assert METRICS["SI-SDR"].measure(estimate, reference, 16000) == pytest.approx(exact, abs=1e-9)


def test_a_gain_is_that_many_db_of_log_spectral_distance(signals):
    reference, _ = signals
    for gain in (0.5, 1.0, 4.0):
        found = log_spectral_distance(gain * reference, reference, 16000)
        assert found == pytest.approx(abs(20 * np.log10(gain)), abs=1e-6)


def test_where_the_estimate_is_silent_its_distance_is_the_level_above_the_floor(signals):
    """A tone, half of it lost: in those frames each bin is its own level above -80 dB."""
    reference = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    lost = np.where(np.arange(16000) < 8000, reference, 0.0)
    found = log_spectral_distance(lost, reference, 16000)
    silent = log_spectral_distance(np.zeros(16000), reference, 16000)
    assert found == pytest.approx(silent / 2, rel=0.15)  # a click between the halves
    assert 80 / np.sqrt(257) < silent < 80  # at least the one loudest bin
    assert log_spectral_distance(reference, reference, 16000) == 0.0
    with pytest.raises(Unmeasurable, match="reference is silent"):
        log_spectral_distance(signals[0], np.zeros(4000), 16000)


def test_phases_do_not_change_the_log_spectral_distance(signals):
    reference, other = signals
    noise = other * np.linalg.norm(reference) / np.linalg.norm(other)
    assert log_spectral_distance(-reference, reference, 16000) == pytest.approx(0.0, abs=1e-9)
    far = log_spectral_distance(noise, reference, 16000)
    assert 6.0 < far < 10.0  # two draws of noise: the deviation of a difference of logs, 7.9 dB
