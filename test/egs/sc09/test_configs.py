"""Every configuration of the recipe: read strictly, built, trained a step, sampled as it says."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from recipe import package_of, sweep_of, trained_where_it_samples, whole

from diffaudio.bin.config import EXPERIMENT
from diffaudio.config import parse
from diffaudio.data.batch import Batch
from diffaudio.decode.spec import DecodeSpec
from diffaudio.model import Model

RECIPE = Path(__file__).parents[3] / "egs/sc09"
NAMES = ("sweep", "study", "grids", "reach", "best", "best_noise", "guidance", "few")
SWEEPS = [RECIPE / f"conf/{name}.yaml" for name in NAMES]
RESTORATION = RECIPE / "conf/restoration.yaml"
WHOLE = whole(RECIPE, *SWEEPS, RESTORATION)
TUNING = sorted(RECIPE.glob("conf/tuning/*.yaml"))  # laid over a whole one


def read(path, *words):
    below = ["--config", str(RECIPE / "conf/demo.yaml")] if path in TUNING else []
    argv = [*below, "--config", str(path), *words]
    with package_of("sc09"):
        return parse(argv, prog="test", description="", sections=EXPERIMENT)


@pytest.mark.parametrize("path", WHOLE + TUNING, ids=lambda path: path.stem)
def test_it_trains_and_samples(path):
    config = read(path)
    assert set(config.sections) == set(EXPERIMENT)
    torch.manual_seed(0)
    model = config.build(Model).train()
    for parameter in model.parameters():  # as after some training: nothing is exactly zero
        parameter.data += 0.01 * torch.randn_like(parameter)
    speech = 0.1 * torch.randn(2, 1, 2000)
    length, keys, fields = torch.tensor([2000, 2000]), [1, 2], {"label": ["zero", "nine"]}
    loss, _ = model(Batch(["a", "b"], {"speech": speech}, length, keys, 0, fields))
    loss.sum().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None]
    assert silent == []  # several devices can train it without a search for unused parameters
    sampler = config.build(DecodeSpec).sampler
    assert trained_where_it_samples(model, sampler)
    few = replace(sampler, calls=3)
    made = model.eval().generate(None, length, keys, few, fields=fields)
    assert made.shape == speech.shape
    assert torch.isfinite(made).all()


def test_two_flags_take_the_samples_themselves():
    config = read(RECIPE / "conf/train.yaml", "--model.codec", "Waveform", "--model.net", "WaveNet")
    model = config.build(Model)
    speech, length = 0.1 * torch.randn(1, 1, 500), torch.tensor([500])
    loss, _ = model(Batch(["a"], {"speech": speech}, length, [1], 0, {"label": ["zero"]}))
    assert torch.isfinite(loss).all()
    assert model.codec.bins == 1


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_cell_of_a_sweep_can_be_had(path):
    """No sampler is left out at a number of calls; the metric is one that conf/ scores."""
    spec = sweep_of(path)
    assert "exp/mini" in spec.models
    ways = len(spec.samplers) * len(spec.calls) * len(spec.guidance or {"plain": None})
    assert len(spec.cells()) == len({*spec.models}) * ways >= 3


@pytest.mark.parametrize("path", WHOLE + TUNING, ids=lambda path: path.stem)
def test_every_formulation_takes_states_of_unit_deviation(path):
    """One corpus, one codec: what is laid over a configuration needs no other scale."""
    assert read(path).build(Model).denoiser.target.sigma_data == 1.0
    assert path in WHOLE or "codec" not in path.read_text()


def test_the_head_of_each_file_names_the_file():
    """The commands in the comments are right."""
    for path in WHOLE + TUNING:
        name = str(path.relative_to(RECIPE))
        _, run, describe, *_ = path.read_text().splitlines()
        assert f"--{'tuning' if path in TUNING else 'conf'} {name}" in run
        assert describe.startswith("# What it costs: diffaudio describe --config conf/")
        assert describe.endswith(f"--config {name}")
