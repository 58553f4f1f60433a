from __future__ import annotations

import json
import logging
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from diffaudio import provenance
from diffaudio.data import audio
from diffaudio.files import digest, read_json, write_json
from diffaudio.log import Refusal
from diffaudio.metrics import METRICS
from diffaudio.score import Request, ScoreSpec, publish, score, shown, summarise
from diffaudio.score import measure as measure_module

SPEC = ScoreSpec(metrics=["SI-SDR"], worst=1, resamples=200)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Run tasks in this process and keep the log within reach of the tests."""
    monkeypatch.setattr(
        measure_module, "run_tasks", lambda tasks, **_: [t.function(**t.arguments) for t in tasks]
    )
    monkeypatch.setattr(logging.getLogger("diffaudio"), "propagate", True)


@pytest.fixture
def request_(corpus, wavs, tmp_path):
    about = {"calls": 2.0, "solver": "DDIM(eta=0.0)", "rtf": 0.05, "seed": 3, "hardware": "a box"}
    about |= {"train_steps": 800, "train_hours": 0.1, "params": 1000, "config_sha256": "cc"}
    write_json(wavs / "decode.json", about)
    exp = tmp_path / "exp" / "demo"
    exp.mkdir(parents=True)
    rows = [{"step": n, "loss": 1 / n, "lr": 1e-3, "seconds": 1} for n in range(1, 9)]
    rows.append({"step": 8, "valid": {"SI-SDR": 9.0}})
    (exp / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Request(
        data=corpus,
        split="test",
        wavs=wavs,
        exp=exp,
        out=exp / "score" / "default" / "test",
        system="demo <1>",
        recipe="voicebank",
    )


def run(request_, spec, settings=SPEC, *, inputs=None, force=False, keys=None):
    score(
        request_,
        spec,
        settings,
        keys=keys or {"score.resamples": settings.resamples},
        inputs=inputs or {"wavs": "0"},
        nj=1,
        force=force,
    )


def test_the_result_file_is_as_published(request_, spec):
    run(request_, spec)
    found = read_json(request_.out / "summary.json")
    assert set(found) == {
        *("recipe", "corpus", "label", "system", "calls", "solver", "rtf", "n", "seed", "commit"),
        *("config_sha256", "protocol_sha256", "hardware", "train", "metrics"),
    }
    assert found["train"] == {"steps": 800, "hours": 0.1, "params": 1000}
    assert (found["n"], found["calls"], found["seed"]) == (4, 2.0, 3)
    assert found["metrics"]["SI-SDR"]["versus"]["noisy"]["mean_difference"] == pytest.approx(
        20, abs=0.3
    )
    baseline = read_json(request_.out / "baseline.json")
    assert (baseline["system"], baseline["calls"], baseline["solver"]) == ("noisy", 0, None)
    assert baseline["metrics"]["SI-SDR"]["mean"] == pytest.approx(0, abs=0.5)


def test_the_table_has_every_utterance_with_both_values(request_, spec):
    run(request_, spec)
    lines = [json.loads(line) for line in (request_.out / "scores.jsonl").open()]
    assert [line["id"] for line in lines] == [f"p1_{n:03d}" for n in range(4)]
    for line in lines:
        assert line["scores"]["SI-SDR"] > line["noisy"]["scores"]["SI-SDR"] + 15


def test_an_official_corpus_has_no_label_and_its_own_name(request_, spec):
    about = read_json(request_.data / "corpus.json")
    write_json(request_.data / "corpus.json", {**about, "label": "VoiceBank-DEMAND"})
    run(request_, spec)
    found = read_json(request_.out / "summary.json")
    assert found["corpus"] == "VoiceBank-DEMAND"
    assert "label" not in found


def test_the_second_run_is_up_to_date_and_a_changed_key_is_named(request_, spec, caplog):
    caplog.set_level(logging.INFO, logger="diffaudio")
    run(request_, spec)
    before = digest(request_.out / "report.html")
    caplog.clear()
    run(request_, spec)
    assert "up to date" in caplog.text
    assert digest(request_.out / "report.html") == before
    caplog.clear()
    run(request_, spec, ScoreSpec(metrics=["SI-SDR"], worst=1, resamples=300))
    assert "score.resamples: 200 -> 300" in caplog.text
    assert "scored before" in caplog.text  # what is given does not depend on it
    caplog.clear()
    run(request_, spec, inputs={"wavs": "1"})
    assert "input wavs changed" in caplog.text


def test_a_failed_run_leaves_no_result_behind(request_, spec):
    run(request_, spec)
    audio.save(request_.wavs / "p1_002.wav", np.zeros(5), spec.rate)
    with pytest.raises(Refusal, match="p1_002"):
        run(request_, spec, inputs={"wavs": "1"})
    assert not (request_.out / "summary.json").exists()
    assert provenance.fingerprint(request_.out) == ""


def test_nothing_to_measure_with_is_refused(request_, spec, monkeypatch):
    monkeypatch.setattr(type(METRICS["SI-SDR"]), "missing", lambda self: ["nothing"])
    with pytest.raises(Refusal, match="no metric can be computed"):
        run(request_, spec)


def test_a_model_without_input_has_no_baseline(request_, spec):
    from dataclasses import replace

    run(request_, replace(spec, given=None))
    assert not (request_.out / "baseline.json").exists()
    assert not (request_.data / "score_given").exists()
    text = shown(request_.out)
    assert "SI-SDR" in text
    assert "Compared" not in text


class Page(HTMLParser):
    """Collects tags, attributes that fetch something, and whether tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.fetched, self.names = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.fetched += [v for k, v in attrs if k in ("src", "href")]
        if tag not in {"meta", "img", "br", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_report_is_one_whole_file_without_a_network(request_, spec):
    run(request_, spec)
    text = (request_.out / "report.html").read_text()
    page = Page(text)
    assert page.open == []
    assert all(value.startswith(("data:", "#")) for value in page.fetched)
    assert "link" not in page.names
    assert not re.findall(r"url\(|@import|https?://", text)
    assert text.count('<article class="utterance"') == 2  # one worst, one median
    assert page.names.count("audio") == 6
    assert "training loss" in text
    assert "validation: SI-SDR" in text


def test_the_report_escapes_names_and_labels(request_, spec):
    run(request_, spec)
    text = (request_.out / "report.html").read_text()
    assert "<h1>demo &lt;1&gt;</h1>" in text
    assert "mini &lt;made&gt; | up" in text
    assert "<made>" not in text


def test_all_scores_of_an_experiment_are_in_its_results(request_, spec):
    from dataclasses import replace

    run(request_, spec)
    other = replace(request_, out=request_.exp / "score" / "calls8" / "test", system="demo calls8")
    run(other, spec)
    page = summarise(request_.exp).read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert [row.split(" | ")[0] for row in rows[2:]] == [
        "| noisy",
        "| demo &lt;1>",
        "| demo calls8",
    ]
    assert page.count("## voicebank: mini, test") == 1


def test_publishing_copies_results_protocol_and_writes_the_page(request_, spec, tmp_path):
    run(request_, spec)
    recipe = tmp_path / "recipe"
    page = publish(request_.out, recipe).read_text()
    names = sorted(path.name for path in (recipe / "results").glob("*.json"))
    assert names == ["mini_demo-1.json", "mini_noisy.json"]
    found = read_json(recipe / "results" / "mini_demo-1.json")
    assert found == read_json(request_.out / "summary.json")
    sha = found["protocol_sha256"]
    assert (recipe / "results" / "protocols" / f"{sha[:16]}.json").is_file()
    assert f"Protocol {sha[:12]}" in page
    assert "not comparable with published ones" in page
    assert publish(request_.out, recipe).read_text() == page  # nothing moves the second time


def test_the_terminal_shows_system_and_baseline(request_, spec):
    run(request_, spec)
    text = shown(request_.out)
    assert "demo <1> on mini: 4 utterances, 2 network calls, real-time factor 0.05" in text
    assert "Compared with the noisy input: better in SI-SDR." in text
