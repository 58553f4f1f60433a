"""The stage for generated sets, on tones: what it finds, writes, keeps and refuses."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from tones import AUDIO, RATE, Deaf, Tones, a_request, generate, settings

from diffaudio import provenance
from diffaudio.data import audio
from diffaudio.files import read_json
from diffaudio.log import Refusal
from diffaudio.score import publish, shown, summarise
from diffaudio.score.stage import score


@pytest.fixture
def asked(tmp_path):
    return a_request(tmp_path)


@pytest.fixture
def run(asked, monkeypatch):
    monkeypatch.setattr(logging.getLogger("diffaudio"), "propagate", True)

    def go(request=asked, spec=None, *, inputs=None, force=False):
        inputs = inputs or {"wavs": "0"}
        spec = spec or settings()
        score(request, AUDIO, spec, keys={}, inputs=inputs, nj=2, force=force)
        return read_json(request.out / "summary.json")

    return go


def test_a_result_has_the_published_form_and_every_metric(run, asked):
    found = run()
    protocol = read_json(asked.out / "protocol.json")
    assert set(found["metrics"]) == {
        *("accuracy (ear)", "accuracy (deaf)", "KAD (ear)", "KAD (deaf)", "FD (ear)"),
        *("IS (ear)", "mIS (ear)", "AM (ear)"),
    }
    assert {*found["metrics"]} == {*protocol["metrics"]}
    accuracy = found["metrics"]["accuracy (ear)"]
    assert accuracy["mean"] == pytest.approx(0.9)
    assert accuracy["ci95"][0] < 0.9 < accuracy["ci95"][1]
    assert (accuracy["n"], accuracy["failed"], accuracy["better"]) == (60, 0, "higher")
    assert found["metrics"]["accuracy (deaf)"]["mean"] == 0
    assert 1.5 < found["metrics"]["IS (ear)"]["mean"] < 2
    assert (found["n"], found["role"]) == (60, "system")
    assert found["reference"] == {"set": "test", "n": 30}
    assert (found["calls"], found["train"]["seed"], found["format"]) == (5, 5, 2)


def test_a_distance_is_small_from_its_own_distribution_and_large_from_another(run, asked):
    near = run()["metrics"]["KAD (ear)"]
    for path in asked.wavs.glob("*.wav"):
        time = np.arange(RATE // 4) / RATE
        audio.save(path, 0.2 * np.sin(2 * np.pi * 3500 * time), RATE)
    far = run(inputs={"wavs": "1"})["metrics"]["KAD (ear)"]
    assert near["ci95"][1] < 100 < far["ci95"][0]


def test_real_clips_stand_beside_with_their_parts_apart(run, asked):
    found = run()
    real, train = (read_json(asked.out / f"baseline_real_{s}.json") for s in ("test", "train"))
    assert {real["role"], train["role"]} == {"real"}
    assert "KAD (ear)" not in real["metrics"]  # it is what the others are held against
    accuracy = real["metrics"]["accuracy (ear)"]
    assert accuracy["mean"] == 1
    assert {name: part["n"] for name, part in accuracy["apart"].items()} == {
        "real": 10,
        "synthetic": 20,
    }
    assert train["n"] == 30  # as many as there are in the test set
    assert train["metrics"]["KAD (ear)"]["mean"] < 100
    assert {*found["metrics"]["KAD (ear)"]["apart"]} == {"real", "synthetic"}
    assert "apart" not in found["metrics"]["accuracy (ear)"]  # whose source nobody asked for
    assert {*found["metrics"]["FD (ear)"]["apart"]} == {"synthetic"}  # ten clips are too few


def test_a_frechet_distance_of_few_clips_is_withheld_and_said_so(run, asked):
    class Wide(Tones):
        name = "wide"

        def embed(self, clips, rate):
            said = super().embed(clips, rate)
            return replace(said, features=np.tile(said.features, (1, 3)))

    found = run(spec=settings(metrics=["accuracy", "FD"], embedders=[Wide()]))
    entry = found["metrics"]["FD (wide)"]
    assert (entry["mean"], entry["ci95"]) == (None, None)
    assert "60 generated and 30 real clips are too few for 6 features" in entry["withheld"]
    assert "FD (wide): Frechet distance: 60 generated" in shown(asked.out)
    assert "too few for 6 features" in (asked.out / "report.html").read_text()


def test_copies_of_training_clips_are_found(run, asked):
    shares = run()["neighbours"]["log-mel"]["nearer"]
    assert shares["real test"] < 0.1
    generate(asked.data, asked.wavs, copies=30)
    found = run(inputs={"wavs": "1"})["neighbours"]["log-mel"]
    assert found["nearer"]["real test"] >= 0.5
    assert found["distances"]["generated"]["5 %"] < 0.05
    assert {*found["distances"]} == {"generated", "real test", "real train"}
    lines = [json.loads(line) for line in (asked.out / "scores.jsonl").open()]
    assert [line["nearest"]["log-mel"]["id"] for line in lines[:3]] == [
        f"train{n:03d}" for n in range(3)
    ]


def test_every_clip_has_its_line(run, asked):
    run()
    lines = [json.loads(line) for line in (asked.out / "scores.jsonl").open()]
    assert [line["id"] for line in lines[:3]] == ["test000-000", "test000-001", "test001-000"]
    assert len(lines) == 60
    right = np.mean([line["heard"]["ear"] == line["label"] for line in lines])
    assert right == pytest.approx(0.9)
    assert {line["heard"]["deaf"] for line in lines} == {None}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.names = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        if tag not in {"meta", "img", "br", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_report_lets_one_hear_each_class_and_the_closest_pairs(run, asked):
    run()
    text = (asked.out / "report.html").read_text()
    page = Page(text)
    assert page.open == []
    assert page.names.count("audio") == 2 + 2 * 2 * 3  # classes; pairs by two measures, three each
    assert "The 3 closest pairs in log-mel" in text
    assert "<h1>demo &lt;1&gt;</h1>" in text
    assert "real test" in text
    assert "KAD (deaf)" in text


def test_tables_have_real_clips_in_them(run, asked, tmp_path):
    run()
    text = shown(asked.out)
    assert "demo <1> on mini: 60 clips, 5 network calls" in text
    assert "real test" in text.splitlines()[5]
    assert "held against these 30 real clips of the test set" in text
    assert "nearer than all but 1 %" in text
    page = summarise(asked.exp).read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and "| 60 |" in line]
    assert len(rows) == 1
    assert "<br>real (10): " in rows[0]
    assert page.index("| real test |") < page.index("| demo &lt;1> |")
    named = replace(asked, system="demo", out=asked.out.parent / "named")
    run(named)
    published = publish(named.out, tmp_path / "recipe").read_text()
    names = sorted(path.name for path in (tmp_path / "recipe" / "results").glob("*.json"))
    assert len(names) == 3
    assert sum("_real_" in name for name in names) == 2
    assert "| real train |" in published


def test_real_clips_are_listened_to_once(run, asked, caplog):
    caplog.set_level(logging.INFO, logger="diffaudio")
    run()
    assert caplog.text.count("listening to real clips") == 2 + 2 + 1 + 2 + 4  # and 4 of neighbours
    other = replace(asked, system="other", out=asked.exp / "score" / "b" / "test")
    caplog.clear()
    first, second = read_json(asked.out / "summary.json"), run(other)
    assert "listening" not in caplog.text
    assert second["metrics"] == first["metrics"]
    caplog.clear()
    run(other, spec=settings(embedders=[Tones(version=2), Deaf()]))
    assert caplog.text.count("listening to real clips") == 3 + 2


def test_the_second_run_is_up_to_date_and_another_listener_is_named(run, asked, caplog):
    caplog.set_level(logging.INFO, logger="diffaudio")
    first = run()
    caplog.clear()
    run()
    assert "up to date" in caplog.text
    second = run(spec=settings(embedders=[Tones(version=2), Deaf()]))
    assert 'embedder.ear: {"version": 1} -> {"version": 2}' in caplog.text
    assert first["protocol_sha256"] != second["protocol_sha256"]
    assert provenance.state(asked.out) == ("done", "")


def test_real_clips_may_be_another_set_than_the_one_whose_rows_were_generated(run, asked):
    wavs = generate(asked.data, asked.wavs.parent / "train", split="train", repeat=1)
    other = replace(asked, split="train", wavs=wavs, out=asked.out.parent / "train")
    found = run(other, spec=settings(real="test"))
    assert (found["n"], found["reference"]) == (40, {"set": "test", "n": 30})
    protocol = read_json(other.out / "protocol.json")
    assert (protocol["test_set"]["split"], protocol["asked"]["split"]) == ("test", "train")
    assert {path.stem for path in other.out.glob("baseline*")} == {
        "baseline_real_test",
        "baseline_real_train",
    }


def test_a_label_that_nobody_knows_is_refused(run):
    with pytest.raises(Refusal, match="speaker 's' is no class of ear"):
        run(spec=settings(label="speaker"))
