from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diffaudio.data import audio
from diffaudio.files import read_json
from diffaudio.log import Refusal
from diffaudio.score import scores, shown
from diffaudio.score.measure import Scored
from diffaudio.score.pairs import heard, scored_wavs


@pytest.fixture
def other(run, request_, tmp_path):
    """Score a second system, whose noise is half of what is given, and return its request."""
    folder = tmp_path / "half"
    for path in request_.wavs.glob("*.wav"):
        clean, rate = audio.load(tmp_path / "root" / "clean" / path.name)
        noisy, _ = audio.load(tmp_path / "root" / "noisy" / path.name)
        audio.save(folder / path.name, 0.5 * clean + 0.5 * noisy, rate)
    exp = tmp_path / "exp" / "other"
    asked = replace(
        request_, wavs=folder, exp=exp, out=exp / "score" / "default" / "test", system="other"
    )
    run(asked)
    return asked


def test_tables_survive_the_file(tmp_path):
    table = [Scored("ä", 1.0, {"A": 2.0}, {"B": "short"}, {"C": "silent"})]
    table.append(Scored("b", 1.0, {"WER": 50.0}, {}, {}, {"WER": 2.0}, "words"))
    (tmp_path / "scores.jsonl").write_text(scores.lines(table, {"noisy": table}))
    assert scores.read(tmp_path) == table
    first, second = map(json.loads, (tmp_path / "scores.jsonl").read_text().splitlines())
    assert set(first) == {"id", "seconds", "scores", "missing", "failed", "noisy"}
    assert second["noisy"]["weights"] == {"WER": 2.0}


def test_another_system_is_compared_beside_the_input(run, request_, other):
    run(replace(request_, versus=other.out))
    entry = read_json(request_.out / "summary.json")["metrics"]["SI-SDR"]
    assert set(entry["versus"]) == {"noisy", "other"}
    than = {name: entry["versus"][name]["mean_difference"] for name in entry["versus"]}
    assert than["noisy"] == pytest.approx(20, abs=0.5)
    assert than["other"] == pytest.approx(14, abs=0.5)  # a tenth and a half of the noise
    theirs = read_json(other.out / "summary.json")["metrics"]["SI-SDR"]["mean"]
    assert entry["versus"]["other"]["baseline"]["mean"] == pytest.approx(theirs)
    assert "Compared with other: no verdict (4 utterances are too few" in shown(request_.out)
    assert "Compared with other" in (request_.out / "report.html").read_text()


def test_another_system_is_heard_as_long_as_its_wavs_are_what_was_scored(
    run, request_, other, spec, caplog
):
    caplog.set_level("INFO", logger="diffaudio")
    run(other, inputs=heard(other.wavs))
    asked = replace(request_, versus=other.out)
    run(asked)
    page = (request_.out / "report.html").read_text()
    assert page.count("</kbd> other</figcaption>") == 2  # worst and median
    assert page.count("<audio") == 8  # given, other, system, reference of both
    assert page.index("</kbd> other</f") < page.index("</kbd> demo")
    first, second, *_ = sorted(other.wavs.glob("*.wav"))
    kept = first.read_bytes()
    for change in (
        lambda: audio.save(first, audio.load(second)[0], spec.rate),
        first.unlink,
        lambda: first.symlink_to("nowhere"),
    ):
        change()
        run(asked, force=True)
        page = (request_.out / "report.html").read_text()
        assert page.count("<audio") == 6
        assert "</kbd> other</figcaption>" not in page
        assert "not played in the report" in caplog.text
    first.unlink()
    first.write_bytes(kept)
    run(asked)
    assert (request_.out / "report.html").read_text().count("<audio") == 8


def test_wavs_of_a_score_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wavs, score = (Path("exp/demo") / place / "default/test" for place in ("decode", "score"))
    audio.save(wavs / "a.wav", np.zeros(80), 8000)
    inputs = {"data": "1", **heard(wavs)}
    monkeypatch.chdir("exp")
    folder, _ = scored_wavs(Path("demo/score/default/test"), inputs)
    assert folder == tmp_path / wavs
    monkeypatch.chdir(tmp_path)
    wavs.rename("elsewhere")
    assert scored_wavs(score, inputs) is None
    assert scored_wavs(score, heard(Path("elsewhere")))[0] == Path("elsewhere")


def test_a_rival_that_was_scored_otherwise_is_refused(run, request_, other):
    with pytest.raises(Refusal, match=r"another protocol \(.*channels"):
        scores.rival(other.out, {**read_json(other.out / "protocol.json"), "channels": 2})
    (request_.data / "test.jsonl").write_text(
        "".join((request_.data / "test.jsonl").read_text().splitlines(keepends=True)[:3])
    )
    (request_.wavs / "p1_003.wav").unlink()
    with pytest.raises(Refusal, match="stale"):
        run(replace(request_, versus=other.out))


def test_a_rival_that_is_not_there_or_has_our_name_is_refused(run, request_, other, tmp_path):
    with pytest.raises(Refusal, match="score has not been run"):
        run(replace(request_, versus=tmp_path / "nowhere"))
    with pytest.raises(Refusal, match="called 'other'"):
        run(replace(request_, versus=other.out, system="other"))


def test_a_rival_scored_anew_makes_the_comparison_stale(run, request_, other, spec):
    asked = replace(request_, versus=other.out)
    run(asked)
    before = read_json(request_.out / "summary.json")["metrics"]["SI-SDR"]["versus"]["other"]
    first, second, *_ = sorted(other.wavs.glob("*.wav"))
    audio.save(first, audio.load(second)[0], spec.rate)
    run(other, inputs={"wavs": "1"})
    run(asked)
    after = read_json(request_.out / "summary.json")["metrics"]["SI-SDR"]["versus"]["other"]
    assert after["baseline"]["mean"] < before["baseline"]["mean"] - 1
