import math

import pytest
import torch
from torch import nn

from diffaudio.train.schedule import adamw, learning_rate
from diffaudio.train.spec import TrainSpec


@pytest.mark.parametrize(
    ("step", "share"),
    [
        (0, 0.1),
        (4, 0.5),
        (9, 1.0),
        (10, 1.0),
        (55, 0.2 + 0.8 * (1 + math.cos(math.pi / 2)) / 2),
        (100, 0.2),
        (500, 0.2),
    ],
)
def test_values(step, share):
    spec = TrainSpec(steps=101, lr=3e-4, warmup=10, decay=0.2)
    assert learning_rate(step, spec) == pytest.approx(3e-4 * share)


def test_decay_of_one_is_constant_and_no_warmup_starts_at_the_peak():
    spec = TrainSpec(steps=50, lr=1e-3, warmup=0, decay=1.0)
    assert {learning_rate(step, spec) for step in range(50)} == {1e-3}


@pytest.mark.parametrize("warmup", [0, 1, 2, 3])
def test_runs_shorter_than_the_warmup_have_a_rate(warmup):
    spec = TrainSpec(steps=2, warmup=warmup)
    assert all(0 < learning_rate(step, spec) <= spec.lr for step in range(2))


def test_only_matrices_decay_and_frozen_weights_are_left_out():
    model = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Conv1d(1, 1, 3))
    model[2].weight.requires_grad_(False)
    groups = adamw(model, TrainSpec(steps=1, weight_decay=0.3)).param_groups
    assert [(len(g["params"]), g["weight_decay"]) for g in groups] == [(1, 0.3), (4, 0.0)]


def test_two_steps_by_hand():
    """Gradients 1 then 3, betas 0.5 and 0.75, each moment divided by 1 - beta^step."""
    weight = nn.Parameter(torch.zeros(1))
    model = nn.ParameterList([weight])
    optimizer = adamw(model, TrainSpec(steps=9, lr=0.1, betas=(0.5, 0.75), weight_decay=0.3))
    weight.grad = torch.tensor([1.0])
    optimizer.step()
    assert weight.item() == pytest.approx(-0.1)
    weight.grad = torch.tensor([3.0])
    optimizer.step()
    first = (0.5 * 0.5 * 1 + 0.5 * 3) / (1 - 0.5**2)
    second = (0.75 * 0.25 * 1 + 0.25 * 9) / (1 - 0.75**2)
    assert weight.item() == pytest.approx(-0.1 - 0.1 * first / math.sqrt(second))


def test_a_model_without_matrices_has_one_group():
    assert len(adamw(nn.LayerNorm(2), TrainSpec(steps=1)).param_groups) == 1
