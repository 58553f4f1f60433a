from __future__ import annotations

import pytest

from diffaudio.score.about import corpus, made_by


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("mini (real speech)", {"corpus": "small", "label": "mini (real speech)"}),
        ("synthetic: espeak", {"corpus": "small", "label": "synthetic: espeak"}),
        ("VoiceBank-DEMAND", {"corpus": "VoiceBank-DEMAND"}),
        ("", {"corpus": "small"}),
    ],
)
def test_a_corpus_has_its_own_name_unless_it_is_made(label, expected):
    assert corpus("small", {"label": label}) == expected


def test_a_speed_names_machine_threads_and_precision():
    decode = {"hardware": "2 cores", "threads": 1, "precision": "fp32", "rtf": 0.1}
    found = made_by(decode)
    assert (found["hardware"], found["rtf"]) == ("2 cores, 1 thread, fp32", 0.1)
    assert made_by({"hardware": "a GPU"})["hardware"] == "a GPU"


def test_what_nobody_recorded_is_null():
    found = made_by({})
    train = found.pop("train")
    assert set(found) == {"calls", "solver", "rtf", "seed", "config_sha256", "hardware"}
    assert set(train) == {"steps", "hours", "params"}
    assert {*found.values(), *train.values()} == {None}
