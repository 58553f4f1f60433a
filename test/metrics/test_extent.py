from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics import METRICS, Unmeasurable
from diffaudio.metrics.extent import duration_ratio, sounding

RATE = 8000


def tone(seconds, before=0.0, after=0.0):
    sound = 0.1 * np.sin(np.arange(round(seconds * RATE)) / 2)
    ends = [np.full(round(s * RATE), 1e-4) for s in (before, after)]  # 57 dB lower
    return np.concatenate([ends[0], sound, ends[1]])


def test_quiet_ends_are_left_out():
    found = sounding(tone(0.5, before=0.3, after=0.2), RATE, "estimate")
    assert len(found) / RATE == pytest.approx(0.5, abs=0.05)
    assert np.abs(found[200:-200]).max() == pytest.approx(0.1, rel=0.01)


def test_a_pause_between_stays():
    found = sounding(np.concatenate([tone(0.3), np.zeros(RATE), tone(0.3)]), RATE, "estimate")
    assert len(found) / RATE == pytest.approx(1.6, abs=0.03)


def test_the_ratio_is_that_of_what_sounds():
    assert duration_ratio(tone(1.0, 0.4), tone(0.5, 0, 0.7), RATE) == pytest.approx(2, abs=0.15)
    x = tone(0.2, 0.1)
    assert duration_ratio(x, x, RATE) == 1.0


def test_silence_and_a_click_shorter_than_a_window():
    with pytest.raises(Unmeasurable, match="the reference is silent"):
        METRICS["Duration"].measure(tone(0.1), np.zeros(RATE), RATE)
    assert METRICS["Duration"].measure(np.ones(10), np.ones(10), RATE) == 1.0
