import math

import pytest
import torch
from torch import nn

from diffaudio.train.ema import RAMP, Ema, half_life, power_function
from diffaudio.train.power import gamma


class Walk(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        self.frozen = nn.Parameter(torch.full((1,), 7.0), requires_grad=False)
        self.register_buffer("count", torch.tensor(0))


@pytest.mark.parametrize("updates", [0.5, 3.0, 100.0])
def test_closed_form(updates):
    """The average is the sum of weights seen, each times what the later decays left of it."""
    model = Walk()
    ema = Ema(model, half_life(updates))
    seen = [0.0]
    for update in range(1, 60):
        model.weight.data.fill_(math.sin(update) + update)
        seen.append(math.sin(update) + update)
        ema.update(update)
    decays = [0.5 ** (1 / min(updates, RAMP * update)) for update in range(1, 60)]
    wanted = seen[0] * math.prod(decays) + sum(
        (1 - decays[n - 1]) * seen[n] * math.prod(decays[n:]) for n in range(1, 60)
    )
    assert ema.state_dict()["weight"].tolist() == pytest.approx([wanted] * 2, rel=1e-12)


def test_a_weight_counts_half_after_a_half_life_and_the_start_is_forgotten():
    ema = Ema(Walk(), half_life(20.0))
    left = math.prod(ema.decay(update) for update in range(1001, 1021))
    assert left == pytest.approx(0.5)
    assert math.prod(ema.decay(update) for update in range(1, 21)) < 1e-9
    assert [ema.decay(n) for n in (200, 201, 5000)] == [ema.decay(200)] * 3 > [ema.decay(199)] * 3


@pytest.mark.parametrize("sigma_rel", [0.05, 0.1, 0.25])
def test_a_power_function_average_weighs_by_the_profile_over_each_update(sigma_rel):
    """Held from update to update, weights are weighed by the integral of (g + 1) s^g / t^(g + 1).

    The profile's standard deviation is then sigma_rel t, up to what an update is wide. The start,
    a large number, leaves no trace.
    """
    model, last = Walk(), 400
    model.weight.data.fill_(1e9)
    ema = Ema(model, power_function(sigma_rel))
    seen = torch.sin(torch.arange(1.0, last + 1, dtype=torch.float64))
    for update in range(1, last + 1):
        model.weight.data.fill_(seen[update - 1])
        ema.update(update)
    edges = torch.linspace(0, 1, last + 1, dtype=torch.float64)
    mass = (edges ** (gamma(sigma_rel) + 1)).diff()
    assert ema.state_dict()["weight"][0].item() == pytest.approx((mass * seen).sum().item())
    middle = (edges[1:] + edges[:-1]) / 2
    spread = (mass * (middle - (mass * middle).sum()) ** 2).sum().sqrt()
    assert spread.item() == pytest.approx(sigma_rel, rel=1e-3)


def test_what_is_not_trained_is_the_models_own():
    model = Walk()
    ema = Ema(model, half_life(5.0))
    model.weight.data.fill_(1.0)
    model.frozen.data.fill_(8.0)
    model.count.fill_(3)
    ema.update(1)
    held = ema.state_dict()
    assert held.keys() == model.state_dict().keys()
    assert held["frozen"].item() == 8.0
    assert held["count"].item() == 3
    assert 0 < held["weight"][0] < 1


def test_applied_gives_back_the_very_weights_even_after_an_error():
    model = Walk()
    ema = Ema(model, half_life(5.0))
    model.weight.data.copy_(torch.tensor([0.1, 1e-300]))
    before, pointer = model.weight.detach().clone(), model.weight.data_ptr()

    def fail():
        with ema.applied():
            assert torch.equal(model.weight, torch.zeros(2, dtype=torch.float64))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.equal(model.weight, before)
    assert model.weight.data_ptr() == pointer


def test_load_gives_back_what_was_saved():
    model = Walk()
    ema = Ema(model, half_life(5.0))
    model.weight.data.fill_(1.0)
    ema.update(1)
    other = Ema(Walk(), half_life(5.0))
    other.load_state_dict(ema.state_dict())
    assert torch.equal(other.state_dict()["weight"], ema.state_dict()["weight"])
