"""Which clips are scored as sets, and what is refused before anything is heard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tones import AUDIO, RATE, Deaf, a_request, generate, settings

from diffaudio.data import audio
from diffaudio.files import digest
from diffaudio.log import Refusal
from diffaudio.score.sets import find


@pytest.fixture
def asked(tmp_path):
    return a_request(tmp_path)


def test_every_wav_goes_with_its_row(asked):
    found = find(asked, AUDIO, settings())
    assert [len(clips.sounds) for clips in (found.made, found.real, found.train)] == [60, 30, 40]
    first, second = found.made.sounds[:2]
    assert (first.row["id"], second.row["id"]) == ("test000-000", "test000-001")
    assert first.row["label"] == second.row["label"] == "low"
    assert first.estimate == asked.wavs / "test000-000.wav"
    assert (found.made.identity, found.real.name) == ("", "real test")
    assert found.real.identity != found.train.identity


def test_all_that_is_read_is_named(asked):
    found = find(asked, AUDIO, settings())
    inputs = found.read(asked)
    for split in ("test", "train"):
        path = asked.data / f"{split}.jsonl"
        assert inputs[str(path)] == digest(path)
        assert f"audio of {path}" in inputs
    assert str(asked.exp / "config.yaml") in inputs
    keys = found.named(asked)
    assert keys["embedder.ear"] == {"version": 1}
    assert keys["metric.KAD (deaf)"] == 1


def test_one_wav_of_each_row_has_the_rows_name(asked):
    for path in asked.wavs.glob("*.wav"):
        path.unlink()
    generate(asked.data, asked.wavs, repeat=1)
    made = find(asked, AUDIO, settings()).made
    assert [sound.row["id"] for sound in made.sounds[:2]] == ["test000", "test001"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"versus": "exp/other"}, "not compared clip by clip"),
        ({"system": "real test"}, "a set of real clips is called so"),
        ({"split": "valid"}, "no such manifest"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, change, words):
    with pytest.raises(Refusal, match=words):
        find(replace(asked, **change), AUDIO, settings())


def test_missing_and_superfluous_wavs_are_refused(asked):
    (asked.wavs / "test003-001.wav").unlink()
    with pytest.raises(Refusal, match="without an estimate"):
        find(asked, AUDIO, settings())
    generate(asked.data, asked.wavs)
    audio.save(asked.wavs / "test003-002.wav", np.zeros(9), RATE)
    with pytest.raises(Refusal, match="1 not in the test set: test003-002"):
        find(asked, AUDIO, settings())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metrics": ["IS"], "embedders": [Deaf()]}, "IS: no embedder gives log_probs .deaf."),
        ({"metrics": ["KAD (nose)"]}, "KAD .nose.: no embedder gives features"),
        ({"train": "valid"}, "valid.jsonl: no such manifest"),
    ],
)
def test_settings_that_do_not_fit_the_corpus_are_refused(asked, options, words):
    with pytest.raises(Refusal, match=words):
        find(asked, AUDIO, settings(**options))
