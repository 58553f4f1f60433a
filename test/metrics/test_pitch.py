from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics import METRICS, Unmeasurable
from diffaudio.metrics import pitch as module
from diffaudio.metrics.cepstrum import Aligned


def given(monkeypatch, one, two, path):
    """Let two utterances have these F0, and these frames belong together."""
    found = Aligned(np.array(path), (np.zeros((0, 13)),) * 2, (np.array(one), np.array(two)))
    monkeypatch.setattr(module, "aligned", lambda *_: found)
    return module.log_f0_error(np.ones(9), np.ones(9), 16000)


def test_only_frames_that_are_voiced_in_both_count(monkeypatch):
    one = np.array([100.0] * 12 + [0.0] * 4)
    two = np.array([0.0] * 2 + [200.0] * 14)
    path = np.stack([np.arange(16)] * 2, axis=1)
    assert given(monkeypatch, one, two, path) == pytest.approx(np.log(2))
    with pytest.raises(Unmeasurable, match="9 frames are voiced in both"):
        given(monkeypatch, one[:11], two[:11], path[:11])


def test_frames_are_paired_by_the_path(monkeypatch):
    one, two = 100.0 * 1.1 ** np.arange(10), np.repeat(100.0 * 1.1 ** np.arange(10), 2)
    path = np.stack([np.repeat(np.arange(10), 2), np.arange(20)], axis=1)
    assert given(monkeypatch, one, two, path) == pytest.approx(0.0, abs=1e-12)
    shifted = np.stack([path[:-2, 0] + 1, path[:-2, 1]], axis=1)
    assert given(monkeypatch, one, two, shifted) == pytest.approx(np.log(1.1))


def test_a_semitone_up_is_a_semitone_and_noise_has_no_melody():
    pytest.importorskip("pyworld")
    rate, time = 16000, np.arange(12800) / 16000

    def voice(f0):
        x = np.zeros_like(time)
        for k in range(1, 40):
            formants = [(500 + 300 * time, 100), (1800 - 800 * time, 150)]
            gain = sum(1 / (1 + ((k * f0 - f) / b) ** 2) for f, b in formants) + 0.02
            x += gain * np.sin(2 * np.pi * k * f0 * time + k * k)
        return 0.1 * x / np.abs(x).max()

    metric, x = METRICS["log-F0"], voice(120)
    assert metric.measure(x, x, rate) == 0.0
    assert metric.measure(voice(120 * 2 ** (1 / 12)), x, rate) == pytest.approx(
        np.log(2) / 12, rel=0.05
    )
    with pytest.raises(Unmeasurable, match="frames are voiced in both"):
        metric.measure(0.1 * np.random.default_rng(0).standard_normal(12800), x, rate)
