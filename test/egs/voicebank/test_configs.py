"""Every configuration of the recipe: read strictly, built, trained a step, sampled as it says."""

from pathlib import Path

import pytest
import torch
from recipe import trained_where_it_samples, whole

from diffaudio.bin.config import EXPERIMENT
from diffaudio.config import SECTIONS, parse
from diffaudio.data.batch import Batch
from diffaudio.decode.spec import DecodeSpec
from diffaudio.model import Model

RECIPE = Path(__file__).parents[3] / "egs/voicebank"
WHOLE = whole(RECIPE)
TUNING = sorted(RECIPE.glob("conf/tuning/*.yaml"))  # laid over a whole one


@pytest.mark.parametrize("path", WHOLE + TUNING, ids=lambda path: path.stem)
def test_it_trains_and_samples(path):
    below = ["--config", str(RECIPE / "conf/mini.yaml")] if path in TUNING else []
    argv = [*below, "--config", str(path)]
    config = parse(argv, prog="test", description="", sections=EXPERIMENT)
    assert set(config.sections) == set(SECTIONS) - {"sweep"}
    torch.manual_seed(0)
    model = config.build(Model)
    for parameter in model.parameters():  # as after some training: nothing is exactly zero
        parameter.data += 0.01 * torch.randn_like(parameter)
    clean = 0.1 * torch.randn(1, 1, 4000)
    noisy = clean + 0.05 * torch.randn(1, 1, 4000)
    length = torch.tensor([4000])
    loss, _ = model(Batch(["a"], {"clean": clean, "noisy": noisy}, length, [1], 0))
    loss.sum().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None]
    assert silent == []  # several devices can train it without a search for unused parameters
    sampler = config.build(DecodeSpec).sampler
    assert trained_where_it_samples(model, sampler)
    made = model.eval().generate(noisy, length, [1], sampler)
    assert made.shape == clean.shape
    assert torch.isfinite(made).all()


def test_the_head_of_each_file_names_the_file():
    """The commands in the comments are right."""
    for path in WHOLE + TUNING:
        name = str(path.relative_to(RECIPE))
        _, run, describe, *_ = path.read_text().splitlines()
        assert f"--{'tuning' if path in TUNING else 'conf'} {name}" in run
        assert describe.startswith("# What it costs: diffaudio describe --config conf/")
        assert describe.endswith(f"--config {name}")
