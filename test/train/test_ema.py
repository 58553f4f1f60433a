import math

import pytest
import torch
from torch import nn

from diffaudio.train.ema import RAMP, Ema


class Walk(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        self.frozen = nn.Parameter(torch.full((1,), 7.0), requires_grad=False)
        self.register_buffer("count", torch.tensor(0))


@pytest.mark.parametrize("half_life", [0.5, 3.0, 100.0])
def test_closed_form(half_life):
    """The average is the sum of weights seen, each times what the later decays left of it."""
    model = Walk()
    ema = Ema(model, half_life)
    seen = [0.0]
    for update in range(1, 60):
        model.weight.data.fill_(math.sin(update) + update)
        seen.append(math.sin(update) + update)
        ema.update(update)
    decays = [0.5 ** (1 / min(half_life, RAMP * update)) for update in range(1, 60)]
    wanted = seen[0] * math.prod(decays) + sum(
        (1 - decays[n - 1]) * seen[n] * math.prod(decays[n:]) for n in range(1, 60)
    )
    assert ema.state_dict()["weight"].tolist() == pytest.approx([wanted] * 2, rel=1e-12)


def test_a_weight_counts_half_after_a_half_life_and_the_start_is_forgotten():
    ema = Ema(Walk(), 20.0)
    left = math.prod(ema.decay(update) for update in range(1001, 1021))
    assert left == pytest.approx(0.5)
    assert math.prod(ema.decay(update) for update in range(1, 21)) < 1e-9
    assert [ema.decay(n) for n in (200, 201, 5000)] == [ema.decay(200)] * 3 > [ema.decay(199)] * 3


def test_what_is_not_trained_is_the_models_own():
    model = Walk()
    ema = Ema(model, 5.0)
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
    ema = Ema(model, 5.0)
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
    ema = Ema(model, 5.0)
    model.weight.data.fill_(1.0)
    ema.update(1)
    other = Ema(Walk(), 5.0)
    other.load_state_dict(ema.state_dict())
    assert torch.equal(other.state_dict()["weight"], ema.state_dict()["weight"])
