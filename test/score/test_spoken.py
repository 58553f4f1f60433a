"""Text to speech end to end: estimates with lengths of their own, a row of recordings, a rival."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from diffaudio.data import audio, manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.files import read_json, write_json
from diffaudio.log import Refusal
from diffaudio.metrics import METRICS, Recogniser
from diffaudio.score import Request, ScoreSpec, score, shown, summarise
from diffaudio.score.others import RECORDINGS
from diffaudio.score.publish import publish

RATE = 16000
AUDIO = AudioSpec(rate=RATE, target="speech")
SPEC = ScoreSpec(metrics=["WER", "CER", "Duration"], text="text", worst=1, resamples=200)
IDS = [f"a{number}" for number in range(4)]


@pytest.fixture(autouse=True)
def parrot(here, monkeypatch):
    """Hear a word for every tenth of a second, of which none is missing nor wrong."""
    pytest.importorskip("whisper_normalizer")
    for name in ("WER", "CER"):
        monkeypatch.setitem(METRICS, name, replace(METRICS[name], packages=()))
    said = ["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op"]
    monkeypatch.setattr(
        Recogniser, "heard", lambda self, x: " ".join(said[: round(10 * len(x) / RATE)])
    )


def tone(tenths):
    return 0.1 * np.sin(np.arange(tenths * RATE // 10) / 3)


@pytest.fixture
def asked(tmp_path):
    """Return a request: texts of two to five words, whose estimates lack the last word."""
    words, rows = ["ab", "cd", "ef", "gh", "ij"], []
    for number, name in enumerate(IDS):
        audio.save(tmp_path / "root" / f"{name}.wav", tone(number + 2), RATE)
        audio.save(tmp_path / "wavs" / f"{name}.wav", tone(number + 1), RATE)
        text = " ".join(words[: number + 2]).title() + "."
        rows.append({"id": name, "audio": {"speech": f"{name}.wav"}, "text": text})
    data, exp = tmp_path / "data" / "mini", tmp_path / "exp" / "voice"
    manifest.write(data / "test.jsonl", rows)
    write_json(data / "corpus.json", {"root": str(tmp_path / "root")})
    exp.mkdir(parents=True)
    out = exp / "score" / "default" / "test"
    return Request(data, "test", tmp_path / "wavs", exp, out, "voice", "ljspeech")


def run(asked, spec=SPEC, sounds=AUDIO):
    keys = {"score.metrics": spec.metrics}
    score(asked, sounds, spec, keys=keys, inputs={str(asked.wavs): "0"}, nj=1, force=False)
    return read_json(asked.out / "summary.json")


def test_errors_of_a_set_are_divided_by_its_words(asked):
    found = run(asked)["metrics"]
    assert found["WER"]["mean"] == pytest.approx(100 * 4 / (2 + 3 + 4 + 5))
    assert found["WER"]["weight"] == 14
    assert found["CER"]["mean"] == pytest.approx(100 * 4 * 3 / (5 + 8 + 11 + 14))
    assert found["Duration"]["mean"] == pytest.approx(
        np.mean([1 / 2, 2 / 3, 3 / 4, 4 / 5]), abs=0.02
    )
    assert "weight" not in found["Duration"]


def test_recordings_are_a_row_that_is_measured_once(asked, monkeypatch):
    found = run(asked)
    row = read_json(asked.out / "baseline_recordings.json")
    assert (row["role"], row["system"], set(row["metrics"])) == ("real", RECORDINGS, {"WER", "CER"})
    assert row["metrics"]["WER"]["mean"] == 0.0
    compared = found["metrics"]["WER"]["versus"][RECORDINGS]
    assert compared["mean_difference"] == pytest.approx(100 * 4 / 14)
    assert compared["withheld"] == "4 utterances are too few for a verdict, it takes 20"
    assert "versus" not in found["metrics"]["Duration"]
    listened = []
    monkeypatch.setattr(Recogniser, "heard", lambda self, x: listened.append(len(x)) or "")
    other = replace(asked, out=asked.exp / "score" / "b" / "test", system="mute")
    more = replace(SPEC, metrics=[*SPEC.metrics, "MCD"])  # what compares with them changes nothing
    assert run(other, more)["metrics"]["WER"]["mean"] == 100.0
    estimates = [len(tone(n + 1)) for n in range(4)]
    assert listened == [length for length in estimates for _ in range(2)]


def test_what_was_heard_is_kept_and_shown(asked):
    run(asked)
    lines = [json.loads(line) for line in (asked.out / "scores.jsonl").open()]
    assert [line["heard"] for line in lines] == ["ab", "ab cd", "ab cd ef", "ab cd ef gh"]
    assert lines[0]["weights"] == {"WER": 2, "CER": 5}
    assert lines[0][RECORDINGS]["heard"] == "ab cd"
    page = (asked.out / "report.html").read_text()
    assert page.count("<audio") == 4  # worst and median, recording and synthesis
    for words in (
        "should be</span> Ab Cd.",
        "heard in voice</span> ab<",
        "recordings</span> ab cd<",
    ):
        assert words in page
    text = shown(asked.out)
    assert "WER, CER are of the whole set" in text
    assert "Duration" in text
    summary = summarise(asked.exp).read_text()
    assert "| recordings |" in summary
    assert "than recordings: +28.6" in summary


def test_the_report_shows_mels_and_when_each_word_was_said(asked):
    """Whoever reads a text writes durations beside the wavs; what is broken there is refused."""
    parts = {"text": {"rtf": 0.1, "share": 0.2}}
    write_json(asked.wavs / "decode.json", {"rtf": 0.5, "vocoder": "Griffin-Lim", "parts": parts})
    rows = [
        {"id": name, "said": "ab cd", "symbols": list("ab cd"), "frames": [1, 2, 1, 3, 3]}
        for name in IDS
    ]
    path = asked.wavs / "durations.jsonl"
    path.write_text("".join(json.dumps({**row, "hop": 160, "rate": RATE}) + "\n" for row in rows))
    assert run(asked)["parts"] == parts
    page = (asked.out / "report.html").read_text()
    assert page.count("Mel spectrogram") == 4
    assert page.count('<div class="symbols">') == 2  # of the synthesis
    assert page.count("<title>a, 0.00 s") == 2
    assert "Pointing at a block names its symbol." in page
    assert "text 0.1 (20 %)" in page
    assert "<dd>Griffin-Lim</dd>" in page
    assert "| Griffin-Lim |" in summarise(asked.exp).read_text()
    path.write_text("{}\n")
    with pytest.raises(Refusal, match="line 1"):
        run(replace(asked, out=asked.exp / "score" / "b" / "test"))


def test_a_published_row_of_recordings_is_no_system(asked, tmp_path):
    run(asked)
    publish(asked.out, tmp_path / "recipe")
    names = sorted(path.name for path in (tmp_path / "recipe" / "results").glob("*.json"))
    assert [name.rpartition("_")[0] for name in names] == [
        "mini_test_recordings_real",
        "mini_test_voice",
    ]


def test_copy_synthesis_is_a_rival(asked, tmp_path):
    copies = replace(
        asked, wavs=tmp_path / "root", out=asked.exp / "score" / "copy" / "test", system="copies"
    )
    run(copies)
    found = run(replace(asked, versus=copies.out))
    compared = found["metrics"]["WER"]["versus"]["copies"]
    assert compared["mean_difference"] == pytest.approx(100 * 4 / 14)
    assert "heard in copies</span> ab cd<" in (asked.out / "report.html").read_text()
    assert found["metrics"]["Duration"]["versus"]["copies"]["verdict"] is None
    with pytest.raises(Refusal, match="--system recordings: what it is compared with is called so"):
        run(replace(copies, system=RECORDINGS))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"text": None}, "WER, CER, Duration: of what should be said"),
        ({"metrics": ["PESQ", "WER"]}, "PESQ: sample by sample"),
        ({"recogniser": "no/such/folder"}, r"no model\.bin"),
        ({"text": "raw"}, r"a0: no text in the field 'raw'"),
    ],
)
def test_what_does_not_fit_is_refused(asked, change, word):
    with pytest.raises(Refusal, match=word):
        run(asked, replace(SPEC, **change))


def test_the_protocol_says_who_listened_to_what(asked):
    run(asked)
    found = read_json(asked.out / "protocol.json")
    assert (found["text"], found["recogniser"]["model"]) == ("text", "tiny.en")
    assert found["lengths"].startswith("estimate and recording each")


def test_another_number_of_channels_is_refused(asked):
    audio.save(asked.wavs / "a0.wav", np.stack([tone(2)] * 2, axis=1), RATE)
    with pytest.raises(Refusal, match="in 2 channels"):
        run(asked)
