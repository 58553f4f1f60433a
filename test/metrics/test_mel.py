from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics.mel import mel_filters


@pytest.mark.parametrize(("bands", "size", "rate"), [(120, 321, 16000), (40, 640, 8000)])
def test_filters_are_those_of_librosa(bands, size, rate):
    librosa = pytest.importorskip("librosa")
    wanted = librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands)
    # librosa counts the bins of an odd size up to half the rate, which the last one is not at
    tolerance = 1e-6 if size % 2 == 0 else 2e-3
    assert np.abs(mel_filters(bands, size, rate) - wanted).max() < tolerance


def test_a_tone_is_loudest_in_the_band_around_it():
    time = np.arange(640) / 8000
    power = np.abs(np.fft.rfft(np.sin(2 * np.pi * 1000 * time) * np.hanning(640))) ** 2
    filters = mel_filters(40, 640, 8000)
    band = int((filters @ power).argmax())
    assert filters[band, round(1000 / 8000 * 640)] > 0
