from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics import METRICS, Unmeasurable
from diffaudio.metrics.signal import si_sdr


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
