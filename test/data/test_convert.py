import io

import numpy as np
import pytest
import soundfile

from diffaudio.data import convert
from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal

MONO = AudioSpec(rate=8000, target="x")


def write(path, x, rate=8000, subtype="PCM_16"):
    soundfile.write(path, x, rate, subtype=subtype)
    return path


def test_quantise():
    x = np.array([0.0, 0.49 / 32768, -0.51 / 32768, 1.0, -1.0, 1.7, -1.7, 32767 / 32768])
    stored, clipped = convert.quantise(x.astype(np.float32)[:, None])
    assert stored.dtype == np.int16
    assert stored[:, 0].tolist() == [0, 0, -1, 32767, -32768, 32767, -32768, 32767]
    assert clipped == 3


def test_encode_is_exact_and_repeatable():
    x = np.random.default_rng(0).integers(-32768, 32768, (5000, 2)).astype(np.int16)
    data = convert.encode(x, 22050)
    assert data == convert.encode(x, 22050)
    back, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert rate == 22050
    np.testing.assert_array_equal(back, x)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_downmix_is_the_mean(tmp_path, channels):
    x = np.random.default_rng(0).integers(-20000, 20000, (800, channels)).astype(np.int16)
    stored, clipped = convert.convert(write(tmp_path / "a.wav", x), MONO)
    assert clipped == 0
    np.testing.assert_allclose(stored[:, 0], x.mean(1), atol=0.51)


def test_opposite_channels_do_not_overflow(tmp_path):
    x = np.array([[32767, 32767], [-32768, -32768], [32767, -32768]], np.int16)
    stored, _ = convert.convert(write(tmp_path / "a.wav", x), MONO)
    assert stored[:, 0].tolist()[:2] == [32767, -32768]


def test_resampling_keeps_a_tone_and_drops_what_cannot_stay(tmp_path):
    t = np.arange(48000) / 48000
    kept, dropped = (0.5 * np.sin(2 * np.pi * f * t) for f in (1000, 5000))
    stored, _ = convert.convert(write(tmp_path / "a.wav", kept + dropped * 0.9, 48000), MONO)
    assert stored.shape == (8000, 1)
    wanted = 0.5 * 32768 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    assert np.abs(stored[500:-500, 0] - wanted[500:-500]).max() < 10  # 70 dB below


def test_channels_are_never_made_up(tmp_path):
    stereo = AudioSpec(rate=8000, target="x", channels=2)
    path = write(tmp_path / "a.wav", np.zeros(100))
    with pytest.raises(Refusal, match=r"a\.wav: 1 channels, audio\.channels is 2"):
        convert.convert(path, stereo)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path, value):
    x = np.zeros(100)
    x[50] = value
    with pytest.raises(Refusal, match=r"a\.wav: holds values that are not finite"):
        convert.convert(write(tmp_path / "a.wav", x, subtype="FLOAT"), MONO)
