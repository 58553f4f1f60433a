import numpy as np
import pytest

from diffaudio.data import apart, manifest, problem, validate
from diffaudio.data.audio import AudioSpec
from diffaudio.data.problem import MENDS

SPEC = AudioSpec(rate=8000, target="clean")
GOOD = {"id": "a", "split": "train", "audio": {"clean": "a.wav"}}


def row(name="a", split="train", **more):
    return {"id": name, "split": split, "audio": {"clean": f"{name}.wav"}, **more}


@pytest.mark.parametrize(
    "name", ['a "b".wav', "$(c).wav", "new\nline.wav", "🎵.wav", "-x.wav", "d/e.f/g.wav", "a..b"]
)
def test_any_file_name_below_the_corpus_is_allowed(name):
    assert validate.check_row({**GOOD, "audio": {"clean": name}}, SPEC) == []


@pytest.mark.parametrize(
    ("bad", "reason", "detail"),
    [
        (["a"], "bad row", "a list, not a dictionary"),
        ({**GOOD, "id": 7}, "bad row", "id is 7, not a str"),
        ({"id": "a", "audio": {}}, "bad row", "split is None"),
        ({**GOOD, "split": "dev/1"}, "bad row", "split is 'dev/1': ASCII letters"),
        (
            {**GOOD, "audio": {"noisy": "a.wav"}},
            "bad row",
            "audio.target: clean; the row has noisy",
        ),
        ({**GOOD, "audio": {}}, "bad row", "audio.target: clean; the row has none"),
        ({**GOOD, "audio": {"clean": None}}, "bad row", "audio['clean'] is None, not a str"),
        ({**GOOD, "audio": {"clean": 3}}, "bad row", "audio['clean'] is 3"),
        ({**GOOD, "gain": np.float32(1)}, "bad row", "cannot be written as JSON"),
        ({**GOOD, "gain": float("nan")}, "bad row", "cannot be written as JSON"),
        ({**GOOD, "id": "p226.v2"}, "bad id", "'p226_v2' would do"),
        ({**GOOD, "id": "señor 1"}, "bad id", "'senor_1' would do"),
        ({**GOOD, "id": "🎵"}, "bad id", "'item_1' would do"),
        ({**GOOD, "id": ""}, "bad id", "'item_1' would do"),
        ({**GOOD, "id": "x" * 201}, "bad id", "x" * 200),
        (
            {**GOOD, "audio": {"clean": "/etc/a.wav"}},
            "bad path",
            "paths are relative to the corpus",
        ),
        ({**GOOD, "audio": {"clean": "x/../../a.wav"}}, "bad path", "not below"),
        ({**GOOD, "audio": {"clean": ""}}, "bad path", "not below"),
        ({**GOOD, "audio": {"clean": "a\0b"}}, "bad path", "not below"),
        ({**GOOD, "audio": {"clean": "caf\udce9.wav"}}, "bad path", "not UTF-8"),
        ({**GOOD, "start": -1}, "bad times", "start -1"),
        ({**GOOD, "start": 2.0, "end": 2.0}, "bad times", "end 2.0"),
        ({**GOOD, "end": "2"}, "bad times", "not numbers"),
        ({**GOOD, "text": "\ufeffhello"}, "bad text", "byte order mark at character 0"),
        ({**GOOD, "text": "he\x07llo"}, "bad text", "control character '\\x07' at character 2"),
        ({**GOOD, "text": "hello\r"}, "bad text", "control character"),
        ({**GOOD, "text": "caf\udce9"}, "bad text", "not UTF-8: b'caf\\xe9'"),
        ({**GOOD, "text": "caf\ufffd"}, "bad text", "replacement character at character 3"),
        ({**GOOD, "text": b"caf\xe9"}, "bad text", "bytes"),
        ({**GOOD, "text": ["fine", "not\tfine"]}, "bad text", "control character"),
        ({**GOOD, "text": ""}, "bad text", "text: empty"),
        ({**GOOD, "speaker": "a\nb"}, "bad text", "speaker: a control character"),
    ],
)
def test_a_bad_row_is_named(bad, reason, detail):
    [found] = validate.check_row(bad, SPEC)
    assert found.reason == reason
    assert detail in found.detail
    assert found.mend == MENDS[reason]


def test_every_problem_of_a_row_is_named():
    bad = {**GOOD, "id": "a.b", "audio": {"clean": "/a"}, "start": -1, "text": "\x00"}
    found = {problem.reason for problem in validate.check_row(bad, SPEC)}
    assert found == {"bad id", "bad path", "bad times", "bad text"}


def test_rows_go_to_slices_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(validate, "SLICE", 3)
    names = [f"n{number}" for number in range(7)]
    rows = [row(name) for name in names]
    rows[4]["id"] = "bad.id"
    collected = validate.collect(iter(rows), tmp_path, SPEC)
    assert (collected.seen, len(collected.slices)) == ({"train": 7}, 3)
    assert [found.id for found in problem.read(tmp_path / validate.PROBLEMS)] == ["bad.id"]
    kept = [item["id"] for path in collected.slices for item in manifest.read(path)]
    assert kept == [name for name in names if name != "n4"]


def test_an_id_that_comes_again_is_found_in_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(validate, "SLICE", 4)
    names = ["a", "b", "c", "a", "d", "b", "a"]
    splits = ["train"] * 5 + ["test", "train"]
    rows = [row(name, split) for name, split in zip(names, splits, strict=True)]
    collected = validate.collect(rows, tmp_path, SPEC)
    found = {
        (path.name, line): problem
        for path, lines in validate.repeats(collected).items()
        for line, problem in lines.items()
    }
    assert {place: problem.reason for place, problem in found.items()} == {
        ("000000.jsonl", 3): "duplicate id",
        ("000001.jsonl", 1): "split overlap",
        ("000001.jsonl", 2): "duplicate id",
    }
    assert found["000001.jsonl", 1].detail == "the id b is that of an earlier row in train"


def test_no_id_twice_means_no_problem(tmp_path):
    assert validate.repeats(validate.collect([row("a"), row("b")], tmp_path, SPEC)) == {}
    assert validate.repeats(validate.collect([], tmp_path, SPEC)) == {}


def test_a_speaker_that_a_split_shares_is_named(tmp_path):
    speakers = [
        ("a", "train", "p1"),
        ("b", "valid", "p1"),
        ("c", "test", "p2"),
        ("d", "test", "p1"),
    ]
    rows = [row(name, split, speaker=speaker) for name, split, speaker in speakers]
    collected = validate.collect(rows, tmp_path, SPEC, fields=["speaker"])
    [problem] = apart.overlaps(collected, {"test": ["speaker"]})
    assert (problem.reason, problem.split) == ("split overlap", "test")
    assert problem.detail == "speaker p1 is also in train, valid"
    assert list(apart.overlaps(collected, {"other": ["speaker"]})) == []
