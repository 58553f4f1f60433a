"""A tiny test set on disk: four utterances, what is given, and a made-up system's estimates."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from diffaudio.data import audio, manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.files import write_json
from diffaudio.score import Request, ScoreSpec, measure, score

RATE = 8000
SPEC = ScoreSpec(metrics=["SI-SDR"], worst=1, resamples=200)
IDS = [f"p1_{number:03d}" for number in range(4)]


@pytest.fixture
def spec() -> AudioSpec:
    return AudioSpec(rate=RATE, target="clean", given="noisy")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a data folder: `corpus.json` and `test.jsonl` of four noisy pairs of 0.5 s."""
    rng = np.random.default_rng(0)
    for name in IDS:
        clean = 0.1 * rng.standard_normal(RATE // 2)
        audio.save(tmp_path / "root" / "clean" / f"{name}.wav", clean, RATE)
        noisy = clean + 0.1 * rng.standard_normal(RATE // 2)
        audio.save(tmp_path / "root" / "noisy" / f"{name}.wav", noisy, RATE)
    data = tmp_path / "data" / "mini"
    rows = (
        {"id": name, "audio": {role: f"{role}/{name}.wav" for role in ("clean", "noisy")}, "snr": 0}
        for name in IDS
    )
    manifest.write(data / "test.jsonl", rows)
    label = "mini <made> | up"
    write_json(data / "corpus.json", {"root": str(tmp_path / "root"), "label": label})
    return data


@pytest.fixture
def wavs(corpus: Path, tmp_path: Path) -> Path:
    """Return a folder of estimates: the noise is a tenth of what is given."""
    folder = tmp_path / "wavs"
    for name in IDS:
        clean, _ = audio.load(tmp_path / "root" / "clean" / f"{name}.wav")
        noisy, _ = audio.load(tmp_path / "root" / "noisy" / f"{name}.wav")
        audio.save(folder / f"{name}.wav", 0.9 * clean + 0.1 * noisy, RATE)
    return folder


@pytest.fixture
def here(monkeypatch):
    """Run tasks in this process and keep the log within reach of the tests."""
    monkeypatch.setattr(
        measure, "run_tasks", lambda tasks, **_: [t.function(**t.arguments) for t in tasks]
    )
    monkeypatch.setattr(logging.getLogger("diffaudio"), "propagate", True)


@pytest.fixture
def request_(corpus, wavs, tmp_path):
    about = {
        "calls": 2.0,
        "solver": "DDIM(eta=0.0)",
        "rtf": 0.05,
        "seed": 3,
        "hardware": "a box",
        "threads": 2,
    }
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


@pytest.fixture
def run(here, request_, spec):
    """Return a function that scores the estimates, with changes to what is asked."""

    def go(asked=request_, audio=spec, settings=SPEC, *, inputs=None):
        keys = {"score.resamples": settings.resamples}
        score(asked, audio, settings, keys=keys, inputs=inputs or {"wavs": "0"}, nj=1, force=False)

    return go
