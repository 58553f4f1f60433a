from __future__ import annotations

import numpy as np
import pytest
from tones import RATE, Deaf, Tones, tone

from diffaudio.data import audio
from diffaudio.data.audio import AudioSpec
from diffaudio.log import Refusal
from diffaudio.score.listening import Clips, Ear, clip
from diffaudio.score.pairs import Sound

AUDIO = AudioSpec(rate=RATE, target="speech")


@pytest.fixture
def sounds(tmp_path):
    for number in range(5):
        audio.save(tmp_path / f"{number}.wav", tone("low", number), RATE)
    row = {"audio": {"speech": "0.wav"}}
    return [Sound({"id": f"c{n}", **row}, tmp_path, tmp_path / f"{n}.wav") for n in range(5)]


def test_batches_and_jobs_change_nothing(sounds, tmp_path, monkeypatch):
    clips = Clips("made", sounds)
    whole = Ear(AUDIO, tmp_path / "store", 1).embed(Tones(), clips)
    monkeypatch.setattr("diffaudio.score.listening._AT_ONCE", 2)
    parts = Ear(AUDIO, tmp_path / "store", 3).embed(Tones(), clips)
    assert parts.features == pytest.approx(whole.features)
    assert parts.answers.tolist() == whole.answers.tolist()
    assert not (tmp_path / "store").exists()  # what is generated is not kept


def test_real_clips_are_kept_by_all_that_they_depend_on(sounds, tmp_path):
    def files():
        return len(list((tmp_path / "store").glob("*.npz")))

    def ear(force=False):
        return Ear(AUDIO, tmp_path / "store", 1, force)

    real = Clips("real", sounds, identity="1")
    first = ear().embed(Deaf(), real)
    again = ear().embed(Deaf(), Clips("real", [], identity="1"))  # nothing is read
    assert again.features == pytest.approx(first.features)
    assert again.log_probs is None
    assert files() == 1
    ear().embed(Tones(), real)
    ear().embed(Tones(version=2), real)
    ear().embed(Tones(), Clips("real", sounds, identity="2"))
    ear().mels(real, RATE)
    ear().mels(real, 2 * RATE)
    assert files() == 6
    with pytest.raises(IndexError):
        ear(force=True).embed(Deaf(), Clips("real", [], identity="1"))


def test_one_listener_listens_once(sounds, tmp_path):
    ear = Ear(AUDIO, tmp_path / "store", 1)
    clips = Clips("made", sounds)
    assert ear.mels(clips, RATE) is ear.mels(clips, RATE)


def test_the_nearest_clips_of_real_sets_are_kept_and_those_of_made_ones_are_not(sounds, tmp_path):
    def ear():
        return Ear(AUDIO, tmp_path / "store", 1)

    train = Clips("train", sounds, "1")
    for who in (RATE, Tones()):
        own = ear().nearest(who, train, train)
        assert (own.rows != np.arange(len(sounds))).all()  # no clip is its own neighbour
        made = ear().nearest(who, Clips("made", sounds[1:3]), train)
        assert made.rows.tolist() == [1, 2]
        assert made.distances == pytest.approx(0, abs=0.05)
        again = ear().nearest(who, Clips("train", [], "1"), Clips("train", [], "1"))
        assert again.distances.tolist() == own.distances.tolist()
        other = ear().nearest(who, train, Clips("others", sounds[3:], "2"))
        assert set(other.rows) == {0, 1}


def test_a_clip_is_what_was_made_or_else_what_is_real(sounds):
    real = Sound(sounds[3].row, sounds[3].root)
    assert clip(sounds[3], AUDIO) == pytest.approx(tone("low", 3), abs=1e-4)
    assert clip(real, AUDIO) == pytest.approx(tone("low", 0), abs=1e-4)


@pytest.mark.parametrize(("samples", "words"), [([], "is empty"), ([np.nan], "not finite")])
def test_what_is_no_sound_is_refused(tmp_path, samples, words):
    import soundfile

    path = tmp_path / "x.wav"
    soundfile.write(path, np.array(samples, np.float32), RATE, subtype="FLOAT")
    with pytest.raises(Refusal, match=words):
        clip(Sound({"id": "x", "audio": {}}, tmp_path, path), AUDIO)
