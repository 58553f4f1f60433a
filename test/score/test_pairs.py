from __future__ import annotations

import numpy as np
import pytest

from diffaudio.data import audio, manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal
from diffaudio.score.pairs import Sound, check_length, content, estimates, read_estimate, read_role

RATE = 8000


def rows(corpus):
    return list(manifest.read(corpus / "test.jsonl"))


def test_every_row_finds_its_wav_in_the_order_of_the_rows(corpus, wavs):
    found = estimates(rows(corpus), wavs)
    assert list(found) == [row["id"] for row in rows(corpus)]
    assert found["p1_002"] == wavs / "p1_002.wav"


def test_missing_and_extra_estimates_are_listed(corpus, wavs):
    (wavs / "p1_001.wav").rename(wavs / "p9_001.wav")
    with pytest.raises(Refusal) as caught:
        estimates(rows(corpus), wavs)
    assert "1 without an estimate: p1_001" in caught.value.message
    assert "1 not in the test set: p9_001" in caught.value.message


def test_a_long_list_is_cut(corpus, tmp_path):
    (tmp_path / "few").mkdir()
    (tmp_path / "few" / "p1_000.wav").touch()
    many = [{"id": f"p1_{number:03d}"} for number in range(20)]
    with pytest.raises(Refusal, match=r"19 without an estimate: .*p1_005 and 14 more"):
        estimates(many, tmp_path / "few")


def test_an_empty_folder_is_refused(corpus, tmp_path):
    with pytest.raises(Refusal, match=r"holds no \.wav"):
        estimates(rows(corpus), tmp_path / "nothing")


def test_content_follows_names_and_bytes(wavs):
    paths = sorted(wavs.glob("*.wav"))
    before = content(paths)
    assert content(sorted(wavs.glob("*.wav"))) == before
    audio.save(paths[0], np.zeros(RATE // 2), RATE)
    changed = content(paths)
    assert changed != before
    paths[0].rename(wavs / "other.wav")
    assert content(sorted(wavs.glob("*.wav"))) != changed
    with pytest.raises(Refusal, match=r"gone\.wav: No such file"):
        content([wavs / "gone.wav"])


def test_a_role_is_read_as_training_sees_it(tmp_path):
    """Stereo at 16 kHz, the second half second of it, for a model at 8 kHz."""
    rng = np.random.default_rng(0)
    x = (0.1 * rng.standard_normal((16000, 2))).astype(np.float32)
    audio.save(tmp_path / "a.wav", x, 16000)
    row = {"id": "a", "audio": {"clean": "a.wav"}, "start": 0.5, "end": 1.0}
    spec = AudioSpec(rate=RATE, target="clean")
    found = read_role(Sound(row, tmp_path), "clean", spec)
    mono = x[8000:].mean(axis=1, keepdims=True)
    assert found.dtype == np.float32
    assert found == pytest.approx(audio.resample(mono, 16000, RATE), abs=2**-15)
    assert (found * 2**15 == np.rint(found * 2**15)).all()  # 16 bit, as in the shards


def test_an_estimate_at_another_rate_is_refused_with_both(tmp_path, spec):
    audio.save(tmp_path / "a.wav", np.zeros(10), 16000)
    with pytest.raises(Refusal, match=r"a\.wav: 16000 Hz, the reference is at 8000 Hz"):
        read_estimate(tmp_path / "a.wav", spec)


def test_one_sample_more_is_refused_with_file_and_lengths(tmp_path):
    sound = Sound({"id": "a"}, tmp_path, tmp_path / "a.wav")
    check_length(sound, np.zeros((100, 1)), np.zeros((100, 1)))
    with pytest.raises(Refusal, match=r"a\.wav: 101 samples, the reference has 100 samples"):
        check_length(sound, np.zeros((101, 1)), np.zeros((100, 1)))
    with pytest.raises(Refusal, match="100 samples in 2 channels, the reference has 100 samples"):
        check_length(sound, np.zeros((100, 2)), np.zeros((100, 1)))
