import subprocess
import sys

import numpy as np
import pytest

from diffaudio.corpus.espeak import Espeak
from diffaudio.log import Refusal


def test_without_the_package_the_mend_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(Refusal, match="needs the package espeakng-loader") as caught:
        Espeak()
    assert caught.value.mend == "pip install espeakng-loader"


SPEAK = """
import hashlib, sys
from diffaudio.corpus.espeak import Espeak
say = Espeak().say
for voice in sys.argv[1:]:
    print(hashlib.sha256(say(voice, "one two three", 16000)).hexdigest())
"""


def test_speech_is_the_same_each_time_and_another_by_another_voice():
    pytest.importorskip("espeakng_loader")
    command = [sys.executable, "-c", SPEAK, "en-us+f2", "de+f4", "it+m7"]
    first, again = (subprocess.check_output(command, text=True) for _ in range(2))
    assert first == again
    assert len(set(first.split())) == 3


def pitch(x):
    """Return the fundamental of the loudest 64 ms in Hz."""
    start = int(np.convolve(x**2, np.ones(1024), "valid").argmax())
    frame = x[start : start + 1024]
    repeated = np.correlate(frame, frame, "full")[1023:]
    return 16000 / (40 + int(repeated[40:250].argmax()))


def test_speed_and_pitch_are_heard():
    pytest.importorskip("espeakng_loader")
    say = Espeak().say
    plain = say("en-us+m3", "nine", 16000)
    assert 0.2 < len(plain) / 16000 < 1.0
    assert 0.05 < np.abs(plain).max() < 1.0
    slow = say("en-us+m3", "nine", 16000, words_per_minute=110)
    assert len(slow) > 1.25 * len(plain)
    low, high = (pitch(say("en-us+m3", "nine", 16000, pitch=p, spread=0)) for p in (30, 70))
    assert high > 1.2 * low


def test_a_voice_that_is_not_there_is_refused():
    """It would speak with the voice before otherwise."""
    pytest.importorskip("espeakng_loader")
    with pytest.raises(Refusal, match=r"espeak-ng has no voice en-gb\+m3"):
        Espeak().say("en-gb+m3", "nine", 16000)


def test_a_text_in_phonemes_to_its_end_and_without_marks():
    pytest.importorskip("espeakng_loader")
    phonemes = Espeak().phonemes
    assert phonemes("en-us", "Nine boxes") == "nˈaɪn bˈɑːksᵻz"
    assert phonemes("en-us", "Yes, nine; no. Nine!") == "jˈɛs nˈaɪn nˈoʊ nˈaɪn"
    assert phonemes("de", "neun") != phonemes("en-us", "neun")
    assert phonemes("en-us", "") == ""
    with pytest.raises(Refusal, match="espeak-ng has no voice xx"):
        phonemes("xx", "nine")
