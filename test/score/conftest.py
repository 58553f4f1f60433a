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
        "grid": "UniformGrid()",
        "device": "cpu",
        "precision": "fp32",
        "checkpoint": "step_00000800",
        "checkpoint_sha256": "1a2b3c4d5e",
    }
    about |= {"train_steps": 800, "train_hours": 0.1, "params": 1000, "config_sha256": "cc"}
    write_json(wavs / "decode.json", about)
    exp = tmp_path / "exp" / "demo"
    exp.mkdir(parents=True)
    (exp / "config.yaml").write_text("train: {seed: 5}\n")
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

    def go(asked=request_, audio=spec, settings=SPEC, *, inputs=None, force=False):
        keys = {"score.resamples": settings.resamples}
        score(asked, audio, settings, keys=keys, inputs=inputs or {"wavs": "0"}, nj=1, force=force)

    return go


def _made(system: str, mean: float, *, verdict="better", withheld=None, p=0.0001, **more):
    """Return a result in one metric, compared with an input of 1.5."""
    compared = {
        "n": 128,
        "system": {"mean": mean, "ci95": [mean - 0.1, mean + 0.1]},
        "baseline": {"mean": 1.5, "ci95": [1.4, 1.6]},
        "mean_difference": mean - 1.5,
        "ci95": [mean - 1.6, mean - 1.4],
        "p": p,
        "p_holm": p,
        "verdict": verdict,
        "withheld": withheld,
    }
    entry = {"mean": mean, "ci95": [mean - 0.1, mean + 0.1], "better": "higher"}
    entry |= {"n": 128, "failed": 0, "missing": 0}
    if system != "noisy":
        entry["versus"] = {"noisy": compared}
    return {
        "recipe": "voicebank",
        "corpus": "mini",
        "not_comparable": [],
        "role": "input" if system == "noisy" else "system",
        "given": "noisy",
        "system": system,
        "speakers": 2,
        "n": 128,
        "calls": 0,
        "rtf": None,
        "commit": "abc",
        "hardware": None,
        "protocol_sha256": "f" * 64,
        "train": {"steps": None, "hours": None, "params": None},
        "metrics": {"PESQ": entry},
        **more,
    }


def _silent(failed: int):
    """Return a result whose metric failed for some of 128 utterances."""
    found = _made("mute", 1.9, verdict=None, withheld=f"{failed} of 128 failed")
    entry = found["metrics"]["PESQ"]
    left = 128 - failed
    entry |= {"n": left, "failed": failed}
    compared = entry["versus"]["noisy"]
    compared["n"] = left
    if not left:
        entry |= {"mean": None, "ci95": None}
        empty = {"mean": None, "ci95": None}
        compared |= {"system": empty, "baseline": empty, "mean_difference": None, "ci95": None}
        compared |= {"p": None, "p_holm": None}
    return found


@pytest.fixture
def made():
    """Return a maker of results in one metric."""
    return _made


@pytest.fixture
def silent():
    """Return a maker of results whose metric failed for some utterances."""
    return _silent


@pytest.fixture
def noisy():
    return _made("noisy", 1.5)


@pytest.fixture
def demo():
    return _made(
        "demo",
        1.9,
        calls=2.0,
        rtf=0.0814,
        hardware="2 cores",
        decode_commit="0de",
        checkpoint="step_00000500",
        checkpoint_sha256="1a2b3c4d5e6f",
        solver="DDIM(eta=0.0)",
        grid="UniformGrid()",
        device="cpu",
        seed=7,
        train={
            "steps": 800,
            "hours": 0.15,
            "params": 1_900_000,
            "seed": 3,
            "config_sha256": "cafe",
        },
    )


@pytest.fixture
def protocols():
    """Return the protocol of the made results, by its digest."""
    test_set = {"split": "test"}
    return {"f" * 64: {"metrics": {"PESQ": {}}, "baseline": "noisy", "test_set": test_set}}
