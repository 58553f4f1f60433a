from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics import METRICS, Unmeasurable
from diffaudio.metrics.cepstrum import cepstra, distortion, mel_distortion

pytest.importorskip("pyworld")

RATE = 16000


def noise(seconds=1.0, seed=0):
    """Noise whose colour changes, so that frames differ."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(5):
        x = rng.standard_normal(int(seconds * RATE / 5))
        parts.append(np.convolve(x, [1, -0.9 + 0.45 * number], "same"))
    return 0.1 * np.concatenate(parts)


@pytest.mark.parametrize("order", [1, 7, 13])
def test_a_cosine_over_the_mel_axis_is_one_coefficient(order):
    """ln|H| = a cos(d w) is c_d = a; its distortion is its root mean square in dB."""
    levels = np.random.default_rng(0).standard_normal((3, 80))
    ripple = 0.3 * np.cos(np.pi * order * (np.arange(80) + 0.5) / 80)
    one, two = cepstra(levels), cepstra(levels + ripple)
    expected = np.zeros(13)
    expected[order - 1] = 0.3
    assert two - one == pytest.approx(np.tile(expected, (3, 1)), abs=1e-12)
    in_db = 20 / np.log(10) * np.sqrt(np.mean(ripple**2))
    assert distortion(one, two) == pytest.approx([in_db] * 3)
    assert in_db == pytest.approx(10 / np.log(10) * np.sqrt(2 * 0.3**2))


def test_what_is_above_the_thirteenth_and_the_level_do_not_count():
    levels = np.random.default_rng(0).standard_normal((2, 80))
    ripple = 5.0 + np.cos(np.pi * 14 * (np.arange(80) + 0.5) / 80)
    assert distortion(cepstra(levels), cepstra(levels + ripple)) == pytest.approx([0, 0], abs=1e-10)


def test_itself_louder_or_with_silence_around_it_is_no_distortion():
    x = noise()
    assert mel_distortion(x, x, RATE) == pytest.approx(0.0, abs=1e-9)
    assert mel_distortion(3 * x, x, RATE) == pytest.approx(0.0, abs=1e-6)
    silence = np.zeros(6400)
    around = np.concatenate([silence, x, silence])
    assert mel_distortion(around, x, RATE) < 0.4  # its edges, that is


def test_slower_is_nearer_than_other():
    x = noise()
    slow = np.concatenate([np.tile(part, 2) for part in np.split(x, 5)])
    backwards = x[::-1].copy()
    assert mel_distortion(slow, x, RATE) < 0.6 * mel_distortion(backwards, x, RATE)


def test_silence_has_no_distortion():
    for pair, what in (
        ((np.zeros(RATE), noise()), "estimate"),
        ((noise(), np.zeros(9)), "reference"),
    ):
        with pytest.raises(Unmeasurable, match=f"the {what} is silent"):
            METRICS["MCD"].measure(*pair, RATE)
