"""A denoiser around a network that answers by formula: scaling, given states, refusals."""

import pytest
import torch
from torch import nn

from diffaudio.denoiser import Denoiser, Surroundings
from diffaudio.log import Refusal
from diffaudio.process import EDM, VE, X0, ClassifierFree
from diffaudio.solve import DDIM, Sampler, UniformGrid


class Halves(nn.Module):
    """Half of the first channels, remembering what it was shown."""

    def forward(self, x, clock, mask=None, condition=None):
        self.x, self.clock = x, clock
        return 0.5 * x[:, :1]


@pytest.fixture
def state():
    return torch.randn(2, 1, 3, 4, generator=torch.Generator().manual_seed(0))


def place(t):
    return VE().at(torch.tensor(t, dtype=torch.float64))


def bound(denoiser, y=None, mask=None, guidance=None):
    sampler = Sampler(DDIM(), UniformGrid(), 3, guidance)
    return denoiser.bind(Surroundings(y, mask), {}, sampler)


def test_the_network_sees_unit_deviation_and_edm_s_answer_is_the_published_one(state):
    net, at, data = Halves(), place(2.0), 0.5
    made = bound(Denoiser(VE(), EDM(data), net))(state, at)
    norm = (2.0**2 + data**2) ** 0.5
    torch.testing.assert_close(net.x, state / norm, check_dtype=False)
    assert net.clock.tolist() == pytest.approx([torch.log(torch.tensor(2.0)).item() / 4] * 2)
    by_hand = data**2 / norm**2 * state + 2.0 * data / norm * 0.5 * state / norm
    torch.testing.assert_close(made, by_hand, check_dtype=False)


def test_what_is_given_lies_beside_and_padding_stays_zero(state):
    net, y = Halves(), torch.ones_like(state)
    mask = torch.tensor([1.0, 1, 1, 0])[None, None, None]
    made = bound(Denoiser(VE(), X0(0.25), net), y, mask)(state * mask, place(1.0))
    assert torch.equal(net.x[:, 1:], y / 0.25)
    assert made[..., 3].abs().max() == 0.0
    assert made[..., :3].abs().min() > 0.0


def test_a_residual_is_added_to_what_is_given(state):
    at, y, net = place(1.0), torch.full_like(state, 3.0), Halves()
    plain = bound(Denoiser(VE(), EDM(), net))
    residual = bound(Denoiser(VE(), EDM(), Halves(), residual=True), y)
    wanted = y + plain(state - at.alpha.float() * y, at)
    torch.testing.assert_close(residual(state, at), wanted, check_dtype=False)


def test_guidance_without_a_condition_is_refused():
    with pytest.raises(Refusal, match="the model has no condition to be guided by"):
        bound(Denoiser(VE(), EDM(), Halves()), guidance=ClassifierFree(2.0))
