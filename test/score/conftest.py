"""A tiny test set on disk: four utterances, what is given, and a made-up system's estimates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffaudio.data import audio, manifest
from diffaudio.data.audio import AudioSpec
from diffaudio.files import write_json

RATE = 8000
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
