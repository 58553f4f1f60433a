"""A small trained model that several rooms' tests use: random weights, every real part."""

import numpy as np
import pytest
import torch

from diffaudio import weights
from diffaudio.files import write_json

TINY = """
audio: {rate: 8000, target: clean, given: noisy}
model:
  codec: {class_path: diffaudio.codec.CompressedSTFT, init_args: {n_fft: 126, hop: 32}}
  path: {class_path: diffaudio.process.FlowSE}
  target: {class_path: diffaudio.process.Velocity}
  net:
    class_path: diffaudio.nets.BandTransformer
    init_args: {bands: 8, width: 16, depth: 1, heads: 2}
  times: {class_path: diffaudio.process.Uniform}
  given: true
decode:
  sampler:
    solver: {class_path: diffaudio.solve.DDIM}
    grid: {class_path: diffaudio.solve.UniformGrid}
    calls: 2
  chunk_seconds: 2.0
  overlap_seconds: 0.25
  batch_seconds: 5.0
"""


def write_checkpoint(folder, step, held):
    """Write a checkpoint as a trainer does: weights and averages first, state.json last."""
    folder.mkdir(parents=True)
    halves = {name: 0.9 * tensor for name, tensor in held.items()}
    files = {
        weights.MODEL: weights.write_weights(folder / weights.MODEL, held),
        weights.EMA: weights.write_weights(folder / weights.EMA, halves),
    }
    write_json(folder / weights.STATE, {"step": step, "hours": 0.5, "files": files})


@pytest.fixture(scope="session")
def tiny_exp(tmp_path_factory):
    """Return an experiment: config.yaml, two checkpoints and best.json. Copy it to change it."""
    from diffaudio.decode.trained import read_config
    from diffaudio.model import Model

    exp = tmp_path_factory.mktemp("exp") / "tiny"
    exp.mkdir()
    (exp / "plain.yaml").write_text(TINY)
    config = read_config(exp / "plain.yaml")
    config.save(exp / "config.yaml")
    torch.manual_seed(0)
    held = config.build(Model).state_dict()
    for step in (5, 10):
        moved = {name: value + 0.1 * torch.randn(value.shape) for name, value in held.items()}
        write_checkpoint(exp / "checkpoints" / f"step_{step:08d}", step, moved)
    write_json(exp / "best.json", {"checkpoint": "step_00000005", "SI-SDR": 3.0})
    return exp


@pytest.fixture
def speech():
    """Return a maker of sound that is not stationary: (n, a) float32 at a given rate."""

    def make(seconds, rate=8000, channels=1, seed=0):
        n = round(seconds * rate)
        random = np.random.default_rng(seed)
        time = np.arange(n)[:, None] / rate
        envelope = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time + np.arange(channels))
        voice = np.sin(2 * np.pi * 220 * time) + 0.5 * np.sin(2 * np.pi * 660 * time)
        x = 0.2 * envelope * voice + 0.02 * random.standard_normal((n, channels))
        return x.astype(np.float32)

    return make
