"""A denoiser around a network that answers by formula: scaling, given states, refusals."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from diffaudio.denoiser import Denoiser, Surroundings
from diffaudio.log import Refusal
from diffaudio.nets import Condition
from diffaudio.process import EDM, VE, X0, ClassifierFree
from diffaudio.solve import DDIM, Renoise, Sampler, UniformGrid, UniPC


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


class FlowMap(nn.Module):
    """The exact estimate for x_0 ~ N(0, data^2) on VE, for as far as it is told to lead."""

    embedding, data = 1, 0.5

    def forward(self, x, clock, mask=None, condition=None):
        sigma, jump = torch.exp(4 * clock.double()), condition.vector[:, 0].double()
        s = sigma / (1 + sigma)
        r = s * (1 - jump)

        def deviation(place):
            return torch.hypot((1 - place) * self.data, place)

        mean = (1 - s) * self.data**2 / deviation(s) ** 2
        gain = (deviation(r) / deviation(s) - (1 - jump)) / jump.clamp_min(1e-12)
        gain = torch.where(jump > 0, gain, mean) / (1 + sigma)
        return gain[:, None, None, None] * x * torch.hypot(sigma, torch.tensor(self.data))


class Told(nn.Module):
    """Hands the jump on as it is."""

    def forward(self, jump, condition):
        return Condition(jump[:, None])


@pytest.mark.parametrize("calls", [1, 2, 5])
def test_a_flow_map_told_where_to_lead_is_exact_with_any_number_of_calls(calls):
    """The flow takes z to z data / hypot(data, t_max); the mean of the same data does not."""
    path = VE(t_min=1e-4, t_max=20.0)
    denoiser = Denoiser(path, X0(0.5), FlowMap(), jumps=True)
    denoiser.jump = Told()
    eps = torch.randn(1, 1, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    sampler = Sampler(DDIM(), UniformGrid(), calls)
    denoise = denoiser.bind(Surroundings(None, None), {}, sampler)
    made = sampler(denoise, path, None, lambda: eps)
    scale = 20.0 * 0.5 / (20.0**2 + 0.5**2) ** 0.5
    torch.testing.assert_close(made.double(), scale * eps, rtol=2e-4, atol=1e-5)


def test_solvers_ask_for_the_estimate_they_can_use():
    path, told = VE(), []
    denoiser = Denoiser(path, X0(), FlowMap(), jumps=True)
    denoiser.jump = Told()
    denoiser.jump.register_forward_hook(lambda _, inputs, __: told.append(inputs[0].item()))
    state = torch.randn(1, 1, 2, 3)
    for solver, wanted in (
        (UniPC(), [0, 0, 0]),
        (DDIM(eta=1.0), [0, 0, 0]),
        (Renoise(), [1, 1, 1]),
        (DDIM(), None),
    ):
        told.clear()
        sampler = Sampler(solver, UniformGrid(), 3)
        sampler(denoiser.bind(Surroundings(None, None), {}, sampler), path, None, lambda: state)
        if wanted is None:
            s = [knot.place.item() for knot in sampler.knots(path)] + [0.0]
            wanted = [1 - then / here for here, then in pairwise(s)]
        assert told == pytest.approx(wanted, abs=1e-6)
