"""Guidance against its formulas, and against the steps of the papers written out."""

import math

import pytest
import torch
from family import noise_end

from diffaudio.log import Refusal
from diffaudio.process import (
    VE,
    Autoguidance,
    CFGPlusPlus,
    ClassifierFree,
    Composed,
    Cosine,
    RectifiedFlow,
)
from diffaudio.solve import (
    DDIM,
    DEIS,
    LMS,
    RK45,
    Ancestral,
    DPMSolverMultistep,
    Euler,
    Heun,
    Renoise,
    Sampler,
    UniformGrid,
    UniPC,
)

SHAPE = (2, 1, 3, 5)


class Network:
    """Answers with shrunk states around a centre of each condition; remembers what was asked."""

    def __init__(self, *centres):
        self.centres, self.asked = centres, []

    def __call__(self, z, at, count):
        self.asked.append(count)
        return [c + 0.3 * (z.double() - at.alpha * c) for c in self.centres[:count]]


def at(path, t):
    return path.at(torch.tensor([t], dtype=torch.float64)).knots()[0]


def state(seed=0):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_classifier_free_leads_from_the_other_answer_past_the_wanted_one():
    network, z, here = Network(1.0, -0.5), state(), at(Cosine(), 0.4)
    wanted, other = network(z, here, 2)
    guided = ClassifierFree(3.0).guide(network, [])(z, here)
    torch.testing.assert_close(guided, other + 3.0 * (wanted - other))


@pytest.mark.parametrize("guidance", [ClassifierFree(1.0), ClassifierFree(5.0, low=2.0, high=4.0)])
def test_where_it_does_not_guide_nothing_else_is_asked(guidance):
    network, z, here = Network(1.0, -0.5), state(), at(VE(), 1.0)
    guided = guidance.guide(network, [])(z, here)
    assert network.asked == [1]
    torch.testing.assert_close(guided, network(z, here, 1)[0])


def test_the_interval_is_one_of_noise_levels():
    """sigma / alpha, above low and up to high; pure noise is above every level."""
    network, path = Network(1.0, -0.5), RectifiedFlow()  # the level is t / (1 - t)
    guide = ClassifierFree(2.0, low=1.0, high=3.0).guide(network, [])
    for t in (0.4, 0.5, 0.51, 0.75, 0.76, 1.0):
        guide(state(), at(path, t))
    assert network.asked == [1, 1, 2, 2, 1, 1]
    network.asked.clear()
    ClassifierFree(2.0, low=1.0).guide(network, [])(state(), at(path, 1.0))
    assert network.asked == [2]


def test_rescaled_estimates_are_as_loud_as_plain_ones():
    network, z, here = Network(2.0, -1.0), state(), at(VE(), 1.0)
    plain, wanted = network(z, here, 2)[0], []
    for share in (0.0, 0.5, 1.0):
        guided = ClassifierFree(4.0, rescale=share).guide(network, [])(z, here)
        wanted.append(guided.square().mean((1, 2, 3)).sqrt())
    torch.testing.assert_close(wanted[2], plain.square().mean((1, 2, 3)).sqrt())
    torch.testing.assert_close(wanted[1], (wanted[0] + wanted[2]) / 2)
    assert (wanted[0] > 1.5 * wanted[2]).all()


def test_padding_does_not_change_the_rescaling():
    network, here = Network(2.0, -1.0), at(VE(), 1.0)
    mask = torch.ones(2, 1, 1, 9)
    mask[..., 5:] = 0

    def padded(z, here, count):
        return [one * mask for one in network(z, here, count)]

    guidance, z = ClassifierFree(4.0, rescale=0.7), state()
    wide = guidance.guide(padded, [])(torch.nn.functional.pad(z, (0, 4)), here)
    torch.testing.assert_close(wide[..., :5], guidance.guide(network, [])(z, here))


def test_composed_adds_what_each_condition_changes():
    network, z, here = Network(1.0, 0.0, -2.0, 4.0), state(), at(Cosine(), 0.6)
    own, nothing, first, second = network(z, here, 4)
    guidance = Composed(1.5, [{"label": "a"}, {"label": "b"}], [0.5, -1.0])
    assert guidance.others == (None, {"label": "a"}, {"label": "b"})
    expected = nothing + 1.5 * (own - nothing) + 0.5 * (first - nothing) - (second - nothing)
    torch.testing.assert_close(guidance.guide(network, [])(z, here), expected)


def test_autoguidance_leads_away_from_the_weaker_model():
    network, z, here = Network(1.0, 0.7), state(), at(VE(), 2.0)
    strong, weak = network(z, here, 2)
    guided = Autoguidance(2.5).guide(network, [])(z, here)
    torch.testing.assert_close(guided, weak + 2.5 * (strong - weak))
    assert Autoguidance(2.5).weaker
    assert Autoguidance(2.5).others == ()


@pytest.mark.parametrize("path", [VE(), Cosine(), RectifiedFlow()])
def test_cfg_plus_plus_is_ddim_whose_noise_was_told_nothing(path):
    """Algorithm 2 of the paper: x_u = A D_guided + S eps_nothing, written out in DDIM's place."""
    network, sampler = Network(1.0, -0.5), Sampler(DDIM(), UniformGrid(), 6)
    guidance, draw, knots = CFGPlusPlus(0.6), state(), sampler.knots(path)
    made = sampler(guidance.guide(network, knots), path, None, lambda: draw)
    z = noise_end(path).start(draw, None)
    for now, then in zip(knots, knots[1:], strict=False):
        wanted, nothing = network(z, now, 2)
        guided = nothing + 0.6 * (wanted - nothing)
        z = then.alpha * guided + then.sigma * (z - now.alpha * nothing) / now.sigma
    wanted, nothing = network(z, knots[-1], 2)
    torch.testing.assert_close(made, nothing + 0.6 * (wanted - nothing))


@pytest.mark.parametrize(
    "solver",
    [Heun(), DDIM(eta=1.0), Renoise(), Ancestral(DDIM()), DPMSolverMultistep(eta=1.0), RK45()],
    ids=repr,
)
def test_cfg_plus_plus_goes_with_steady_solvers_alone(solver):
    """Its scale is that of a step from one knot to the next, without noise."""
    with pytest.raises(Refusal, match="more than once a step or adds noise"):
        Sampler(solver, UniformGrid(), 9, CFGPlusPlus(0.5))
    for one in (DDIM(), Euler(), DPMSolverMultistep(), UniPC(), LMS(), DEIS()):
        assert Sampler(one, UniformGrid(), 9, CFGPlusPlus(0.5)).calls == 9


def test_cfg_plus_plus_refuses_a_solver_that_calls_between_knots():
    network, path = Network(1.0, -0.5), VE()
    sampler = Sampler(Heun(0.5), UniformGrid(), 7)
    denoise = CFGPlusPlus(0.6).guide(network, sampler.knots(path))
    with pytest.raises(Refusal, match="between knots"):
        sampler(denoise, path, None, state)


@pytest.mark.parametrize("guidance", [ClassifierFree(2.5), Composed(1.0, [{}], [1.5])])
def test_guidance_is_the_same_in_every_language(guidance):
    """Estimates of x_0 or of the noise, guided alike, are one estimate."""
    network, z, here = Network(1.0, -0.5, 0.8), state(), at(Cosine(), 0.5)

    def of_noise(z, here, count):
        return [here.eps(z, x0) for x0 in network(z, here, count)]

    x0, eps = (guidance.guide(one, [])(z, here) for one in (network, of_noise))
    torch.testing.assert_close(here.eps(z, x0), eps)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(Refusal, match="low = 2 and high = 1"):
        ClassifierFree(2.0, low=2.0, high=1.0)
    with pytest.raises(Refusal, match="rescale"):
        ClassifierFree(2.0, rescale=1.5)
    with pytest.raises(Refusal, match="between 0 and 1"):
        CFGPlusPlus(7.5)
    with pytest.raises(Refusal, match="1 scales for 2 conditions"):
        Composed(1.0, [{}, {}], [1.0])
    assert math.isinf(ClassifierFree(2.0).high)
