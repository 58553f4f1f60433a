import numpy as np
import pytest

from diffaudio.data.plan import generator
from diffaudio.files import read_json


def spectrum(x):
    return np.abs(np.fft.rfft(x * np.hanning(len(x)))), np.fft.rfftfreq(len(x), 1 / 16000)


def test_pitch_and_mouth_are_heard(local):
    """The harmonics of `one` lie at multiples of the pitch; a shorter mouth raises the formants."""
    x = local.synthetic.say("one", 100.0, 1.0, generator("a"))
    middle = x[len(x) // 2 - 512 : len(x) // 2 + 512]
    repeated = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    lag = 80 + int(repeated[80:280].argmax())
    assert 16000 / lag == pytest.approx(100.0, rel=0.15)
    centres = []
    for mouth in (1.0, 0.8):
        power, frequency = spectrum(local.synthetic.say("three", 100.0, mouth, generator("a")))
        above = frequency > 1500  # the second and third formant of iy
        centres.append((power * frequency)[above].sum() / power[above].sum())
    assert centres[1] > centres[0] + 200


def test_sounds_without_voice_are_noise_in_their_band(local):
    x = local.synthetic.say("six", 120.0, 1.0, generator("b"))
    power, frequency = spectrum(x[: len(x) // 6])  # the first s
    assert (power[frequency > 4000] ** 2).sum() > 0.8 * (power**2).sum()


def test_a_corpus_by_formula(local, tmp_path):
    local.synthetic.make(tmp_path, tmp_path)
    rows = list(local.data.rows(tmp_path))
    assert len(rows) == 6 * 10 * local.synthetic.TAKES
    speakers = {
        split: {row["voice"] for row in rows if row["split"] == split}
        for split in ("train", "valid", "test")
    }
    assert speakers["valid"] == {"formula-dot"}
    assert speakers["test"] == {"formula-eve", "formula-fred"}
    assert {row["source"] for row in rows} == {"synthetic"}
    assert "synthetic" in read_json(tmp_path / "corpus.json")["label"]
    assert not read_json(tmp_path / "corpus.json")["comparable"]
