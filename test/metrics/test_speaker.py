from __future__ import annotations

import numpy as np
import pytest

from diffaudio.metrics import METRICS, Unmeasurable
from diffaudio.metrics.speaker import embedding, voiced

RATE = 16000

for package in METRICS["SIM"].packages:
    pytest.importorskip(package)


@pytest.fixture(scope="module")
def speech():
    pytest.importorskip("espeakng_loader")
    from diffaudio.corpus.espeak import Espeak

    espeak = Espeak()
    texts = {"a": "The weather is nice today.", "b": "We should go for a walk."}
    voices = {"m": "en-us+m3", "f": "en-us+f4"}
    return {v + t: espeak.say(voices[v], texts[t], RATE) for v in voices for t in texts}


def test_the_same_voice_is_nearer_than_another_whatever_it_says(speech):
    sim = METRICS["SIM"]
    assert sim.measure(speech["ma"], speech["ma"], RATE) == pytest.approx(1.0)
    same = sim.measure(speech["ma"], speech["mb"], RATE)
    assert sim.measure(speech["ma"], speech["fa"], RATE) + 0.05 < same < 1


def test_level_and_pauses_matter_little(speech):
    sim, x = METRICS["SIM"], speech["ma"]
    paused = np.concatenate([x, np.zeros(2 * RATE, np.float32), x])
    assert len(voiced(paused)) < 2.5 * len(x)
    assert sim.measure(0.01 * x, 0.001 * x, RATE) > 0.98  # both are raised
    assert sim.measure(paused, x, RATE) > 0.95


def test_without_a_voice_there_is_no_value(speech):
    for x in (np.full(RATE, 1e-9), np.ones(100)):
        with pytest.raises(Unmeasurable, match="no voice in the estimate"):
            METRICS["SIM"].measure(x, speech["ma"], RATE)


@pytest.mark.parametrize("milliseconds", [20, 30, 60, 150, 209, 240])
def test_a_short_clip_has_a_value_or_none(speech, milliseconds):
    loud = speech["ma"][np.argmax(np.abs(speech["ma"])) :][: RATE * milliseconds // 1000]
    assert voiced(loud).size <= loud.size
    if voiced(loud).size:
        assert -1 <= METRICS["SIM"].measure(loud, speech["ma"], RATE) <= 1
    else:
        with pytest.raises(Unmeasurable, match="no voice in the estimate"):
            METRICS["SIM"].measure(loud, speech["ma"], RATE)


@pytest.mark.slow  # the package's own features need seconds to import
def test_embeddings_are_those_of_the_package(speech):
    pytest.importorskip("librosa")
    package = pytest.importorskip("resemblyzer")
    net = package.VoiceEncoder("cpu", verbose=False)
    for x in (speech["ma"], np.concatenate([speech["fa"], speech["fb"]])):
        expected = net.embed_utterance(package.preprocess_wav(x))
        found = embedding(x, "estimate")
        cosine = found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)
        assert cosine == pytest.approx(1.0, abs=1e-5)
