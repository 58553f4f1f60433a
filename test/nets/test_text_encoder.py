"""Text encoder and durations: no influence of padding, some of neighbours, dropout in training."""

import pytest
import torch

from diffaudio.nets.text_encoder import DurationPredictor, TextEncoder

IDS = torch.tensor([[3, 1, 4, 1, 5], [2, 6, 0, 0, 0]])
INSIDE = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])


def moved(module):
    torch.manual_seed(0)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return module.eval()


@pytest.fixture
def encoder():
    return moved(TextEncoder(8, 16, depth=2, heads=2, dropout=0.3))


def test_what_is_in_the_padding_has_no_influence(encoder):
    durations = moved(DurationPredictor(16))
    x = encoder(IDS, INSIDE)
    other = IDS.clone()
    other[1, 2:] = 7
    torch.testing.assert_close(encoder(other, INSIDE), x)
    alone = encoder(IDS[1:, :2], INSIDE[1:, :2])
    torch.testing.assert_close(alone[0], x[1, :2], atol=1e-5, rtol=1e-5)
    assert x[1, 2:].abs().max() == 0
    logs = durations(x, INSIDE)
    torch.testing.assert_close(durations(alone, INSIDE[1:, :2])[0], logs[1, :2], atol=1e-5, rtol=0)
    assert logs[1, 2:].abs().max() == 0


def test_a_symbol_knows_its_neighbours_and_its_place(encoder):
    x = encoder(IDS, INSIDE)[0]
    assert not torch.allclose(x[1], x[3])  # the same symbol elsewhere
    changed = IDS.clone()
    changed[0, 4] = 2
    assert not torch.allclose(encoder(changed, INSIDE)[0, 0], x[0])


def test_durations_stop_the_gradient(encoder):
    durations = moved(DurationPredictor(16))
    durations(encoder(IDS, INSIDE), INSIDE).sum().backward()
    assert all(parameter.grad is None for parameter in encoder.parameters())
    assert all(parameter.grad is not None for parameter in durations.parameters())


def test_dropout_is_of_training(encoder):
    one, other = (encoder.train()(IDS, INSIDE) for _ in range(2))
    assert not torch.equal(one, other)
    assert torch.equal(encoder.eval()(IDS, INSIDE), encoder(IDS, INSIDE))
    durations = moved(DurationPredictor(16, 0.3)).train()
    x = encoder(IDS, INSIDE).detach()
    assert not torch.equal(durations(x, INSIDE), durations(x, INSIDE))
