from __future__ import annotations

import numpy as np
import pytest

from diffaudio.log import Refusal
from diffaudio.metrics import METRICS, Prompt, Recogniser
from diffaudio.metrics import recogniser as module

RATE = 16000


@pytest.fixture(scope="module")
def spoken():
    pytest.importorskip("espeakng_loader")
    from diffaudio.corpus.espeak import Espeak

    return Espeak().say("en-us", "The weather is nice today.", RATE)


def test_what_is_said_is_heard_every_time_with_one_run_for_two_columns(spoken, monkeypatch):
    for package in METRICS["WER"].packages:
        pytest.importorskip(package)
    prompt = Prompt("The weather is nice tomorrow.")
    found = METRICS["WER"].value(spoken, spoken, RATE, prompt)
    assert "nice today" in found.heard.lower()
    assert 0 < found.number < 200
    assert Recogniser().heard(np.append(spoken, np.float32(0))) == found.heard  # another run
    assert METRICS["WER"].value(spoken, spoken, RATE, prompt) == found
    monkeypatch.setattr(module, "_model", None)  # would fail if it were asked again
    assert METRICS["CER"].value(spoken, spoken, RATE, prompt).heard == found.heard


def test_silence_and_a_click_are_not_listened_to(monkeypatch):
    monkeypatch.setattr(module, "_heard", None)  # would fail if it were called
    assert Recogniser().heard(np.zeros(RATE)) == Recogniser().heard(np.ones(100)) == ""


def test_another_model_is_known_by_its_files(tmp_path):
    with pytest.raises(Refusal, match=r"no model\.bin"):
        Recogniser(str(tmp_path))
    (tmp_path / "model.bin").write_bytes(b"1")
    one = Recogniser(str(tmp_path)).about()
    (tmp_path / "model.bin").write_bytes(b"2")
    two = Recogniser(str(tmp_path)).about()
    assert one["model"] == tmp_path.name
    assert one["sha256"] != two["sha256"]
    assert "sha256" not in Recogniser().about()
