"""Moments go by the names of their weights, whatever the order of the optimiser's groups."""

import torch

from diffaudio.train import moments
from diffaudio.train.schedule import adamw
from diffaudio.train.spec import TrainSpec


def trained(seed):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    optimizer = adamw(model, TrainSpec(steps=10))
    model(torch.ones(4, 2)).square().sum().backward()
    optimizer.step()
    return model, optimizer


def test_each_weight_has_its_own_moments_and_gets_them_back():
    (model, optimizer), (other, second) = trained(0), trained(1)
    held = moments.flat(model, optimizer)
    assert {name.rpartition("/")[0] for name in held} == {
        name for name, _ in model.named_parameters()
    }
    for name, parameter in model.named_parameters():
        assert torch.equal(held[f"{name}/exp_avg"], optimizer.state[parameter]["exp_avg"])
    moments.restore(other, second, held)
    for name, parameter in other.named_parameters():
        found = second.state[parameter]["exp_avg_sq"]
        assert torch.equal(found, held[f"{name}/exp_avg_sq"])
        assert found.data_ptr() != held[f"{name}/exp_avg_sq"].data_ptr()
