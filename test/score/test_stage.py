from __future__ import annotations

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from diffaudio import provenance
from diffaudio.data import audio
from diffaudio.files import digest, read_json, write_json
from diffaudio.log import Refusal
from diffaudio.metrics import METRICS
from diffaudio.score import ScoreSpec, shown, summarise
from diffaudio.score import spec as spec_module


def test_the_result_file_is_as_published(run, request_, spec):
    run()
    found = read_json(request_.out / "summary.json")
    assert set(found) == {
        *("recipe", "corpus", "label", "system", "calls", "solver", "rtf", "n", "seed", "commit"),
        *("config_sha256", "protocol_sha256", "hardware", "train", "metrics"),
        *("format", "role", "given", "speakers", "not_comparable", "decode_commit", "checkpoint"),
        *("checkpoint_sha256", "grid", "device", "threads", "precision"),
    }
    config = digest(request_.exp / "config.yaml")
    assert found["train"] == {
        **{"steps": 800, "hours": 0.1, "params": 1000},
        **{"seed": 5, "config_sha256": config},
    }
    assert (found["grid"], found["device"], found["threads"]) == ("UniformGrid()", "cpu", 2)
    assert (found["checkpoint_sha256"], found["role"]) == ("1a2b3c4d5e", "system")
    assert (found["n"], found["calls"], found["seed"]) == (4, 2.0, 3)
    assert found["hardware"] == "a box, 2 threads, fp32"
    assert found["metrics"]["SI-SDR"]["versus"]["noisy"]["mean_difference"] == pytest.approx(
        20, abs=0.3
    )
    baseline = read_json(request_.out / "baseline.json")
    assert (baseline["system"], baseline["calls"], baseline["solver"]) == ("noisy", 0, None)
    assert baseline["metrics"]["SI-SDR"]["mean"] == pytest.approx(0, abs=0.5)


def test_the_table_has_every_utterance_with_both_values(run, request_, spec):
    run()
    lines = [json.loads(line) for line in (request_.out / "scores.jsonl").open()]
    assert [line["id"] for line in lines] == [f"p1_{n:03d}" for n in range(4)]
    for line in lines:
        assert line["scores"]["SI-SDR"] > line["noisy"]["scores"]["SI-SDR"] + 15


def test_an_official_corpus_has_no_label_and_its_own_name(run, request_, spec):
    about = read_json(request_.data / "corpus.json")
    official = {**about, "label": "VoiceBank-DEMAND", "comparable": True}
    write_json(request_.data / "corpus.json", official)
    run()
    found = read_json(request_.out / "summary.json")
    assert found["corpus"] == "VoiceBank-DEMAND"
    assert "label" not in found
    assert "not comparable" not in shown(request_.out)


def test_a_limited_official_corpus_is_not_comparable(run, request_, spec):
    about = read_json(request_.data / "corpus.json")
    write_json(request_.data / "corpus.json", {**about, "label": "V", "comparable": True})
    write_json(request_.data / ".stage.json", {"keys": {"limit": 4}})
    run()
    assert "published ones: only the first 4 rows were taken (--limit)" in shown(request_.out)


def test_a_model_of_silence_has_failed_and_is_not_better(run, request_, spec):
    for path in request_.wavs.glob("*.wav"):
        audio.save(path, np.zeros(spec.rate // 2), spec.rate)
    run()
    entry = read_json(request_.out / "summary.json")["metrics"]["SI-SDR"]
    assert (entry["mean"], entry["n"], entry["failed"]) == (None, 0, 4)
    assert entry["versus"]["noisy"]["verdict"] is None
    text, page = shown(request_.out), (request_.out / "report.html").read_text()
    for told in (text, page, summarise(request_.exp).read_text()):
        assert "4 of 4 failed" in told
        assert "better in" not in told.replace("</b>", "")
        assert "* better" not in told
    assert "SI-SDR failed for 4 of 4 utterances (the estimate is silent): p1_000" in text
    assert "SI-SDR failed for 4 of 4" in page


def test_speakers_are_counted(run, request_, spec):
    path = request_.data / "test.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    named = ({**row, "speaker": f"s{number % 2}"} for number, row in enumerate(lines))
    path.write_text("".join(json.dumps(row) + "\n" for row in named))
    run()
    assert read_json(request_.out / "summary.json")["speakers"] == 2
    assert read_json(request_.out / "protocol.json")["test_set"]["speakers"] == 2
    text = "over utterances of these 2 speakers and one training run"
    assert text in shown(request_.out)
    assert text in (request_.out / "report.html").read_text()


@pytest.mark.parametrize("what", ["version", "metric", "force"])
def test_what_is_given_is_scored_again_when_it_would_score_otherwise(
    run, request_, spec, caplog, monkeypatch, what
):
    caplog.set_level(logging.INFO, logger="diffaudio")
    run()
    other = replace(request_, out=request_.exp / "score" / "b" / "test")
    run(other)
    assert "scored before" in caplog.text  # the same again, for another system
    caplog.clear()
    if what == "version":
        monkeypatch.setattr(spec_module, "VERSION", 99)
    if what == "metric":
        monkeypatch.setitem(METRICS, "SI-SDR", replace(METRICS["SI-SDR"], version=9))
    run(replace(request_, out=request_.exp / "score" / "c" / "test"), force=what == "force")
    assert "scored before" not in caplog.text


def test_the_second_run_is_up_to_date_and_a_changed_key_is_named(run, request_, spec, caplog):
    caplog.set_level(logging.INFO, logger="diffaudio")
    run()
    before = digest(request_.out / "report.html")
    caplog.clear()
    run()
    assert "up to date" in caplog.text
    assert digest(request_.out / "report.html") == before
    caplog.clear()
    run(settings=ScoreSpec(metrics=["SI-SDR"], worst=1, resamples=300))
    assert "score.resamples: 200 -> 300" in caplog.text
    assert "scored before" in caplog.text  # what is given does not depend on it
    caplog.clear()
    run(inputs={"wavs": "1"})
    assert "input wavs changed" in caplog.text


def test_other_audio_under_the_same_names_is_another_test_set(
    run, request_, spec, caplog, tmp_path
):
    caplog.set_level(logging.INFO, logger="diffaudio")
    run()
    first = read_json(request_.out / "summary.json")
    path = tmp_path / "root" / "noisy" / "p1_000.wav"
    audio.save(path, 0.5 * audio.load(path)[0] + np.float32(0.01), spec.rate)
    run()
    assert "input audio of " in caplog.text
    assert "scored before" not in caplog.text
    second = read_json(request_.out / "summary.json")
    assert second["protocol_sha256"] != first["protocol_sha256"]


def test_a_failed_run_leaves_no_result_behind(run, request_, spec):
    run()
    audio.save(request_.wavs / "p1_002.wav", np.zeros(5), spec.rate)
    with pytest.raises(Refusal, match="p1_002"):
        run(inputs={"wavs": "1"})
    assert not (request_.out / "summary.json").exists()
    assert provenance.fingerprint(request_.out) == ""


def test_nothing_to_measure_with_is_refused(run, request_, spec, monkeypatch):
    monkeypatch.setattr(type(METRICS["SI-SDR"]), "missing", lambda self: ["nothing"])
    with pytest.raises(Refusal, match="no metric can be computed"):
        run()


def test_a_model_without_input_has_no_baseline(run, request_, spec):
    run(audio=replace(spec, given=None))
    assert not (request_.out / "baseline.json").exists()
    assert not (request_.data / "score_given").exists()
    text = shown(request_.out)
    assert "SI-SDR" in text
    assert "Compared" not in text
