from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics.cepstrum import cepstra, distortion
from diffaudio.metrics.world import analysed, hop_of

pytest.importorskip("pyworld")

RATE = 16000


def voice(f0, formants=(500, 1500, 2500)):
    """Return a voice of the F0, (n,), with formants."""
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    x = np.zeros_like(f0)
    for k in range(1, 70):
        gains = sum(1 / (1 + ((k * f0 - f) / 120) ** 2) for f in formants) + 0.02
        x += np.where(k * f0 < 7500, gains * np.sin(k * phase + k * k), 0)
    return 0.1 * x / np.abs(x).max()


def test_a_glide_is_followed_to_a_few_cents():
    f0 = 120 * 2 ** np.linspace(0, 1, RATE)
    found, levels = analysed(voice(f0), RATE)
    assert (len(found), levels.shape) == (101, (101, 80))
    cents = 1200 * np.log2(found[8:92] / f0[:: hop_of(RATE)][8:92])
    assert np.abs(cents).max() < 5


def test_frames_keep_their_places_at_rates_that_hundredths_do_not_divide():
    x = 0.1 * np.sign(np.sin(2 * np.pi * 200 * np.arange(22050) / 22050))
    found, levels = analysed(x, 22050)
    assert len(found) == len(levels) == 1 + 22050 // 220
    assert found[10:90] == pytest.approx(200, rel=1e-3)


def test_noise_is_not_voiced():
    found, _ = analysed(0.1 * np.random.default_rng(0).standard_normal(RATE), RATE)
    assert (found > 0).mean() < 0.05


def test_an_envelope_is_that_of_the_formants_and_not_of_the_pitch():
    flat = np.full(RATE // 2, 110.0)
    low, high, other = (
        cepstra(analysed(x, RATE)[1])[10:-10]
        for x in (voice(flat), voice(1.26 * flat), voice(flat, (600, 1700, 2700)))
    )
    assert distortion(low, high).mean() < 0.3 * distortion(low, other).mean()
