from __future__ import annotations

import json

import pytest

from diffaudio.data import problem
from diffaudio.data.problem import Problem
from diffaudio.files import digest, write_json
from diffaudio.score.about import (
    corpus,
    described,
    made,
    made_by,
    scope,
    speakers,
    subset,
    trained_by,
)


def test_a_corpus_that_is_published_has_its_own_name_and_no_label():
    about = {"label": "VoiceBank-DEMAND", "comparable": True}
    assert corpus("small", about) == {"corpus": "VoiceBank-DEMAND", "not_comparable": []}
    assert corpus("small", {"comparable": True})["corpus"] == "small"


@pytest.mark.parametrize("label", ["mini (real speech)", "our own recordings", "VoiceBank-DEMAND"])
def test_a_label_alone_compares_with_nothing(label):
    """No beginning of a label is special: the corpus has to say it."""
    found = corpus("small", {"label": label, "comparable": False})
    assert (found["corpus"], found["label"]) == ("small", label)
    assert found["not_comparable"] == ["the corpus is no published one"]
    assert '"comparable": true' in corpus("small", {"label": label})["not_comparable"][0]


def test_a_part_of_a_published_set_compares_with_nothing_published():
    found = corpus("small", {"label": "V", "comparable": True}, ["a limit"])
    assert (found["corpus"], found["not_comparable"]) == ("V", ["a limit"])


def test_what_the_corpus_says_is_found_beside_its_audio(tmp_path):
    root, data = tmp_path / "root", tmp_path / "data"
    write_json(data / "corpus.json", {"root": str(root), "label": "mine"})
    assert described(data) == {"root": str(root), "label": "mine"}
    write_json(root / "corpus.json", {"label": "theirs", "comparable": True})
    assert described(data) == {"root": str(root), "label": "mine", "comparable": True}


def test_what_the_corpus_says_is_found_where_its_root_is_named_from_the_data(tmp_path):
    """As in a recipe, whose folders can be moved: data/mini names ../../downloads/mini."""
    data, root = tmp_path / "data" / "mini", tmp_path / "downloads" / "mini"
    write_json(root / "corpus.json", {"comparable": True})
    write_json(data / "corpus.json", {"root": "../../downloads/mini", "label": "mine"})
    assert described(data)["comparable"] is True


def test_lists_that_are_missing_make_numbers_comparable_with_none(tmp_path):
    root, data = tmp_path / "root", tmp_path / "data"
    write_json(data / "corpus.json", {"root": str(root), "label": "LJ"})
    write_json(root / "corpus.json", {"label": "LJ", "comparable": ["test.txt", "valid.txt"]})
    (root / "valid.txt").write_text("a\n")
    (reason,) = corpus("official", described(data))["not_comparable"]
    assert "published lists" in reason
    assert "(test.txt)" in reason
    (root / "test.txt").write_text("b\n")
    found = corpus("official", described(data))
    assert (found["corpus"], found["not_comparable"]) == ("LJ", [])


def test_rejected_rows_and_a_limit_make_a_subset(tmp_path):
    assert subset(tmp_path, "test", 10) == []
    problems = [Problem("silent", name, "test", "x.wav", "") for name in ("a", "b", "b")]
    problems.append(Problem("silent", "c", "train", "x.wav", ""))
    (tmp_path / "problems.jsonl").write_bytes(b"".join(map(problem.encode, problems)))
    assert subset(tmp_path, "test", 10) == ["2 of 12 rows were rejected"]
    for limit, said in ((0, False), (12, True), (13, False)):
        (tmp_path / ".stage.json").write_text(json.dumps({"keys": {"limit": limit}}))
        assert ("only the first 12 rows" in " ".join(subset(tmp_path, "test", 10))) == said


def test_speakers_are_counted_where_every_row_names_one():
    assert speakers([{"speaker": "a"}, {"speaker": "b"}, {"speaker": "a"}]) == 2
    assert speakers([{"speaker": "a"}, {}]) is None


def test_the_scope_names_the_speakers_and_what_was_not_tried():
    text = scope({"speakers": 2})
    assert "these 2 speakers and one training run" in text
    assert "not over other speakers, noises or runs" in text


def test_a_speed_names_machine_threads_and_precision():
    decode = {"hardware": "2 cores", "threads": 1, "precision": "fp32", "rtf": 0.1}
    found = made_by(decode)
    assert (found["hardware"], found["rtf"]) == ("2 cores, 1 thread, fp32", 0.1)
    assert made_by({"hardware": "a GPU"})["hardware"] == "a GPU"


def test_what_nobody_recorded_is_null():
    found = made_by({})
    train = found.pop("train")
    assert set(found) == {
        *("calls", "solver", "grid", "rtf", "seed", "config_sha256", "hardware", "device"),
        *("checkpoint", "checkpoint_sha256", "threads", "precision", "decode_commit"),
    }
    assert set(train) == {"steps", "hours", "params", "seed", "config_sha256"}
    assert {*found.values(), *train.values()} == {None}


def test_training_is_known_where_its_configuration_is(tmp_path):
    assert trained_by(tmp_path) == {}
    path = tmp_path / "config.yaml"
    path.write_text("audio: {rate: 8000}\ntrain: {seed: 7}\n")
    assert trained_by(tmp_path) == {"seed": 7, "config_sha256": digest(path)}


def test_wavs_from_elsewhere_are_not_this_experiments_training(tmp_path):
    (tmp_path / "config.yaml").write_text("train: {seed: 7}\n")
    assert made(tmp_path / "wavs", tmp_path)["train"]["seed"] is None
    write_json(tmp_path / "wavs" / "decode.json", {"calls": 2})
    write_json(tmp_path / "wavs" / ".stage.json", {"commit": "0de"})
    found = made(tmp_path / "wavs", tmp_path)
    assert (found["train"]["seed"], found["calls"], found["decode_commit"]) == (7, 2, "0de")


def test_the_vocoder_is_told_of_what_reads_a_text():
    parts = {"text": {"rtf": 0.1, "share": 1.0}}
    found = made_by({"vocoder": "exp/vocoder", "parts": parts})
    assert (found["vocoder"], found["parts"]) == ("exp/vocoder", parts)
    assert "vocoder" not in made_by({"vocoder": "Griffin-Lim"})


def test_a_temperature_is_told_where_there_is_one():
    assert made_by({"temperature": 0.0})["temperature"] == 0
    assert "temperature" not in made_by({})
