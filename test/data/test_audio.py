import time

import numpy as np
import pytest
import soundfile

from diffaudio.data import audio
from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal

ODD_NAMES = [
    "with space.wav",
    "quote\"and'quote.wav",
    "$(touch x).wav",
    "new\nline.wav",
    "café 🎵.wav",
    "-dash.wav",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_sixteen_bit_audio_comes_back_exactly_under_any_name(tmp_path, name):
    levels = np.array([[-32768, 32767], [0, 1], [-1, 12345]], dtype=np.int16)
    audio.save(tmp_path / name, levels / np.float32(32768), 8000)
    x, rate = audio.load(tmp_path / name)
    assert rate == 8000
    assert x.dtype == np.float32
    assert np.array_equal(x * 32768, levels)
    assert soundfile.info(tmp_path / name).subtype == "PCM_16"


def test_a_name_that_is_not_utf8_is_read(tmp_path):
    path = tmp_path / b"caf\xe9.wav".decode("utf-8", "surrogateescape")
    audio.save(path, np.zeros(10), 8000)
    assert len(audio.load(path)[0]) == 10


def test_audio_above_full_scale_is_kept_as_float_and_said(tmp_path, caplog):
    x = np.array([0.5, -1.5, 1.0], dtype=np.float32)
    audio.save(tmp_path / "loud.wav", x, 16000)
    y, _ = audio.load(tmp_path / "loud.wav")
    assert np.array_equal(y[:, 0], x)
    assert soundfile.info(tmp_path / "loud.wav").subtype == "FLOAT"
    assert "loud.wav: peak 1.50 exceeds full scale" in caplog.text


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_the_bytes_depend_on_the_samples_only(tmp_path, gain):
    x = gain * np.linspace(-1, 1, 1000)
    audio.save(tmp_path / "a.wav", x, 16000)
    time.sleep(1.1)  # a header with a time stamp in seconds would differ
    audio.save(tmp_path / "b.wav", x, 16000)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_an_empty_array_is_a_readable_file(tmp_path):
    audio.save(tmp_path / "none.wav", np.zeros((0, 2)), 16000)
    assert audio.load(tmp_path / "none.wav")[0].shape == (0, 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_not_written(tmp_path, bad):
    with pytest.raises(Refusal, match=r"x\.wav: not written"):
        audio.save(tmp_path / "x.wav", np.array([0.0, bad]), 16000)
    assert list(tmp_path.iterdir()) == []


def test_a_part_is_what_the_seconds_say(tmp_path):
    audio.save(tmp_path / "a.wav", np.arange(1000) / 32768, 1000)
    x, _ = audio.load(tmp_path / "a.wav", start=0.25, end=0.3)
    assert np.array_equal(np.rint(x[:, 0] * 32768), np.arange(250, 300))
    x, _ = audio.load(tmp_path / "a.wav", start=0.9)
    assert len(x) == 100
    for start in (None, 0.0):
        x, _ = audio.load(tmp_path / "a.wav", start=start, end=0.2)
        assert len(x) == 200


@pytest.mark.parametrize(("start", "end"), [(0.5, 1.01), (-0.1, 0.5), (0.6, 0.5)])
def test_a_part_outside_the_file_is_refused(tmp_path, start, end):
    audio.save(tmp_path / "a.wav", np.zeros(1000), 1000)
    with pytest.raises(Refusal, match=r"a\.wav: no samples .* it has 1000 at 1000 Hz"):
        audio.load(tmp_path / "a.wav", start=start, end=end)


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(Refusal, match=r"nothing\.wav: no such file"):
        audio.load(tmp_path / "nothing.wav")
    (tmp_path / "empty.wav").touch()
    with pytest.raises(Refusal, match=r"empty\.wav: the file is empty"):
        audio.load(tmp_path / "empty.wav")
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(Refusal, match=r"text\.wav: not readable as audio \(Format not recognised"):
        audio.load(tmp_path / "text.wav")
    with pytest.raises(Refusal, match="no such file"):
        audio.load(tmp_path)


def test_a_flac_file_that_was_cut_is_refused(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(40000), 16000)
    path.write_bytes(path.read_bytes()[:-20000])
    with pytest.raises(Refusal, match=r"a\.flac: "):
        audio.load(path)


def test_probe_reads_the_header(tmp_path):
    audio.save(tmp_path / "a.wav", np.zeros((1234, 2)), 44100)
    assert audio.probe(tmp_path / "a.wav") == (1234, 44100)


def test_resampling_keeps_a_tone_and_the_duration():
    time_in, time_out = np.arange(48000) / 48000, np.arange(16000) / 16000
    x = np.sin(2 * np.pi * 440 * time_in)[:, None].astype(np.float32)
    y = audio.resample(x, 48000, 16000)
    assert y.shape == (16000, 1)
    middle = slice(1000, -1000)
    assert np.abs(y[:, 0] - np.sin(2 * np.pi * 440 * time_out))[middle].max() < 1e-4


def test_equal_rates_return_the_same_array():
    x = np.zeros((10, 1), np.float32)
    assert audio.resample(x, 8000, 8000) is x


def test_roles():
    assert AudioSpec(rate=16000, target="clean").roles == ("clean",)
    assert AudioSpec(rate=16000, target="clean", given="noisy").roles == ("clean", "noisy")


@pytest.mark.parametrize(
    "wrong",
    [{"rate": 0}, {"channels": 0}, {"given": "clean"}, {"min_seconds": 5.0, "max_seconds": 1.0}],
)
def test_a_spec_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="must be|both"):
        AudioSpec(**{"rate": 16000, "target": "clean", **wrong})
